import HTTP1
import SystemIO

/// How far a process that serves a connection has come with it, for the one that lent it.
public enum ServedState: UInt8, Sendable {
    /// No request is under way, and not a byte of one was read.
    case idle = 0
    /// There is a request, or a part of one, that has no response yet.
    case asked = 1
    /// The same; its response has no body.
    case askedForHead = 2
    /// Bytes of a response may have been sent.
    case answering = 3
}

/// How far a process is with a connection, as one number that it shares with the one that lent it.
public struct ServedMark: Sendable, Equatable {
    public let state: ServedState
    /// How many of the connection's bytes it had read when it said so, modulo 2³⁰: where TCP counts more, it has read
    /// some since, and died before it told of them.
    public let bytesRead: UInt32

    private static let countedBits: UInt32 = 30

    public init(_ state: ServedState, bytesRead: UInt32 = 0) {
        self.state = state
        self.bytesRead = bytesRead & (1 << Self.countedBits - 1)
    }

    public init(_ number: UInt32) {
        self.init(ServedState(rawValue: UInt8(number >> Self.countedBits)) ?? .answering, bytesRead: number)
    }

    public var number: UInt32 { UInt32(state.rawValue) << Self.countedBits | bytesRead }

    /// Whether it has read nothing of a connection since, of which so many have been read in all.
    public func isUp(to bytesRead: Int64) -> Bool { Self(state, bytesRead: UInt32(truncatingIfNeeded: bytesRead)) == self }
}

/// A connection that another process serves, with a copy of its descriptor. It counts as open here until
/// it is taken back or closed.
public final class LentConnection: Sendable {
    let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    /// One that no server has lent.
    package init(owning descriptor: Int32) { connection = Connection(owning: descriptor) }

    public var descriptor: Int32 { connection.descriptor }
}

/// Where this process says how far it is with a connection that was lent to it, and what it does when it is
/// done with it.
public struct Loan: Sendable {
    public enum End: Sendable {
        case closed
        /// What was sent is not whole: only a reset tells.
        case broken
    }

    private let marks: SharedMarks
    public let slot: Int
    let onEnd: @Sendable (End) -> Void

    /// `onEnd` is called once, unless the connection is handed back.
    public init(marks: SharedMarks, slot: Int, onEnd: @escaping @Sendable (End) -> Void) {
        self.marks = marks
        self.slot = slot
        self.onEnd = onEnd
    }

    func note(_ state: ServedState) { note(ServedMark(state)) }

    func note(_ mark: ServedMark) { marks[slot] = mark.number }

    /// The connection is not served here any more, and not handed back.
    public func end(_ end: End) { onEnd(end) }
}

extension HTTPServer {
    /// Serves a lent connection again, with the bytes that were read from it and not used.
    public func takeBack(_ lent: LentConnection, unread: [UInt8] = [], passes: UInt8 = 0) {
        lent.connection.inbound = InboundBuffer(unread)
        lent.connection.scanned = 0
        lent.connection.passes = passes
        park(lent.connection)
    }

    /// Ends a lent connection.
    public func close(_ lent: LentConnection, _ end: Loan.End) {
        if end == .broken { Socket.resetOnClose(lent.descriptor) }
        close(lent.connection)
    }

    /// Responds to a lent connection's request, which has no response, in place of the process that had it,
    /// and ends the connection.
    public func respond(to lent: LentConnection, _ response: (_ requestID: String) -> Response, toHead: Bool) {
        let requestID = RequestID.of(nil)
        var response = response(requestID)
        if toHead { response.body = .none }
        refuse(lent.connection, response, requestID: requestID)
    }
}
