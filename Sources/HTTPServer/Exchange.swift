import HTTP1
import SystemIO
import Threading

/// One request and its answer. A handler uses it on its own thread until it returns, and
/// either answers once, hands the connection off, or lets it wait: then it goes on in another call,
/// on whatever thread, and no thread is held meanwhile.
public final class Exchange: @unchecked Sendable {
    // Unchecked: one thread at a time has it. It moves on with the wait that its handler left behind, which
    // begins when the handler has returned.
    public enum Failure: Error {
        /// The client is gone or does not read: nobody to answer any more.
        case clientGone
    }

    public let head: RequestHead
    public let body: RequestBody

    /// The first that is handled here since the connection came: whoever passed it on has seen its head.
    public let isFirst: Bool

    enum Outcome {
        case unanswered, keepAlive, close, handedOff
        /// Another process serves it, and this one keeps it open.
        case lent
        /// It goes on when the wait is over.
        case waiting
        /// The answer broke off, and only a reset tells the client.
        case abort
    }

    /// Stands in the answer, the log and, by the handler's doing, in a problem's body.
    public let requestID: String
    /// Whether the connection ends with the answer, whatever the client would like.
    public var endsConnection = false
    /// The handler's name for what was asked, for counting.
    public var route: String?

    private(set) var outcome = Outcome.unanswered
    private var status: HTTPStatus?
    private var bodyBytesSent: UInt64 = 0
    private let began = ContinuousClock.now
    private let queueWait: Duration
    private var streamReuses = false
    let claim: AnswerClaim
    let connection: Connection
    /// For whom the thread that is at it counts, and by which its connection is counted.
    package private(set) var clients: [WorkerPool.ClientKey]
    /// It has a thread of the few that are kept for such.
    let isOperational: Bool
    private var wait: ExchangeWait?
    private var whenOver: (@Sendable () -> Void)?
    private let configuration: HTTPServer.Configuration
    private let pool: WorkerPool
    private let isDraining: Bool
    /// May become true while the request is handled.
    private let isClosing: @Sendable () -> Bool

    init(
        head: RequestHead, headBytes: Int, connection: Connection,
        configuration: HTTPServer.Configuration, pool: WorkerPool, clients: [WorkerPool.ClientKey] = [],
        isOperational: Bool = false, isDraining: Bool = false, isClosing: @escaping @Sendable () -> Bool = { false },
        queueWait: Duration = .zero
    ) {
        self.clients = clients
        claim = AnswerClaim(connection.loan)
        self.isOperational = isOperational
        self.head = head
        self.connection = connection
        self.configuration = configuration
        self.pool = pool
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

    var atWork: InFlightRequests.Entry {
        .init(descriptor: connection.descriptor, head: head, requestID: requestID, claim: claim)
    }

    /// Its token, as a number that tells it from others, has been checked: what is held for the request
    /// counts for it.
    public func noteIdentified(as token: Int) { connection.tokenKey = token }

    /// How often the request has been passed from process to process to come here.
    public var passes: UInt8 { connection.passes }

    public var isAnswered: Bool { isAnswering || outcome == .handedOff || outcome == .lent }
    private var isAnswering = false

    /// Gives the connection away with this request still unread on it: `send` gets the
    /// descriptor (to pass a copy of) and the bytes that go with it. When it returns true the
    /// exchange is over for this process; when false the handler still has to answer.
    public func handOff(_ send: (_ descriptor: Int32, _ unread: [UInt8]) -> Bool) -> Bool {
        precondition(!body.hasBegun && !isAnswered, "a request that was begun can't be given away")
        guard claim.take() != nil else { return false }
        guard send(connection.descriptor, connection.inbound.bytes) else {
            claim.giveBack()
            connection.loan?.note(head.method == .head ? .askedForHead : .asked)
            return false
        }
        connection.loan = nil
        outcome = .handedOff
        return true
    }

    /// Lends the connection to another process with this request still unread on it, as `handOff` gives
    /// it away: it stays open here. Once `send` is called the connection may come back at any time.
    public func lend(_ send: (_ lent: LentConnection, _ unread: [UInt8]) -> Bool) -> Bool {
        precondition(!body.hasBegun && !isAnswered, "a request that was begun can't be given away")
        guard claim.take() != nil else { return false }
        guard send(LentConnection(connection), connection.inbound.bytes) else {
            claim.giveBack()
            return false
        }
        outcome = .lent
        return true
    }

    /// The loan under which this process has the connection, for handing it back.
    public var loan: Loan? { connection.loan }

    /// Runs something that lasts as long as the client or another request likes, and needs a thread. Other
    /// requests get one in this one's place, as far as `maxLentThreads` goes.
    public func blocking<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        try pool.blocking(for: clients, body)
    }

    // MARK: Waiting without a thread

    /// Goes on with `then`, on a thread of the pool, when what `subscribe` was given is called, at the
    /// deadline, or when the client leaves. The handler returns after this call and does nothing more.
    public func wait(
        until deadline: Deadline, for subscribe: @escaping @Sendable (_ wake: @escaping WakeList.Wake) -> CancelWake,
        then: @escaping @Sendable (Exchange, Wake) -> Void
    ) {
        wait(ExchangeWait(event: .signal(subscribe: subscribe), deadline: deadline, resume: then))
    }

