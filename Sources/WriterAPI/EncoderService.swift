import APICore
import HTTP1
import HTTPServer
import WriterModel

/// What one encoder process does: serves a writer, one encoding, or questions about libav.
protocol EncoderService: RequestHandler {
    /// Nothing is left to do: the gateway has been told how it ended.
    var isConcluded: Bool { get }
    /// What the gateway should know now; nil when that is nothing.
    var snapshot: WriterRecord? { get }
    /// Since the process began.
    var workDone: WorkDone { get }
    /// Ends uploads that are under way.
    func interruptUploads()
    /// Why the work is to be brought to its end now; nil when it is not.
    var overdue: EndReason? { get }
    /// Asked every second: why nothing comes of the work any more, once that is so.
    func stall() -> Problem?
    /// Gives the work up with this failure, without waiting for what does not come back.
    func abandon(_ problem: Problem)
    /// A thread is at what does not come back: the process ends without it.
    var isAbandoned: Bool { get }
    /// Brings the work to its end, for this reason. No request is being served.
    func end(because reason: EndReason)
}

/// What was taken from clients and made of it.
struct WorkDone: Sendable {
    var taken: Int64 = 0
    var encoded: Int64 = 0
    var bytesWritten: Int64 = 0
}

/// Why work ended that no request had ended; what `ended_by` says.
enum EndReason: String, Sendable {
    case shutdown
    case gatewayLost = "gateway_lost"
    case idleTimeout = "idle_timeout"
    case runTime = "run_time"
}

extension EncoderService {
    var overdue: EndReason? { nil }
    var isAbandoned: Bool { false }
    func stall() -> Problem? { nil }
    func abandon(_ problem: Problem) {}
    var workDone: WorkDone { WorkDone() }

    func response(to refusal: Refusal, requestID: String) -> Response { .refusal(refusal, requestID: requestID) }
}
