import HTTP1
import Logging
import SystemIO
import Synchronization
import Threading

/// Answers requests. `handle` runs on a handler thread and may block on what this process does, never on
/// what a client does or leaves undone; the others must not block.
public protocol RequestHandler: Sendable {
    /// Answers the exchange once, hands its connection off, or lets it wait.
    func handle(_ exchange: Exchange)
    /// Whose threads it gets. Called on the loop's thread.
    func kind(of head: RequestHead) -> RequestKind
    /// The answer to what never gets to `handle`; `requestID` names it there and in the log.
    func response(to refusal: Refusal, requestID: String) -> Response
    /// Takes an idle connection when the server drains; by default it is closed.
    func takeIdle(_ connection: consuming DetachedConnection)
}

extension RequestHandler {
    public func kind(of head: RequestHead) -> RequestKind { .ordinary }
    public func takeIdle(_ connection: consuming DetachedConnection) {}
}

/// Each kind has threads of its own. Those of the latter two are few: for what is quickly answered, however
/// busy the server is.
public enum RequestKind: Sendable {
    case ordinary
    /// How the server is.
    case operational
    /// Whether the server is: asked by those who restart it.
    case healthCheck
}

/// HTTP/1.1 on sockets: one event loop holds connections that are idle, that read a head or that wait in
/// the middle of an exchange; a bounded pool of threads runs handlers.
public final class HTTPServer: Sendable {
    public struct Configuration: Sendable {
        public var limits = HTTPLimits()
        public var maxConnections = 10_000
        /// Of one client address; 0 for no such limit.
        public var maxConnectionsPerAddress = 0
        public var handlerThreads = 32
        /// Requests that wait for a thread.
        public var maxQueuedRequests = 1_024
        /// Threads beside those, for uploads and whatever else lasts as long as the client likes.
        public var maxLentThreads = 256
        /// Memory that waits for clients to take it, or for the rest of their heads and bodies. Beyond, some
        /// of the client that holds most are given up.
        public var maxHeldBytes = 64 * 1_024 * 1_024
        /// Pages of the heap that a peak of such memory has left go back to the system.
        public var trimsHeap = false
        /// When the server closes: how long a client may take before it goes on reading or sending.
        public var closingPatience = Duration.seconds(2)
        /// Connections beyond `maxConnections` that are still told so; others are just closed.
        public var maxRefusedConnections = 256
        /// The same of one address beyond `maxConnectionsPerAddress`.
        public var maxRefusedPerAddress = 16
        /// A connection without a request.
        public var idleTimeout = Duration.seconds(75)
        /// From a request's first byte to its head's end.
        public var headTimeout = Duration.seconds(15)
        /// Between two reads of a body.
        public var bodyTimeout = Duration.seconds(60)
        /// Between two writes of a response.
        public var responseTimeout = Duration.seconds(60)
        /// How long a handler thread stays with a connection for its next request.
        public var lingerTime = Duration.milliseconds(50)
        /// A body nobody wanted is read away up to here; beyond, the connection is closed.
        public var maxDiscardedBodyBytes = 256 * 1_024
        /// After an answer that ends the connection: how long the client's next bytes are
        /// awaited, so that it sees the answer and not a reset. Also for a body nobody wanted.
        public var closeTimeout = Duration.seconds(2)
        /// The same, in all, for a client that goes on sending.
        public var maxCloseTime = Duration.seconds(30)
        /// A connection that is accepted after `drain` still has one request answered.
        public var answersWhileDraining = false
        /// How long such a one may take over its request's head.
        public var lateHeadTimeout = Duration.seconds(1)
        /// Hears of every request that was answered here, on the thread that answered it.
        public var onAnswered: (@Sendable (ExchangeReport) -> Void)?

        public init() {}
    }

    /// The most that is read of a connection beyond a request's head and not used yet.
    public static let mostUnreadBesideHead = 4 * Connection.readCapacity

