import Synchronization

/// A stream's counters, written by its chunk and its encoder, read by any thread.
final class ProgressCounter: Sendable {
    private let state = Mutex(StreamProgress())
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

    func encoded(_ frame: EncodedFrame) {
        state.withLock { state in
            switch frame {
            case .dropped: state.framesDropped += 1
            case .encoded(let frames, let start, let end):
                state.framesEncoded += Int64(frames)
                let span = state.encodedSpan ?? start...end
                state.encodedSpan = span.lowerBound...max(span.upperBound, end)
            }
            onChange?(state)
        }
    }

    /// What filters did with pictures since the last call.
    func filtered(dropped: Int, repeated: Int) {
        guard dropped != 0 || repeated != 0 else { return }
        state.withLock { state in
            state.framesDropped += Int64(dropped)
            state.framesRepeated += Int64(repeated)
        }
    }

    func filled(seconds: Double) { state.withLock { $0.filledSeconds += seconds } }

    /// Seconds that were filled since the stream sent nothing.
    func idled(seconds: Double) { state.withLock { $0.idleSeconds += seconds } }

    func droppedLate(frames: Int64) { state.withLock { $0.framesDroppedLate += frames } }

    func changed(bitRate: Int) { state.withLock { $0.bitRate = bitRate } }

    func packetMade(bytes: Int) {
        state.withLock { state in
            state.packets += 1
            state.bytesEncoded += Int64(bytes)
        }
    }
}

/// What became of a frame that came to the encoder.
enum EncodedFrame {
    /// Of its time there was one already.
    case dropped
    /// Frames or samples, and where they are in seconds.
    case encoded(frames: Int, from: Double, to: Double)
}
