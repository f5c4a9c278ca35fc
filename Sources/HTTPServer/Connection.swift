import HTTP1
import SystemIO
import Threading

/// One client's TCP connection. It belongs to the event loop or to one handler thread, never
/// to both; the one that has it may touch it.
final class Connection: @unchecked Sendable {
    // Unchecked: ownership moves between threads through the loop's and the pool's queues.
    let descriptor: Int32
    private(set) lazy var peer = Socket.peer(of: descriptor)
    /// Its client's address, as a number that tells it from others.
    private(set) lazy var addressKey = peer?.host.hashValue
    /// The same of the token that its last request had, once it was checked.
    var tokenKey: Int?
    var inbound: InboundBuffer
    /// How much of `inbound` was already searched for the end of a head.
    var scanned = 0
    /// It is another process's, which has a copy.
    var loan: Loan? { didSet { mustTellFirst = loan != nil && !Socket.countsBytesRead(descriptor) } }
    /// It is lent, and the kernel does not count what is read of it: bytes that were read and not told of would be lost
    /// with this process.
    private var mustTellFirst = false
    /// What was read of it here, modulo 2³².
    private var bytesRead: UInt32 = 0
    /// How often the request that comes next on it has been passed between processes.
    var passes: UInt8 = 0
    /// Accepted while the server drains: it has one request.
    var isLate = false
    /// A request of it has been handled here.
    var hasServed = false
    private var isOpen = true
    private var lowWater = 1
    private var hasReceiveTimeout = false
    private var spin = AdaptiveSpin()
    /// With one, its client could not send while it is looked for.
    private static let hasProcessorsToSpare = Processors.count > 1

    static let readCapacity = 16 * 1_024

    init(owning descriptor: Int32, unread: [UInt8] = []) {
        self.descriptor = descriptor
        inbound = InboundBuffer(unread)
    }

    deinit { if isOpen { _ = Descriptor(owning: descriptor) } }

    enum HeadResult {
        case head(RequestHead, headBytes: Int)
        case needsMore
        case refused(HTTPParseError)
    }

    /// Looks for a request head in what has been read.
    func parseHead(_ limits: HTTPLimits) -> HeadResult {
        if inbound.isEmpty { return .needsMore }
        let scanned = scanned
        do throws(HTTPParseError) {
            let result = try inbound.withBytes { bytes throws(HTTPParseError) in
                try RequestParser.parse(bytes, alreadyScanned: scanned, limits: limits)
            }
            switch result {
            case .needsMore:
                self.scanned = inbound.count
                return .needsMore
            case .complete(let head, let headBytes):
                self.scanned = 0
                return .head(head, headBytes: headBytes)
            }
        } catch {
            return .refused(error)
        }
    }

    /// Waits for bytes; nil when none came. The same time at each call.
    func receive(within time: Duration) -> SocketProgress? {
        if let progress = lookForNext() { return progress }
        let began = ContinuousClock.now
        let progress = mustTellFirst ? sleepThenRead(time) : sleepAndRead(time)
        if case .moved = progress { spin.slept(ContinuousClock.now - began) }
        return progress
    }

    /// Bytes of a client that never takes long.
    private func lookForNext() -> SocketProgress? {
        guard spin.isWorthLooking, Self.hasProcessorsToSpare else { return nil }
        let deadline = Deadline.after(AdaptiveSpin.patience)
        while !deadline.hasPassed {
            guard let progress = readAvailable() else { continue }
            spin.hit()
            return progress
        }
        spin.missed()
        return nil
    }

    /// In one system call.
    private func sleepAndRead(_ time: Duration) -> SocketProgress? {
        if !hasReceiveTimeout { hasReceiveTimeout = Socket.setReceiveTimeout(descriptor, time) }
        return hasReceiveTimeout ? read { Socket.receive(descriptor, into: $0) } : nil
    }

