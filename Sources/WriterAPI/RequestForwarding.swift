import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// The way back: connections whose request is not for this process go to the gateway.
struct GatewayReturn: Sendable {
    let gateway: MessageSocket

    func handBack(_ exchange: Exchange) throws(Problem) {
        if exchange.handOff(pass) { return }
        throw Problem(.serverStopped, "The server is ending.")
    }

    func takeIdle(_ connection: consuming DetachedConnection) {
        _ = pass(connection.descriptor.number, connection.unread)
    }

    private func pass(_ descriptor: Int32, _ unread: [UInt8]) -> Bool {
        gateway.send(ControlMessage.connection(unread: unread).encoded, passing: descriptor) == .sent
    }
}

extension Problem {
    /// A problem with a stream's offset tells it in its field too.
    var offsetFields: [(name: String, value: String)] {
        guard let offset = extras.first(where: { $0.name == "offset" })?.value.integerValue else { return [] }
        return [("Upload-Offset", String(offset))]
    }
}