    /// Goes on with `then` once the body is here, or as much of it as there will be: `body.collect` does not
    /// wait there any more. At once when it is here already; otherwise the handler returns and does
    /// nothing more.
    public func gatherBody(limit: Int, then: @escaping @Sendable (Exchange) -> Void) {
        gatherBody(limit: limit, until: .after(configuration.bodyTimeout), then: then)
    }

    private func gatherBody(limit: Int, until deadline: Deadline, then: @escaping @Sendable (Exchange) -> Void) {
        if body.gather(limit: limit) { return then(self) }
        wait(
            ExchangeWait(event: .bytes, deadline: deadline, heldBytes: body.gatheredBytes) { exchange, wake in
                if wake != .ready { exchange.body.giveUpGathering(wake == .timedOut ? .timedOut : .cut) }
                exchange.gatherBody(limit: limit, until: deadline, then: then)
            })
    }

    private func wait(_ wait: ExchangeWait) {
        self.wait = wait
        outcome = .waiting
    }

    /// It has got a thread that counts for nobody.
    func leaveShare() { clients = [] }

    /// What the handler has left behind, once.
    func takeWait() -> ExchangeWait? {
        guard outcome == .waiting else { return nil }
        defer { wait = nil }
        outcome = .unanswered
        return wait
    }

    /// Runs `body` when the request has ended, however it did: its answer is sent, or will never be.
    public func whenOver(_ body: @escaping @Sendable () -> Void) { whenOver = body }

    func noteOver() {
        whenOver?()
        whenOver = nil
    }

    // MARK: Answering

    /// Answers. A HEAD request gets the same head and no body. What there is no room for goes on when there
    /// is, without this thread.
    public func respond(_ response: Response) throws(Failure) {
        let owed = try beginAnswer()
        let reuses = mayReuse && canReachBodyEnd
        body.forgoContinue()
        let mayHaveBody = Self.mayHaveBody(response.status)
        let answer = mayHaveBody && head.method != .head ? response.body : .none
        let length = mayHaveBody ? response.contentLength : nil
        let source: Outbound.Source
        var small: [UInt8] = []
        switch answer {
        case .none: source = .none
        case .bytes(let bytes) where bytes.count <= Self.copiedBytes, .shared(let bytes) where bytes.count <= Self.copiedBytes:
            small = bytes
            source = .none
        case .bytes(let bytes): source = .bytes(bytes)
        case .shared(let bytes): source = .shared(bytes)
        case .file(let file, let range): source = .file(file, range)
        }
        bodyBytesSent = UInt64(small.count)
        let encoded = encodedHead(response.status, response.fields, reuses: reuses, length: length, followedBy: small)
        try send(owed.isEmpty ? encoded : owed + encoded, source, isChunked: false, reuses: reuses)
    }

    /// A body up to here is sent in one piece with its head.
    private static let copiedBytes = 16 * 1_024

    /// Answers with a body of unknown length, made while it is sent.
    public func respond(
        _ status: HTTPStatus, fields: [(name: String, value: String)], pieces: any PieceSource
    ) throws(Failure) {
        try respond(status, fields, .pieces(pieces))
    }

    /// Answers with a file that is being written, from its start until it ends. One that fails is cut: it
    /// does not end well.
    public func respond(
        _ status: HTTPStatus, fields: [(name: String, value: String)], following file: OpenFile,
        _ growth: any FileGrowth
    ) throws(Failure) {
        try respond(status, fields, .growing(file, growth))
    }

    private func respond(
        _ status: HTTPStatus, _ fields: [(name: String, value: String)], _ source: Outbound.Source
    ) throws(Failure) {
        let owed = try beginAnswer()
        let isChunked = head.version == .http11
        let reuses = isChunked && mayReuse && canReachBodyEnd
        body.forgoContinue()
        let encoded = encodedHead(status, fields, reuses: reuses, isChunked: isChunked)
        let hasBody = head.method != .head
        try send(owed + encoded, hasBody ? source : .none, isChunked: isChunked && hasBody, reuses: reuses)
    }

    /// What goes before the answer.
    private func beginAnswer() throws(Failure) -> [UInt8] {
        precondition(!isAnswered, "a request has one answer")
        body.begin()
        isAnswering = true
        outcome = .close
        guard let owed = claim.take() else { throw .clientGone }
        return owed
    }

    private func send(
        _ first: [UInt8], _ source: Outbound.Source, isChunked: Bool, reuses: Bool
    ) throws(Failure) {
        var hasMore = true
        if case .none = source { hasMore = isChunked }
        let progress = first.withUnsafeBytes {
            Socket.sendAvailable(connection.descriptor, $0, moreFollows: hasMore)
        }
        guard case .moved(let sent) = progress else { throw .clientGone }
        if sent == first.count && !hasMore { return finishAnswer(reuses: reuses) }
        let alreadyCounted = bodyBytesSent
        proceed(
            Outbound(
                pending: first, sent: sent, source: source, isChunked: isChunked,
                timeout: configuration.responseTimeout),
            reuses: reuses, counted: alreadyCounted)
    }

