import HTTP1
import SystemIO

// Giving the connection away, with its request.
extension Exchange {
    /// Gives the connection away with this request still unread on it: `send` gets the
    /// descriptor (to pass a copy of) and the bytes that go with it. When it returns true the
    /// exchange is over for this process; when false the handler still has to respond.
    public func handOff(_ send: (_ descriptor: Int32, _ unread: [UInt8]) -> Bool) -> Bool {
        precondition(!body.hasBegun && !hasResponded, "a request that was begun can't be given away")
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
        precondition(!body.hasBegun && !hasResponded, "a request that was begun can't be given away")
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
}
