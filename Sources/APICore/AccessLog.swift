import HTTPServer
import Logging

/// One line a request.
public enum AccessLog {
    /// What a server calls for each request: counts it, and logs it if that is wanted.
    public static func counting(
        _ metrics: MetricCounter, to log: Logger, isEnabled: @escaping @Sendable () -> Bool
    ) -> @Sendable (ExchangeReport) -> Void {
        { @Sendable report in
            metrics.count(report)
            if isEnabled() { write(report, to: log) }
        }
    }

    private static func write(_ report: ExchangeReport, to log: Logger) {
        var metadata: Logger.Metadata = [
            "request_id": "\(report.requestID)",
            "bytes_in": "\(report.bodyBytesRead)",
            "bytes_out": "\(report.bodyBytesSent)",
            "ms": "\(milliseconds(report.duration))",
        ]
        if let peer = report.peer { metadata["peer"] = "\(peer)" }
        if let trace = report.traceParent { metadata["traceparent"] = "\(trace)" }
        let status = report.status.map(String.init) ?? "-"
        log.info("\(report.method?.rawValue ?? "-") \(report.path) \(status)", metadata: metadata)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        let fraction = String(microseconds % 1_000)
        return "\(microseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