    /// As long as it sleeps the connection is as it was, whatever becomes of this process.
    private func sleepThenRead(_ time: Duration) -> SocketProgress? {
        guard case .moved? = Socket.awaitReadable(descriptor, until: .after(time)) else { return nil }
        return tellAndRead()
    }

    private func readAvailable() -> SocketProgress? {
        if mustTellFirst {
            guard case .moved? = Socket.awaitReadable(descriptor, until: .past) else { return nil }
            return tellAndRead()
        }
        return read { Socket.receiveAvailable(descriptor, into: $0) }
    }

    private func tellAndRead() -> SocketProgress? {
        loan?.note(.asked)
        let progress = read { Socket.receiveAvailable(descriptor, into: $0) }
        if progress == nil { noteUnderWay() }
        return progress
    }

    private func read(_ receive: (UnsafeMutableRawBufferPointer) -> SocketProgress?) -> SocketProgress? {
        var progress: SocketProgress?
        inbound.append(capacity: Self.readCapacity) { space in
            progress = counted(receive(space))
            if case .moved(let count) = progress { return count }
            return 0
        }
        return progress
    }

    /// `receiveAvailable` by way of `scratch`, for one that may wait long: it holds no more memory than
    /// what was read.
    func receiveAvailable(by scratch: UnsafeMutableRawBufferPointer) -> SocketProgress? {
        // Said before, where nothing else tells of it.
        if mustTellFirst { loan?.note(.asked) }
        let progress = counted(Socket.receiveAvailable(descriptor, into: scratch))
        if progress == nil { noteUnderWay() }
        if case .moved(let count) = progress {
            inbound.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        }
        return progress
    }

    /// What is there now, into memory of the caller's.
    func receiveAvailable(into space: UnsafeMutableRawBufferPointer) -> SocketProgress? {
        counted(Socket.receiveAvailable(descriptor, into: space))
    }

    func receiveAvailable(into regions: [UnsafeMutableRawBufferPointer], limit: Int) -> SocketProgress? {
        counted(Socket.receiveAvailable(descriptor, into: regions, limit: limit))
    }

    private func counted(_ progress: SocketProgress?) -> SocketProgress? {
        if case .moved(let count)? = progress { bytesRead &+= UInt32(truncatingIfNeeded: count) }
        return progress
    }

    /// Has waits last until so many bytes are there: 1 again before a wait for less.
    func setLowWater(_ bytes: Int) {
        guard bytes != lowWater else { return }
        lowWater = bytes
        Socket.setLowWater(descriptor, bytes)
    }

    /// Gives descriptor and unread bytes away.
    func surrender() -> DetachedConnection {
        isOpen = false
        return DetachedConnection(
            descriptor: Descriptor(owning: descriptor), unread: inbound.bytes, passes: passes, loan: loan)
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        // The other copy keeps it open until it hears of this.
        if loan != nil { Socket.shutDownWriting(descriptor) }
        endLoan(.closed)
        _ = Descriptor(owning: descriptor)
    }
}

extension Connection {
    /// For whom memory is held that waits here.
    var holder: HeldMemory.Holder { tokenKey.map { .token($0) } ?? .address(addressKey ?? 0) }

    /// Tells the process that lent it whether anything of a request is here. No request is being handled.
    func noteUnderWay() { loan?.note(ServedMark(inbound.isEmpty ? .idle : .asked, bytesRead: bytesRead)) }

    /// Tells the process that lent it, once.
    func endLoan(_ end: Loan.End) {
        loan?.onEnd(end)
        loan = nil
    }
}

/// A connection that left its server: the descriptor and the bytes read from it that are
/// not used, starting with a request head (or the beginning of one).
public struct DetachedConnection: ~Copyable, Sendable {
    public let descriptor: Descriptor
    public let unread: [UInt8]
    /// How often its next request has been passed.
    public let passes: UInt8
    /// Of the process that lent it, if one did.
    public let loan: Loan?
}
