import HTTPServer
import Synchronization
import WriterModel

/// Counts what a process does, up to the next `take`.
public final class MetricCounter: Sendable {
    private let counts = Mutex(MetricCounts())

    public init() {}

    /// Of responses to what was no route.
    public static let otherRoute = "other"

    public func count(_ report: ExchangeReport) {
        let route = report.route ?? Self.otherRoute
        counts.withLock { counts in
            let outcome = ResponseOutcome(rawValue: report.outcome.rawValue) ?? .complete
            counts.answers[.init(route: route, status: report.statusToCount, outcome: outcome), default: 0].add(1)
            if let code = report.reason?.code {
                if report.isFailure { counts.failures[code, default: 0].add(1) }
                if report.outcome == .complete { counts.problems[code, default: 0].add(1) }
            }
            counts.durations[route, default: .init()].add(report.duration.inSeconds)
            counts.queueWaits.add(report.queueWait.inSeconds)
            counts.bodyBytesRead.add(Int64(clamping: report.bodyBytesRead))
            counts.bodyBytesSent.add(Int64(clamping: report.bodyBytesSent))
        }
    }

    /// Of an encoding that no response told of.
    public func countFailure(_ code: ProblemCode) { counts.withLock { $0.failures[code.rawValue, default: 0].add(1) } }

    public func add(_ other: MetricCounts) { counts.withLock { $0.add(other) } }

    /// Everything so far, which is kept.
    public var current: MetricCounts { counts.withLock { $0 } }

    /// Everything since the last call.
    public func take() -> MetricCounts {
        counts.withLock { counts in
            defer { counts = MetricCounts() }
            return counts
        }
    }
}

extension Duration {
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
