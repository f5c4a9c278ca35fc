import Synchronization

/// A stream's counters, written by its chunk and its encoders, read by any thread.
final class ProgressCounter: Sendable {
    private let state: Mutex<StreamProgress>
    private let onChange: (@Sendable (StreamProgress) -> Void)?

    /// `onChange` gets every change of what was taken or encoded, in order and before `current` shows it. It
    /// must be quick.
    init(renditions: Int = 1, onChange: (@Sendable (StreamProgress) -> Void)? = nil) {
        var progress = StreamProgress()
        if renditions > 1 { progress.renditions = Array(repeating: RenditionProgress(), count: renditions) }
        state = Mutex(progress)
        self.onChange = onChange
    }

    var current: StreamProgress { state.withLock { $0 } }

    func accepted(frames: Int64, frameBytes: Int, nextPTS: Double) {
        state.withLock { state in
            state.frames += frames
            state.offset += frames * Int64(frameBytes)
            state.nextPTS = nextPTS
            onChange?(state)
        }
    }

    func filled(seconds: Double) { state.withLock { $0.filledSeconds += seconds } }

    /// Seconds that were filled since the stream sent nothing.
    func idled(seconds: Double) { state.withLock { $0.idleSeconds += seconds } }

    func droppedLate(frames: Int64) { state.withLock { $0.framesDroppedLate += frames } }

    fileprivate func change(_ rendition: Int, tells: Bool = false, _ body: (inout RenditionProgress) -> Void) {
        state.withLock { state in
            if state.renditions.isEmpty {
                body(&state.encoded)
            } else {
                body(&state.renditions[rendition])
                state.encoded = .total(of: state.renditions)
            }
            if tells { onChange?(state) }
        }
    }
}

/// The counters of one of a stream's renditions.
struct RenditionCounter: Sendable {
    let stream: ProgressCounter
    /// Among the stream's.
    let place: Int

    func encoded(_ frame: EncodedFrame) { stream.change(place, tells: true) { $0.note(frame) } }

    /// What filters did with pictures since the last call.
    func filtered(dropped: Int, repeated: Int) {
        guard dropped != 0 || repeated != 0 else { return }
        stream.change(place) { rendition in
            rendition.framesDropped += Int64(dropped)
            rendition.framesRepeated += Int64(repeated)
        }
    }

    func changed(bitRate: Int) { stream.change(place) { $0.bitRate = bitRate } }

    func packetMade(bytes: Int) {
        stream.change(place) { rendition in
            rendition.packets += 1
            rendition.bytesEncoded += Int64(bytes)
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
