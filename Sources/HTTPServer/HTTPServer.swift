import HTTP1
import Logging
import SystemIO
import Synchronization
import Threading

/// HTTP/1.1 on sockets: one event loop holds connections that are idle, that read a head or that wait in
/// the middle of an exchange; a bounded pool of threads runs handlers.
public final class HTTPServer: Sendable {
    /// The most that is read of a connection beyond a request's head and not used yet.
    public static let mostUnreadBesideHead = 4 * Connection.readCapacity

    let configuration: Configuration
    /// From `start` on.
    private let startedHandler = Mutex<(any RequestHandler)?>(nil)
    let pool: WorkerPool
    /// Their queues have room for every connection: their requests are short. No address has all threads.
    let operations = WorkerPool(maxThreads: 4, maxQueued: .max)
    let healthChecks = WorkerPool(maxThreads: 4, maxQueued: .max)
    let parking: IdleConnections
    let waiting: WaitingExchanges
    private let memory: HeldMemory
    private let draining = Atomic(false)
    private let closing = Atomic(false)
    /// The handler threads that wait for their clients' next requests.
    let lingering = InterruptibleWaits()
    private let open = Monitor(OpenConnections())
    let atWork = InFlightRequests()

    /// `start` it before the first connection comes. Handlers can have the server, so it is made before them.
    public init(configuration: Configuration, loop: EventLoop, log: Logger) throws(SystemError) {
        self.configuration = configuration
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

    /// From here on requests are handled, by `handler`. Once.
    public func start(handler: any RequestHandler) {
        startedHandler.withLock { started in
            precondition(started == nil, "a server is started once")
            started = handler
        }
    }

    var handler: any RequestHandler {
        guard let handler = startedHandler.withLock({ $0 }) else {
            preconditionFailure("a server is started before its first connection")
        }
        return handler
    }

    private func expireWaiting() { waiting.expire(patience: isClosing ? configuration.closingPatience : nil) }

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

    /// Serves a connection whose requests have been sent, on the calling thread, until it ends: for a process that has no
    /// other one, and no loop that runs.
    package func serveHere(_ descriptor: consuming Descriptor) {
        let connection = Connection(owning: descriptor.take())
        _ = open.change { $0.add(nil) }
        beginHere(connection)
    }

    /// No further request is begun on idle connections: they go to `takeIdle`, as do those
    /// at work when they are done. `closing`: no process serves them further, and responses say so.
    public func drain(closing: Bool = false) {
        if closing { self.closing.store(true, ordering: .sequentiallyConsistent) }
        draining.store(true, ordering: .sequentiallyConsistent)
        lingering.interrupt()
        parking.drain()
        if closing { waiting.endThoseOfServer() }
    }

    var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }
    var isClosing: Bool { closing.load(ordering: .sequentiallyConsistent) }

    /// Ends this server's part in a connection. The last one closes it.
    func close(_ connection: Connection) {
        connection.close()
        noteGone(connection)
    }

    /// It breaks: what was sent is not whole.
    func abort(_ connection: Connection) {
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
}
