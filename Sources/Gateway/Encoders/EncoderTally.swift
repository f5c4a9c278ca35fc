import APICore
import Synchronization
import SystemIO
import WriterModel

/// What encoders have done and how they ended, for the metrics.
final class EncoderTally: Sendable {
    struct Counts {
        /// By exit code or signal.
        var exits: [String: Int64] = [:]
        /// From asking for an encoder to hearing of its process.
        var forkLatency = DurationHistogram()
        /// What encoders have counted, by the names of their writers' owners; "": none.
        var workByName: [String: MetricCounts] = [:]
    }

    private let counts = Mutex(Counts())
    private let all: MetricCounter

    /// `all` counts what every encoder has done.
    init(_ all: MetricCounter) { self.all = all }

    var current: Counts { counts.withLock { $0 } }

    func noteFork(of link: EncoderLink) {
        counts.withLock { $0.forkLatency.add((ContinuousClock.now - link.began).inSeconds) }
    }

    func noteEnd(_ end: ProcessEnd) { counts.withLock { $0.exits[end.label, default: 0] += 1 } }

    /// What an encoder has counted, which may name any route.
    func add(_ counted: MetricCounts, of writer: WriterID) {
        let counted = counted.ofRoutes(Self.routes)
        all.add(counted)
        counts.withLock { $0.workByName[writer.owner ?? "", default: MetricCounts()].add(counted) }
    }

    private static let routes = Set(Route.all.map(\.operation.id) + [MetricCounter.otherRoute])
}
