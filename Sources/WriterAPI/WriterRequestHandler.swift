import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// Answers the requests about this process's writer. Everything else goes back to the
/// gateway, with the connection.
final class WriterRequestHandler: RequestHandler {
    private let settings: EncoderSettings
    private let resource: WriterResource
    private let authenticator: TokenAuthenticator
    private let gateway: MessageSocket

    init(
        settings: EncoderSettings, resource: WriterResource, authenticator: TokenAuthenticator,
        gateway: MessageSocket
    ) {
        self.settings = settings
        self.resource = resource
        self.authenticator = authenticator
        self.gateway = gateway
    }

    func handle(_ exchange: Exchange) {
        do throws(Problem) {
            try answer(exchange)
        } catch {
            var fields: [(name: String, value: String)] = []
            if let offset = error.extras.first(where: { $0.name == "offset" })?.value.integerValue {
                fields.append(("Upload-Offset", String(offset)))
            }
            exchange.reply(.problem(error, fields: fields))
        }
    }

    func response(toMalformed error: HTTPParseError) -> Response { .problem(Problem(malformed: error)) }

    func responseToOverload() -> Response { .problem(.overload) }

    func takeIdle(_ connection: consuming DetachedConnection) {
        _ = returnToGateway(connection.descriptor.number, connection.unread)
    }

    private func returnToGateway(_ descriptor: Int32, _ unread: [UInt8]) -> Bool {
        gateway.send(ControlMessage.connection(unread: unread).encoded, passing: descriptor) == .sent
    }

    private func answer(_ exchange: Exchange) throws(Problem) {
        guard let request = try? Route.match(exchange.head), isMine(request) else {
            return try handBack(exchange)
        }
        try authenticator.check(exchange.head)
        try perform(request, exchange)
    }

    /// Whether this process answers: its own writer, while there is one, and the request that
    /// makes it.
    private func isMine(_ request: RoutedRequest) -> Bool {
        switch (request.operation, resource.phase) {
        case (.createWriter, .absent): true
        case (.createWriter, _): false
        case (_, .ended), (_, .discarded): false
        default: request.writer == settings.writer
        }
    }

    private func handBack(_ exchange: Exchange) throws(Problem) {
        if exchange.handOff(returnToGateway) { return }
        throw Problem(.serverStopped, "The server is ending.")
    }

    private func perform(_ request: RoutedRequest, _ exchange: Exchange) throws(Problem) {
        switch request.operation {
        case .createWriter: try create(exchange)
        case .putWriter: try put(exchange)
        case .getWriter: exchange.reply(.json(.object(resource.resource)))
        case .deleteWriter:
            try resource.delete()
            exchange.reply(Response(.noContent))
        case .addStream:
            let (index, stream) = try resource.addStream(try json(exchange))
            let location = "/v1/writers/\(settings.writer)/streams/\(index)"
            exchange.reply(.json(stream, status: .created, fields: [("Location", location)]))
        case .setMetadata: exchange.reply(.json(.object(try resource.setMetadata(try json(exchange)))))
        case .openWriter:
            let body = try json(exchange)
            let request = try body.map { json throws(Problem) in try OpenRequest(json) } ?? OpenRequest()
            exchange.reply(.json(.object(try resource.open(request))))
        case .flushWriter:
            try refuseBody(exchange)
            exchange.reply(.json(.object(try resource.flush())))
        case .finalizeWriter:
            try refuseBody(exchange)
            exchange.reply(.json(.object(try resource.finalize())))
        case .writeChunk: try ChunkRoute(resource: resource, stream: request.stream ?? 0).answer(exchange)
        case .getChunkOffset:
            let offset = try resource.offset(of: request.stream ?? 0)
            exchange.reply(Response(.noContent, fields: [("Upload-Offset", String(offset))]))
        case .getOutput: try OutputRoute(resource: resource, writer: settings.writer).answer(exchange)
        default: try handBack(exchange)
        }
    }

    private func json(_ exchange: Exchange) throws(Problem) -> JSONValue? {
        try exchange.jsonBody(limit: settings.limits.maxJSONBytes)
    }

    /// These calls take no parameters; an empty object is none.
    private func refuseBody(_ exchange: Exchange) throws(Problem) {
        guard let body = try json(exchange) else { return }
        try FieldReader(body).finish()
    }

    private func create(_ exchange: Exchange) throws(Problem) {
        let body: JSONValue?
        do throws(Problem) {
            body = try json(exchange)
        } catch {
            // Nothing will come of this process.
            resource.giveUp()
            throw error
        }
        exchange.reply(created(try resource.create(body)))
    }

    private func put(_ exchange: Exchange) throws(Problem) {
        if resource.phase == .absent { return try create(exchange) }
        let body = try json(exchange)
        switch resource.wasCreated(by: body) {
        case true?: exchange.reply(.json(.object(resource.resource), fields: [location]))
        case false?:
            throw Problem(
                .writerExists,
                "A writer \(settings.writer) exists and was created by another request. Choose another id, or delete it first.",
                parameter: "id")
        case nil: throw Problem(.overloaded, "The writer \(settings.writer) is just ending. Try again.")
        }
    }

    private func created(_ resource: JSONObject) -> Response {
        .json(.object(resource), status: .created, fields: [location])
    }

    private var location: (name: String, value: String) { ("Location", "/v1/writers/\(settings.writer)") }
}
