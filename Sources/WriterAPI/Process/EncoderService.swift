import APICore
import HTTP1
import HTTPServer
import StreamWriter
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
    /// No request has come for too long: the work is to be brought to its end.
    var isIdleTooLong: Bool { get }
    /// Why the work can't go on, of which no request has been told: it is to be ended with `fail`.
    var unnoticedFailure: Problem? { get }
    /// Ends the work with this failure, once what is under way has come back.
    func fail(_ problem: Problem)
    /// Of libav, that have begun and not come back yet.
    var callsUnderWay: [CallUnderWay] { get }
    /// Gives the work up with this failure, without waiting for what does not come back.
    func failWithoutWaiting(_ problem: Problem)
    /// A thread is at what does not come back: the process ends without it.
    var isAbandoned: Bool { get }
    /// Brings the work to its end, for this reason. No request is being served.
    func end(because reason: EndReason)
}

/// What was taken from clients and made of it.
package struct WorkDone: Sendable {
    package var taken: Int64 = 0
    package var encoded: Int64 = 0
    package var bytesWritten: Int64 = 0
    package var tallies: [MetricCounts.Tally: Int64] = [:]

    package init(taken: Int64 = 0, encoded: Int64 = 0, bytesWritten: Int64 = 0, tallies: [MetricCounts.Tally: Int64] = [:]) {
        self.taken = taken
        self.encoded = encoded
        self.bytesWritten = bytesWritten
        self.tallies = tallies
    }

    /// What a stream has done.
    mutating func add(_ progress: StreamProgress, of kind: StreamDescription.Kind, chunksLate: Int64 = 0) {
        taken += progress.frames
        encoded += progress.framesEncoded
        let isAudio = kind == .audio
        tallies[isAudio ? .audioBytesReceived : .videoBytesReceived, default: 0] += progress.offset
        tallies[isAudio ? .audioBytesEncoded : .videoBytesEncoded, default: 0] += progress.bytesEncoded
        tallies[isAudio ? .audioChunksLate : .videoChunksLate, default: 0] += chunksLate
        tallies[isAudio ? .audioFramesDroppedLate : .videoFramesDroppedLate, default: 0] += progress.framesDroppedLate
    }
}

/// Why work ended that no request had ended; what `ended_by` says.
package enum EndReason: String, Sendable {
    case shutdown
    case gatewayLost = "gateway_lost"
    case idleTimeout = "idle_timeout"
    case runTime = "run_time"
}

extension EncoderService {
    var isIdleTooLong: Bool { false }
    var unnoticedFailure: Problem? { nil }
    func fail(_ problem: Problem) {}
    var callsUnderWay: [CallUnderWay] { [] }
    var isAbandoned: Bool { false }
    func failWithoutWaiting(_ problem: Problem) {}
    var workDone: WorkDone { WorkDone() }

    func response(to refusal: Refusal, requestID: String) -> Response { .refusal(refusal, requestID: requestID) }
}
