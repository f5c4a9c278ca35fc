import Logging
import WriterModel

/// A line for each output of a writer that breaks, is opened again or fails, as the writer may go on without it.
enum OutputLog {
    static func write(_ event: OutputEvents.Event, of writer: WriterID, to log: Logger) {
        let destination = event.destination.map { URLText.redacted(destination: $0) } ?? ""
        let detail = URLText.redacted(event.detail ?? "")
        switch event.kind {
        case .added: break
        case .broke:
            log.warning(
                "an output broke and is opened again",
                metadata: ["writer": "\(writer.key)", "output": "\(event.output)", "dst": "\(destination)", "code": "\(event.code ?? "")", "detail": "\(detail)"])
        case .reopened:
            log.notice(
                "an output was opened again",
                metadata: ["writer": "\(writer.key)", "output": "\(event.output)", "dst": "\(destination)", "attempts": "\(event.attempts)"])
        case .failed:
            log.warning(
                "an output failed",
                metadata: ["writer": "\(writer.key)", "output": "\(event.output)", "dst": "\(destination)", "code": "\(event.code ?? "")", "detail": "\(detail)"])
        }
    }
}
