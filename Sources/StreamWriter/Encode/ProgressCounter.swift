import Synchronization

/// A stream's counters, written by its chunk and its encoder, read by any thread.
final class ProgressCounter: Sendable {
    private let state = Mutex(StreamProgress(frames: 0, framesEncoded: 0, offset: 0, nextPTS: 0, packets: 0))
    private let onChange: (@Sendable (StreamProgress) -> Void)?

    /// `onChange` gets every change of what was taken or encoded, in order and before `current` shows it. It
    /// must be quick.
    init(onChange: (@Sendable (StreamProgress) -> Void)? = nil) { self.onChange = onChange }

    var current: StreamProgress { state.withLock { $0 } }

    func accepted(frames: Int64, frameBytes: Int, nextPTS: Double) {
        state.withLock { state in
            state.frames += frames
            state.offset += frames * Int64(frameBytes)
            state.nextPTS = nextPTS
            onChange?(state)
        }
    }

    func encoded(frames: Int) {
        state.withLock { state in
            state.framesEncoded += Int64(frames)
            onChange?(state)
        }
    }

    func packetMade() { state.withLock { $0.packets += 1 } }
}
