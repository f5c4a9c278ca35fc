import Logging
import WriterModel

/// One line for each writer that has ended: INFO for what went well, WARNING for what failed, ERROR where the server is
/// at fault.
public enum EndLog {
    /// `isKept`: its record is on disk.
    public static func write(_ end: WriterEnd, of writer: WriterID, isKept: Bool = true, to log: Logger) {
        log.log(level: end.level, "\(message(end))", metadata: fields(end, of: writer, isKept: isKept))
    }

    private static func message(_ end: WriterEnd) -> String {
        switch end.state {
        case .closed: "a writer closed"
        case .failed: end.cause == .restart && end.problem?.code == .internalError ? "a writer failed: its record is lost" : "a writer failed"
        case .deleted: "a writer was deleted"
        case .unmade: "a writer was not made"
        }
    }

    private static func fields(_ end: WriterEnd, of writer: WriterID, isKept: Bool) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "writer": "\(writer.key)", "state": "\(end.state.rawValue)", "ended_by": "\(end.cause.rawValue)",
        ]
        if let owner = writer.owner { fields["name"] = "\(owner)" }
        if let destination = end.destination { fields["dst"] = "\(URLText.redacted(destination: destination))" }
        if let bytes = end.bytes { fields["bytes"] = "\(bytes)" }
        if let duration = end.duration { fields["duration_s"] = "\(duration)" }
        if let digest = end.sha256 { fields["sha256"] = "\(digest)" }
        if !isKept { fields["record"] = "not written yet" }
        guard let problem = end.problem else { return fields }
        fields["code"] = "\(problem.code.rawValue)"
        fields["detail"] = "\(URLText.redacted(problem.detail))"
        if let error = problem.libavError { fields["libav_error"] = "\(URLText.redacted(error))" }
        if !problem.log.isEmpty { fields["log"] = .array(problem.log.map { "\(URLText.redacted($0))" }) }
        return fields
    }
}

extension WriterEnd {
    /// How grave it is.
    var level: Logger.Level {
        switch (state, problem?.code) {
        case (.closed, _), (.deleted, _): .info
        case (_, .internalError?), (_, .encoderCrashed?), (_, .encoderStalled?), (_, .outputDamaged?): .error
        case (.failed, _), (.unmade, _): .warning
        }
    }
}

extension Problem {
    /// Whether it is no fault of the request's that a writer was not made: its client alone would not look for why.
    public var isWorthLogging: Bool { code.status >= 500 && code != .overloaded && code != .serverStopped }
}
