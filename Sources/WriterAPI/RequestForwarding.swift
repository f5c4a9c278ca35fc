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

extension Exchange {
    /// Answers with a problem; a stream's offset in it also stands in its field.
    func reply(_ problem: Problem) {
        var fields: [(name: String, value: String)] = []
        if let offset = problem.extras.first(where: { $0.name == "offset" && problem.concernsStream })?.value.integerValue {
            fields.append(("Upload-Offset", String(offset)))
        }
        reply(.problem(problem, fields: fields))
    }
}

extension Problem {
    /// Its `offset` is that of a stream, not of a text.
    fileprivate var concernsStream: Bool { code != .malformedJSON }
}
