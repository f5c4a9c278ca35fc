import HTTP1
import SystemIO
import Threading

/// One request and its response. A handler uses it on its own thread until it returns, and
/// either responds once, hands the connection off, or lets it wait: then it goes on in another call,
/// on whatever thread, and no thread is held meanwhile.
public final class Exchange: @unchecked Sendable {
    // Unchecked: one thread at a time has it. It moves on with the wait that its handler left behind, which
    // begins when the handler has returned.
    public enum Failure: Error {
        /// The client is gone or does not read: there is no client to respond to any more.
        case clientGone
    }

    public let head: RequestHead
    public let body: RequestBody

    /// The first that is handled here since the connection came: the process that passed it on has seen
    /// its head.
    public let isFirst: Bool

    enum Outcome {
        case unanswered, keepAlive, close, handedOff
        /// Another process serves it, and this one keeps it open.
        case lent
        /// It goes on when the wait is over.
        case waiting
        /// The response broke off, and only a reset tells the client.
        case abort
    }

    /// Stands in the response, the log and, by the handler's doing, in a problem's body.
    public let requestID: String
    /// Whether the connection ends with the response, whatever the client would like.
    public var endsConnection = false
    /// The handler's name for what was asked, for counting.
    public var route: String?

    var outcome = Outcome.unanswered
    /// How its response ended, as far as it is known.
    var responseOutcome = ExchangeReport.Outcome.complete
    var reason: ExchangeReport.Reason?
    /// Another thread has responded in the handler's stead, and reported that.
    var hasOtherResponse = false
    var status: HTTPStatus?
    var bodyBytesSent: UInt64 = 0
    /// Its response has begun.
    var isResponding = false
    private let began = ContinuousClock.now
    private let queueWait: Duration
    let claim: ResponseClaim
    let connection: Connection
    /// For whom the thread that is at it counts, and by which its connection is counted.
    package internal(set) var clients: [WorkerPool.ClientKey]
    /// It has a thread of the few that are kept for such.
    let isOperational: Bool
    /// What the handler has left behind.
    var pendingWait: ExchangeWait?
    var whenOverBody: (@Sendable () -> Void)?
    let configuration: HTTPServer.Configuration
    let pool: WorkerPool
    let waiting: WaitingExchanges
    let isDraining: Bool
    /// May become true while the request is handled.
    let isClosing: @Sendable () -> Bool

    init(
        head: RequestHead, headBytes: Int, connection: Connection,
        configuration: HTTPServer.Configuration, pool: WorkerPool, waiting: WaitingExchanges,
        clients: [WorkerPool.ClientKey], isOperational: Bool, isDraining: Bool,
        isClosing: @escaping @Sendable () -> Bool, queueWait: Duration
    ) {
        self.clients = clients
        claim = ResponseClaim(connection.loan)
        self.isOperational = isOperational
        self.head = head
        self.connection = connection
        self.configuration = configuration
        self.pool = pool
        self.waiting = waiting
        self.isDraining = isDraining
        self.isClosing = isClosing
        self.queueWait = queueWait
        requestID = RequestID.of(head)
        isFirst = !connection.hasServed
        connection.hasServed = true
        let expectsContinue = head.expectsContinue && head.framing != .none
        body = RequestBody(
            framing: head.framing, connection: connection, timeout: configuration.bodyTimeout,
            limits: configuration.limits,
            headBytes: headBytes,
            sendContinue: expectsContinue ? { [claim] in claim.sendContinue(to: connection.descriptor) } : nil)
    }

    public var peer: SocketAddress? { connection.peer }

    /// Its token, as a number that tells it from others, has been checked: what is held for the request
    /// counts for it.
    public func noteIdentified(as token: Int) { connection.tokenKey = token }

    /// How often the request has been passed from process to process to come here.
    public var passes: UInt8 { connection.passes }

    public var hasResponded: Bool { isResponding || outcome == .handedOff || outcome == .lent }

    /// Runs something that lasts as long as the client or another request likes, and needs a thread. Other
    /// requests get one in this one's place, as far as `maxLentThreads` goes.
    public func blocking<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        try pool.blocking(for: clients, body)
    }

    /// What became of the request; nil while there is no response, or when it went elsewhere.
    var report: ExchangeReport? {
        if outcome == .handedOff || outcome == .lent || hasOtherResponse { return nil }
        return ExchangeReport(
            method: head.method, path: head.target.rawPath, route: route, status: status?.code,
            outcome: status == nil ? .cut : responseOutcome, reason: reason, requestID: requestID,
            traceParent: head.field("traceparent"), peer: connection.peer, bodyBytesRead: body.bytesRead,
            bodyBytesSent: bodyBytesSent, duration: ContinuousClock.now - began,
            queueWait: queueWait)
    }
}
