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

    func note(_ state: ServedState) { marks[slot] = UInt32(state.rawValue) }

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