    let configuration: Configuration
    private let handler: any RequestHandler
    private let pool: WorkerPool
    /// Their queues have room for every connection: their requests are short. No address has all threads.
    private let operations = WorkerPool(maxThreads: 4, maxQueued: .max)
    private let healthChecks = WorkerPool(maxThreads: 4, maxQueued: .max)
    private let parking: IdleConnections
    private let waiting: WaitingExchanges
    private let memory: HeldMemory
    private let draining = Atomic(false)
    private let closing = Atomic(false)
    /// The handler threads that wait for their clients' next requests.
    private let lingering = InterruptibleWaits()
    private let open = Monitor(OpenConnections())
    private let atWork = InFlightRequests()

    public init(
        configuration: Configuration, loop: EventLoop, handler: any RequestHandler, log: Logger
    ) throws(SystemError) {
        self.configuration = configuration
        self.handler = handler
        pool = WorkerPool(
            maxThreads: configuration.handlerThreads, maxQueued: configuration.maxQueuedRequests,
            maxLent: configuration.maxLentThreads)
        memory = HeldMemory(limit: configuration.maxHeldBytes)
        parking = IdleConnections(loop: loop, configuration: configuration, memory: memory, log: log)
        waiting = WaitingExchanges(loop: loop, memory: memory, log: log)
        parking.serve(self)
        loop.everySecond { [parking] in parking.expire() }
        loop.everySecond { [weak self] in self?.expireWaiting() }
        if configuration.trimsHeap { loop.everySecond { [memory] in memory.trimHeapAfterPeak() } }
    }

    /// Connections that are open here, idle or at work.
    public var connectionCount: Int { open.withLock { $0.total } }

    /// Requests that wait without a thread, and the memory that is held for them.
    public var waitingCount: Int { waiting.count }
    public var heldBytes: Int { memory.total }

    /// Waits until no connection is open here; false when the deadline passed first.
    public func awaitEmpty(until deadline: Deadline) -> Bool {
        open.wait(until: deadline) { $0.total == 0 ? true : nil } ?? false
    }

    /// Takes over a connection, with bytes already read from it. From any thread. `isNew`: no request
    /// of it has been answered yet. `passes`: how often its next request has been passed between processes.
    /// `loan`: the process that passed it keeps a copy of it.
    public func adopt(
        _ descriptor: consuming Descriptor, unread: [UInt8] = [], isNew: Bool = false, passes: UInt8 = 0,
        loan: Loan? = nil
    ) {
        let connection = Connection(owning: descriptor.take(), unread: unread)
        connection.passes = passes
        connection.loan = loan
        connection.isLate = isNew && configuration.answersWhileDraining && isDraining
        let address = configuration.maxConnectionsPerAddress > 0 ? connection.peer?.host : nil
        let (total, ofAddress) = open.change { $0.add(address) }
        let excess = total - configuration.maxConnections
        let excessOfAddress = address == nil ? 0 : ofAddress - configuration.maxConnectionsPerAddress
        if excess > configuration.maxRefusedConnections || excessOfAddress > configuration.maxRefusedPerAddress {
            // To tell them all would itself take up every place.
            close(connection)
        } else if excessOfAddress > 0 {
            refuse(connection, .crowdedAddress)
        } else if excess > 0 {
            refuse(connection, .overload)
        } else {
            parking.park(connection)
        }
    }

    /// No further request is begun on idle connections: they go to `takeIdle`, as do those
    /// at work when they are done. `closing`: nobody serves them further, and answers say so.
    public func drain(closing: Bool = false) {
        if closing { self.closing.store(true, ordering: .sequentiallyConsistent) }
        draining.store(true, ordering: .sequentiallyConsistent)
        lingering.interrupt()
        parking.drain()
    }

