import HTTP1
import SystemIO

/// What became of one request, for the log and the counters.
public struct ExchangeReport: Sendable {
    /// How the response ended.
    public enum Outcome: String, Sendable {
        /// It was sent whole.
        case complete
        /// The client left, or did not go on, before its end.
        case cut
        /// The server broke it off.
        case failed
    }

    /// Why a response is no good, in the handler's words: a stable code and a sentence.
    public struct Reason: Sendable, Equatable {
        public let code: String
        public let detail: String

        public init(code: String, detail: String) {
            self.code = code
            self.detail = detail
        }
    }

    /// nil for what was refused before it could be read.
    public let method: HTTPMethod?
    /// Without the query, which may hold secrets.
    public let path: String
    /// What the handler called it; nil for a request that has no place in the API.
    public let route: String?
    /// nil when the client was gone before there was a response.
    public let status: Int?
    public let outcome: Outcome
    /// Of a response that tells of a problem, or was broken off by one.
    public let reason: Reason?
    public let requestID: String
    public let traceParent: String?
    public let peer: SocketAddress?
    public let bodyBytesRead: UInt64
    public let bodyBytesSent: UInt64
    public let duration: Duration
    /// Before a thread took it up.
    public let queueWait: Duration
}

extension ExchangeReport {
    /// Of what never got to a handler.
    init(refused request: RequestHead?, _ response: Response, requestID: String, peer: SocketAddress?) {
        self.init(
            method: request?.method, path: request?.target.rawPath ?? "-", route: nil, status: response.status.code,
            outcome: .complete, reason: response.reason,
            requestID: requestID, traceParent: request?.field("traceparent"), peer: peer, bodyBytesRead: 0,
            bodyBytesSent: response.contentLength, duration: .zero, queueWait: .zero)
    }
}
