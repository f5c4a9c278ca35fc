import Libav
import Synchronization
import Threading

/// Tells once a second that a carrier is at it, while one of its calls waits for a server: that may take any time, and has
/// bounds of its own.
final class SinkProgress: Sendable {
    private let isOver = Monitor(false)
    private let hasEnded = Monitor(false)

    /// `tell` is called on a thread of its own, with the seconds since the beginning.
    static func telling<R>(
        _ tell: @escaping @Sendable (Int64) -> Void, while body: () throws(StreamWriterError) -> R
    ) throws(StreamWriterError) -> R {
        let progress = SinkProgress()
        let isTelling = (try? SystemThread.start(name: "progress") { progress.run(tell) }) != nil
        defer { if isTelling { progress.end() } }
        return try body()
    }

    private func run(_ tell: (Int64) -> Void) {
        var seconds: Int64 = 0
        while isOver.wait(until: .after(.seconds(1)), { $0 ? true : nil }) == nil {
            seconds += 1
            tell(seconds)
        }
        hasEnded.change { $0 = true }
    }

    private func end() {
        isOver.change { $0 = true }
        _ = hasEnded.wait { $0 ? true : nil }
    }
}
