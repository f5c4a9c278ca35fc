import APICore
import HTTP1
import HTTPServer
import WriterModel

/// The way back: connections whose request is not for this process go to the gateway.
struct ConnectionHandBack: Sendable {
    let gateway: GatewayLine

    func handBack(_ exchange: Exchange) throws(Problem) {
        let passes = exchange.passes
        if passes >= ControlMessage.maxPasses { throw .passedTooOften }
        guard let loan = exchange.loan else { throw Problem(.serverStopped, "The server is ending.") }
        if exchange.handOff({ _, unread in gateway.giveBack(loan, unread: unread, passes: passes + 1) }) { return }
        throw Problem(.serverStopped, "The server is ending.")
    }

    /// One that can't be passed is closed, which tells its client.
    func takeIdle(_ connection: consuming DetachedConnection) {
        guard let loan = connection.loan else { return }
        let mayPass = connection.passes < ControlMessage.maxPasses
        if mayPass && gateway.giveBack(loan, unread: connection.unread, passes: connection.passes + 1) { return }
        loan.end(.closed)
    }
}