    /// Sends what there is room for, and waits without a thread where there is none.
    private func proceed(_ outbound: Outbound, reuses: Bool, counted: UInt64) {
        let step = outbound.advance(to: connection.descriptor)
        bodyBytesSent = counted + outbound.bodyBytesSent
        switch step {
        case .done: finishAnswer(reuses: reuses)
        case .noRoom:
            wait(
                ExchangeWait(event: .room, deadline: outbound.deadline, heldBytes: outbound.heldBytes) { exchange, wake in
                    if wake == .timedOut { return exchange.outcome = .abort }
                    exchange.proceed(outbound, reuses: reuses, counted: counted)
                })
        case .nothingYet(let version):
            wait(
                ExchangeWait(
                    event: .signal { outbound.whenChanged(since: version, $0) }, deadline: .never
                ) { exchange, wake in
                    if wake != .ready { return exchange.outcome = .abort }
                    exchange.proceed(outbound, reuses: reuses, counted: counted)
                })
        case .clientGone: outcome = .close
        case .broken:
            // Without chunks an early end looks like the end: what is cut must break.
            outcome = outbound.isChunked ? .close : .abort
        }
    }

    private func finishAnswer(reuses: Bool) {
        outcome = .close
        if reuses { discardBody(until: .after(configuration.closeTimeout)) }
    }

    /// Finds the next request behind what is left of the body.
    private func discardBody(until deadline: Deadline) {
        switch body.discardAvailable(limit: configuration.maxDiscardedBodyBytes) {
        case .all:
            outcome = .keepAlive
            connection.noteUnderWay()
        case .tooMuch: outcome = .close
        case .part:
            wait(
                ExchangeWait(event: .bytes, deadline: deadline) { exchange, wake in
                    if wake != .ready { return exchange.outcome = .close }
                    exchange.discardBody(until: deadline)
                })
        }
    }

    /// Begins an answer whose body another thread sends, while this one still reads the request's. Until
    /// the stream has started, another answer can be given instead. The client is told to go on with its
    /// body: what it waits for must not come after the answer has begun.
    public func openStream(_ status: HTTPStatus, fields: [(name: String, value: String)]) -> ResponseStream {
        precondition(!isAnswered, "a request has one answer")
        body.invite()
        body.begin()
        let isChunked = head.version == .http11
        streamReuses = isChunked && mayReuse
        return ResponseStream(
            descriptor: connection.descriptor, timeout: configuration.responseTimeout,
            head: encodedHead(status, fields, reuses: streamReuses, isChunked: isChunked),
            isChunked: isChunked, hasBody: head.method != .head, claim: claim)
    }

    /// No thread uses the stream any more.
    public func close(_ stream: ResponseStream) {
        guard stream.hasStarted else { return }
        isAnswering = true
        bodyBytesSent = stream.bytesSent
        // Without chunks an early end looks like the end: what is cut must break.
        outcome = stream.isFinished || stream.isChunked ? .close : .abort
        if streamReuses && stream.isFinished { discardBody(until: .after(configuration.closeTimeout)) }
    }

    private var mayReuse: Bool { !endsConnection && head.keepsAlive && !isDraining && !isClosing() }

    /// Whether the next request on the connection can be found behind this one's body.
    private var canReachBodyEnd: Bool { body.promisesEnd(limit: configuration.maxDiscardedBodyBytes) }

    private static func mayHaveBody(_ status: HTTPStatus) -> Bool {
        status.code >= 200 && status != .noContent && status != .notModified
    }

    private func encodedHead(
        _ status: HTTPStatus, _ fields: [(name: String, value: String)], reuses: Bool, length: UInt64? = nil,
        isChunked: Bool = false, followedBy body: [UInt8] = []
    ) -> [UInt8] {
        self.status = status
        var response = ResponseHead(status: status, capacity: 512 + body.count)
        response.add("Date", DateField.now)
        response.add(RequestID.field, requestID)
        for field in fields { response.add(field.name, field.value) }
        if let length { response.add("Content-Length", String(length)) }
        if isChunked { response.add("Transfer-Encoding", "chunked") }
        if !reuses {
            response.add("Connection", "close")
        } else if head.version == .http10 {
            response.add("Connection", "keep-alive")
        }
        return response.encoded(followedBy: body)
    }

    /// What became of the request; nil while there is no answer, or when it went elsewhere.
    var report: ExchangeReport? {
        if outcome == .handedOff || outcome == .lent { return nil }
        return ExchangeReport(
            method: head.method, path: head.target.rawPath, route: route, status: status?.code, requestID: requestID,
            traceParent: head.field("traceparent"), peer: connection.peer, bodyBytesRead: body.bytesRead,
            bodyBytesSent: bodyBytesSent, duration: ContinuousClock.now - began,
            queueWait: queueWait)
    }
}
