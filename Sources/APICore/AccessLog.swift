import HTTPServer
import Logging
import WriterModel

/// One line a request.
public enum AccessLog {
    /// What a server calls for each request: counts it, and logs it if that is wanted. A response that the server had
    /// to break off is logged in any case.
    public static func counting(
        _ metrics: MetricCounter, to log: Logger, isEnabled: @escaping @Sendable () -> Bool
    ) -> @Sendable (ExchangeReport) -> Void {
        { @Sendable report in
            metrics.count(report)
            if isEnabled() || report.isFailure { write(report, to: log) }
        }
    }

    private static func write(_ report: ExchangeReport, to log: Logger) {
        var fields: Logger.Metadata = [
            "method": "\(report.method?.rawValue ?? "-")",
            "path": "\(report.path)",
            "status": "\(report.statusToCount)",
            "outcome": "\(report.outcome.rawValue)",
            "request_id": "\(report.requestID)",
            "bytes_in": "\(report.bodyBytesRead)",
            "bytes_out": "\(report.bodyBytesSent)",
            "duration_ms": "\(milliseconds(report.duration))",
        ]
        if let route = report.route { fields["route"] = "\(route)" }
        if let peer = report.peer { fields["peer"] = "\(peer)" }
        if let trace = report.traceParent { fields["traceparent"] = "\(trace)" }
        if let reason = report.reason {
            fields["code"] = "\(reason.code)"
            if report.outcome != .complete { fields["detail"] = "\(reason.detail)" }
        }
        let line: Logger.Message = "\(report.method?.rawValue ?? "-") \(report.path) \(report.statusToCount)"
        log.log(level: report.isFailure ? .warning : .info, line, metadata: fields)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        let fraction = String(microseconds % 1_000)
        return "\(microseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

extension ExchangeReport {
    /// nginx's, of a client that left before there was a response.
    private static let clientLeft = 499

    var statusToCount: Int { status ?? Self.clientLeft }

    /// The server broke the response off, for a reason of the request's own. (One that follows a writer's output ends
    /// with the writer, whose end says why.)
    var isFailure: Bool { outcome == .failed && reason != nil }
}
