import HTTP1
import Logging
import Synchronization
import SystemIO
import Threading

/// The connections that no handler thread has: idle, part-way through a head, or being read
/// away before they close. All state belongs to the event loop.
final class IdleConnections: @unchecked Sendable {
    // Unchecked: `parked`, `scratch` and `isDraining` are touched on the loop only.
    private enum Phase {
        case idle, readingHead, closing
    }

    private struct Parked {
        let connection: Connection
        var phase: Phase
        var deadline: Deadline
        /// However busy it is, it goes then.
        var lastDeadline = Deadline.never
        let token: EventLoop.Token
        /// For the part of a head that is here.
        var held: HeldMemory.Ticket?
    }

    private struct Owner {
        weak var server: HTTPServer?
    }

    private let loop: EventLoop
    private let configuration: HTTPServer.Configuration
    private let memory: HeldMemory
    private let log: Logger
    private var parked: [ObjectIdentifier: Parked] = [:]
    private var isDraining = false
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Connection.readCapacity, alignment: 16)
    private let owner = Mutex(Owner())

    init(loop: EventLoop, configuration: HTTPServer.Configuration, memory: HeldMemory, log: Logger) {
        self.loop = loop
        self.memory = memory
        self.configuration = configuration
        self.log = log
    }

    deinit { scratch.deallocate() }

    /// The server that these connections belong to. It holds the parking, not the other way round.
    func serve(_ server: HTTPServer) { owner.withLock { $0.server = server } }

    /// nil once the server is gone: its connections end with it.
    private var server: HTTPServer? { owner.withLock { $0.server } }

    /// Holds a connection until its next request's head is there. From any thread.
    func park(_ connection: Connection) {
        loop.post { self.parkOnLoop(connection) }
    }

    /// Reads a connection away until its client is done, then closes it. From any thread.
    func lingerAndClose(_ connection: Connection) {
        Socket.shutDownWriting(connection.descriptor)
        loop.post {
            connection.inbound = InboundBuffer()
            let key = ObjectIdentifier(connection)
            self.hold(connection, .closing, self.configuration.closeTimeout)
            self.parked[key]?.lastDeadline = .after(self.configuration.maxCloseTime)
        }
    }

    func drain() {
        loop.post {
            self.isDraining = true
            for entry in self.parked.values where entry.phase != .closing {
                self.release(entry)
                self.server?.surrenderIdle(entry.connection)
            }
        }
    }

    /// Ends what has waited too long.
    func expire() {
        loop.preconditionOnLoop()
        for entry in parked.values where entry.deadline.hasPassed || entry.lastDeadline.hasPassed {
            release(entry)
            if entry.phase == .readingHead {
                server?.refuseSlow(entry.connection)
            } else {
                server?.close(entry.connection)
            }
        }
    }

    private func parkOnLoop(_ connection: Connection) {
        loop.preconditionOnLoop()
        // What was read with the request before may hold the next one.
        if !proceed(connection) { return }
        if connection.isLate { return hold(connection, .readingHead, configuration.lateHeadTimeout) }
        if isDraining {
            server?.surrenderIdle(connection)
            return
        }
        let isIdle = connection.inbound.isEmpty
        connection.noteUnderWay()
        connection.inbound.compact()
        hold(
            connection, isIdle ? .idle : .readingHead,
            isIdle ? configuration.idleTimeout : configuration.headTimeout)
    }

    /// Passes the connection on if a whole head (or nonsense) is there; true if it stays.
    private func proceed(_ connection: Connection) -> Bool {
        switch connection.parseHead(configuration.limits) {
        case .needsMore: return true
        case .head(let head, let headBytes): server?.dispatch(connection, head, headBytes: headBytes)
        case .refused(let error): server?.refuseMalformed(connection, error)
        }
        return false
    }

    private func hold(_ connection: Connection, _ phase: Phase, _ timeout: Duration) {
        loop.preconditionOnLoop()
        let key = ObjectIdentifier(connection)
        do {
            let token = try loop.watch(connection.descriptor) { self.becameReadable(key) }
            // It is given up on the loop, and so after this.
            let held = memory.hold(connection.inbound.count, for: connection.holder) { [weak self, loop] in
                loop.post { [weak self] in self?.giveUp(key, token) }
            }
            parked[key] = Parked(
                connection: connection, phase: phase, deadline: .after(timeout), token: token, held: held)
        } catch {
            log.error("a connection can't be watched", metadata: ["error": "\(error)"])
            server?.close(connection)
        }
    }

    /// Too much memory is held: unless its head has come meanwhile, the client is told so.
    private func giveUp(_ key: ObjectIdentifier, _ token: EventLoop.Token) {
        guard let entry = parked[key], entry.token == token else { return }
        release(entry)
        server?.refuseForLackOfMemory(entry.connection)
    }

    private func release(_ entry: Parked) {
        loop.preconditionOnLoop()
        memory.release(entry.held)
        parked[ObjectIdentifier(entry.connection)] = nil
        loop.unwatch(entry.connection.descriptor, entry.token)
    }

    private func becameReadable(_ key: ObjectIdentifier) {
        guard let entry = parked[key] else { return }
        if entry.phase == .closing { return readAway(entry) }
        switch entry.connection.receiveAvailable(by: scratch) {
        case nil: break
        case .moved:
            // Leave the loop before a thread may get the connection.
            release(entry)
            if proceed(entry.connection) { stillReading(entry) }
        default:
            release(entry)
            server?.close(entry.connection)
        }
    }

    private func readAway(_ entry: Parked) {
        switch Socket.receiveAvailable(entry.connection.descriptor, into: scratch) {
        case nil: return
        case .moved:
            parked[ObjectIdentifier(entry.connection)]?.deadline = .after(configuration.closeTimeout)
        default:
            release(entry)
            server?.close(entry.connection)
        }
    }

    private func stillReading(_ entry: Parked) {
        entry.connection.noteUnderWay()
        // The head's time runs from its first byte, however slowly the others come.
        let deadline = entry.phase == .readingHead ? entry.deadline : .after(configuration.headTimeout)
        hold(entry.connection, .readingHead, .zero)
        parked[ObjectIdentifier(entry.connection)]?.deadline = deadline
    }
}