    var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }
    var isClosing: Bool { closing.load(ordering: .sequentiallyConsistent) }

    /// Ends this server's part in a connection. The last one closes it.
    func close(_ connection: Connection) {
        connection.close()
        noteGone(connection)
    }

    /// It breaks: what was sent is not whole.
    private func abort(_ connection: Connection) {
        Socket.resetOnClose(connection.descriptor)
        connection.endLoan(.broken)
        close(connection)
    }

    func park(_ connection: Connection) { parking.park(connection) }

    func surrenderIdle(_ connection: Connection) {
        handler.takeIdle(connection.surrender())
        noteGone(connection)
    }

    private func noteGone(_ connection: Connection) {
        let address = configuration.maxConnectionsPerAddress > 0 ? connection.peer?.host : nil
        open.change { $0.remove(address) }
    }

    /// A head has arrived: hands the connection to a thread. From any thread.
    func dispatch(_ connection: Connection, _ head: RequestHead, headBytes: Int) {
        let queued = ContinuousClock.now
        let kind = handler.kind(of: head)
        let job: WorkerPool.Job = { [self] in
            let exchange = begin(
                connection, head, headBytes: headBytes, isOperational: kind != .ordinary,
                queueWait: ContinuousClock.now - queued)
            handler.handle(exchange)
            goOn(exchange)
        }
        let address = connection.addressKey.map { [WorkerPool.ClientKey.address($0)] } ?? []
        let accepted = switch kind {
        case .ordinary: pool.submit(for: clients(of: connection, head), job)
        case .operational: operations.submit(for: address, job)
        case .healthCheck: healthChecks.submit(for: address, job)
        }
        if !accepted { refuse(connection, .overload, head) }
    }

    /// Its address, and what it says it may do: neither has all threads.
    private func clients(of connection: Connection, _ head: RequestHead) -> [WorkerPool.ClientKey] {
        var clients: [WorkerPool.ClientKey] = []
        if let address = connection.addressKey { clients.append(.address(address)) }
        if let credential = head.credentialHash { clients.append(.credential(credential)) }
        return clients
    }

    func refuseForLackOfMemory(_ connection: Connection) { refuse(connection, .overload) }

    func refuseSlow(_ connection: Connection) { refuse(connection, .slowHead) }

    func refuseMalformed(_ connection: Connection, _ error: HTTPParseError) {
        refuse(connection, .malformed(error))
    }

    /// Answers every request that has no answer yet in its handler's stead, which then can't any more.
    /// For a process that is about to end with handlers that don't come back: waits up to `time` for
    /// clients to take it.
    public func answerAll(within time: Duration, _ response: (_ requestID: String) -> Response) {
        atWork.answer { entry in
            let response = response(entry.requestID)
            configuration.onAnswered?(
                ExchangeReport(
                    refused: entry.head, response, requestID: entry.requestID, peer: Socket.peer(of: entry.descriptor)))
            return Self.closing(response, to: entry.head, requestID: entry.requestID)
        }
        atWork.readAway(until: .after(time))
    }

    /// Answers without a request and closes. The answer is small and the send buffer empty,
    /// so this does not block.
    private func refuse(_ connection: Connection, _ refusal: Refusal, _ request: RequestHead? = nil) {
        let requestID = RequestID.of(request)
        refuse(connection, handler.response(to: refusal, requestID: requestID), request, requestID: requestID)
    }

    func refuse(_ connection: Connection, _ response: Response, _ request: RequestHead? = nil, requestID: String) {
        connection.loan?.note(.answering)
        let bytes = Self.closing(response, to: request, requestID: requestID)
        _ = bytes.withUnsafeBytes { Socket.sendAll(connection.descriptor, $0, timeout: .zero) }
        configuration.onAnswered?(
            ExchangeReport(refused: request, response, requestID: requestID, peer: connection.peer))
        parking.lingerAndClose(connection)
    }

    /// The bytes of an answer after which the connection is closed.
    private static func closing(_ response: Response, to request: RequestHead?, requestID: String) -> [UInt8] {
        var head = ResponseHead(status: response.status)
        head.add("Date", DateField.now)
        head.add(RequestID.field, requestID)
        for field in response.fields { head.add(field.name, field.value) }
        head.add("Content-Length", String(response.contentLength))
        head.add("Connection", "close")
        guard request?.method != .head, let body = response.body.bytes else { return head.encoded() }
        return head.encoded(followedBy: body)
    }

    private func begin(
        _ connection: Connection, _ head: RequestHead, headBytes: Int, isOperational: Bool = false,
        queueWait: Duration = .zero
    ) -> Exchange {
        let exchange = Exchange(
            head: head, headBytes: headBytes, connection: connection, configuration: configuration, pool: pool,
            clients: clients(of: connection, head), isOperational: isOperational, isDraining: isDraining,
            isClosing: { self.isClosing }, queueWait: queueWait)
        connection.tokenKey = nil
        connection.loan?.note(head.method == .head ? .askedForHead : .asked)
        atWork.add(exchange.atWork)
        return exchange
    }

    /// Serves requests of one connection on this thread, from one whose handler has returned, until the
    /// connection ends, waits too long for its next request, or leaves; or until a request waits.
    private func goOn(_ first: Exchange) {
        var exchange = first
        while true {
            if let wait = exchange.takeWait() { return hold(exchange, wait) }
            guard let next = conclude(exchange) else { return }
            exchange = next
            handler.handle(exchange)
        }
    }

    /// From here on the exchange is nobody's until its wait is over.
    private func hold(_ exchange: Exchange, _ wait: ExchangeWait) {
        waiting.add(wait, on: exchange.connection) { [self] wake in
            // A turn of its own, and a short one: it goes past what waits for a share.
            _ = pool.submit(always: true) { [self] in
                exchange.leaveShare()
                wait.resume(exchange, wake)
                goOn(exchange)
            }
        }
    }

    private func expireWaiting() { waiting.expire(patience: isClosing ? configuration.closingPatience : nil) }

    /// After a request: the next one on its connection, if it is there or comes soon.
    private func conclude(_ exchange: Exchange) -> Exchange? {
        let connection = exchange.connection
        atWork.remove(connection.descriptor, exchange.claim)
        exchange.noteOver()
        if let onAnswered = configuration.onAnswered, let report = exchange.report { onAnswered(report) }
        switch exchange.outcome {
        case .handedOff: close(connection)
        case .close, .unanswered, .waiting: parking.lingerAndClose(connection)
        // It may have come back already.
        case .lent: break
        case .abort: abort(connection)
        case .keepAlive:
            connection.passes = 0
            // The few threads are not for what comes behind.
            if exchange.isOperational {
                parking.park(connection)
                return nil
            }
            guard let next = awaitNext(connection, for: exchange.clients) else { return nil }
            if clients(of: connection, next.head) == exchange.clients {
                return begin(connection, next.head, headBytes: next.bytes)
            }
            // The thread counts for another client.
            dispatch(connection, next.head, headBytes: next.bytes)
        }
        return nil
    }

    /// The connection's next request, if it comes soon and nobody waits for this thread.
    /// Otherwise the connection has been parked, refused or closed.
    private func awaitNext(_ connection: Connection, for clients: [WorkerPool.ClientKey]) -> (head: RequestHead, bytes: Int)? {
        var hasWaited = false
        while !pool.isThreadWanted(from: clients) {
            switch connection.parseHead(configuration.limits) {
            case .head(let head, let bytes): return (head, bytes)
            case .refused(let error):
                refuseMalformed(connection, error)
                return nil
            case .needsMore: break
            }
            // A head that comes in pieces is the loop's to wait for.
            guard !hasWaited, let (progress, mayGoOn) = linger(connection, for: clients), let progress else { break }
            guard case .moved = progress else {
                close(connection)
                return nil
            }
            if !mayGoOn { break }
            hasWaited = true
        }
        parking.park(connection)
        return nil
    }

    private func linger(
        _ connection: Connection, for clients: [WorkerPool.ClientKey]
    ) -> (progress: SocketProgress?, mayGoOn: Bool)? {
        pool.lingering(for: clients) { lingering.wait { connection.receive(within: configuration.lingerTime) } }
            .map { ($0.result, $0.mayGoOn) }
    }
}
