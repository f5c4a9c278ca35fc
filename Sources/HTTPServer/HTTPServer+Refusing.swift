import HTTP1
import SystemIO
import Threading

// Responses that no handler makes.
extension HTTPServer {
    func refuseForLackOfMemory(_ connection: Connection) { refuse(connection, .overload) }

    func refuseSlow(_ connection: Connection) { refuse(connection, .slowHead) }

    func refuseMalformed(_ connection: Connection, _ error: HTTPParseError) {
        refuse(connection, .malformed(error))
    }

    /// Responds to every request that has no response yet in its handler's stead, which then can't any more.
    /// For a process that is about to end with handlers that don't come back: waits up to `time` for
    /// clients to take it.
    public func respondToAll(within time: Duration, _ response: (_ requestID: String) -> Response) {
        atWork.respond { entry in
            let response = response(entry.requestID)
            configuration.onResponded?(
                ExchangeReport(
                    refused: entry.head, response, requestID: entry.requestID, peer: Socket.peer(of: entry.descriptor)))
            return Self.closing(response, to: entry.head, requestID: entry.requestID)
        }
        atWork.readAway(until: .after(time))
    }

    /// Responds without a handler and closes. The response is small and the send buffer empty,
    /// so this does not block.
    func refuse(_ connection: Connection, _ refusal: Refusal, _ request: RequestHead? = nil) {
        let requestID = RequestID.of(request)
        refuse(connection, handler.response(to: refusal, requestID: requestID), request, requestID: requestID)
    }

    func refuse(_ connection: Connection, _ response: Response, _ request: RequestHead? = nil, requestID: String) {
        connection.loan?.note(.answering)
        let bytes = Self.closing(response, to: request, requestID: requestID)
        _ = bytes.withUnsafeBytes { Socket.sendAll(connection.descriptor, $0, timeout: .zero) }
        configuration.onResponded?(
            ExchangeReport(refused: request, response, requestID: requestID, peer: connection.peer))
        parking.lingerAndClose(connection)
    }

    /// The bytes of a response after which the connection is closed.
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
}
