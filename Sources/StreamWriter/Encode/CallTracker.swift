import Synchronization

/// Tells another thread whether a libav call comes back. One thread at a time makes calls.
final class CallTracker: Sendable {
    /// Odd while a call is under way.
    private let count = Atomic<UInt64>(0)

    func tracking<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        step()
        defer { step() }
        return try body()
    }

    /// The call that is under way, by its number; nil between calls.
    var current: UInt64? {
        let count = count.load(ordering: .relaxed)
        return count % 2 == 1 ? count : nil
    }

    /// Only one thread writes: no need for an atomic addition.
    private func step() { count.store(count.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
}

/// Of one stream: its filters', and those of each of its encoders.
struct StreamCalls: Sendable {
    let filters = CallTracker()
    let encoders: [CallTracker]

    init(renditions: Int) { encoders = (0..<renditions).map { _ in CallTracker() } }
}

/// A call of libav that has begun and not come back yet. The same call is equal to itself.
public struct CallUnderWay: Sendable, Hashable {
    public enum Part: String, Sendable { case filters, encoder }
    public let stream: Int
    public let part: Part
    private let number: UInt64
    /// Of several encoders of the stream.
    private let rendition: Int

    init?(_ stream: Int, _ part: Part, _ calls: CallTracker, rendition: Int = 0) {
        guard let number = calls.current else { return nil }
        self.init(stream: stream, part: part, number: number, rendition: rendition)
    }

    package init(stream: Int, part: Part, number: UInt64, rendition: Int = 0) {
        self.stream = stream
        self.part = part
        self.number = number
        self.rendition = rendition
    }
}
