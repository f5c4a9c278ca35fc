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
        /// Of writers that were made, by where they write to: see `outputSchemes`.
        var outputs: [String: Int64] = [:]
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

    /// Of a writer that is made.
    func countOutput(of link: EncoderLink) {
        let scheme: String
        switch link.claim?.outputs.first {
        case .managed: scheme = Self.managed
        case .file, .folder: scheme = Self.file
        case .nothing, .several, nil: scheme = Self.scheme(of: link.snapshot?.resource["dst"]?.stringValue)
        }
        counts.withLock { $0.outputs[scheme, default: 0] += 1 }
    }

    private static func scheme(of destination: String?) -> String {
        guard let destination else { return none }
        guard let scheme = URLParts(destination)?.scheme else { return device }
        return URLScheme.named(scheme) == nil ? other : scheme
    }

    private static let (managed, file, device, none, other) = ("managed", "file", "device", "none", "other")
    /// All that are told apart.
    static let outputSchemes = [managed, file, device, none, other] + URLScheme.names

    private static let routes = Set(Route.all.map(\.operation.id) + [MetricCounter.otherRoute])
}
