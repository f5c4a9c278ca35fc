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
        /// Writers.
        var ends: [End: Int64] = [:]
        /// Outputs of writers that were made, by where they write to: one of `OutputScheme.all`.
        var outputs: [String: Int64] = [:]
        var outputBreaks: [String: Int64] = [:]
        var outputReconnects: [String: Int64] = [:]
        var outputFailures: [String: Int64] = [:]
    }

    struct End: Hashable {
        let state: WriterEnd.State
        let cause: WriterEnd.Cause
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

    func count(_ end: WriterEnd) {
        counts.withLock { $0.ends[End(state: end.state, cause: end.cause), default: 0] += 1 }
        if let code = end.problem?.code { all.countFailure(code) }
    }

    func countFailedEncoding(_ code: ProblemCode) { all.countFailure(code) }

    /// Of one that an encoder had begun and left.
    func countBrokenResponse(to route: String) {
        var counts = MetricCounts()
        counts.answers[.init(route: route, status: 200, outcome: .failed)] = 1
        all.add(counts)
    }

    /// What has become of an output.
    func count(_ event: OutputEvents.Event) {
        counts.withLock { counts in
            switch event.kind {
            case .added: counts.outputs[event.scheme, default: 0] += 1
            case .broke: counts.outputBreaks[event.scheme, default: 0] += 1
            case .reopened: counts.outputReconnects[event.scheme, default: 0] += 1
            case .failed: counts.outputFailures[event.scheme, default: 0] += 1
            }
        }
    }

    private static let routes = Set(Route.all.map(\.operation.id) + [MetricCounter.otherRoute])
}
