import APICore
import Bytewise
import HTTP1
import HTTPServer
import StreamWriter
import SystemIO
import Threading
import WriterModel

/// Answers the requests about this process's writer. Everything else goes back to the
/// gateway, with the connection.
final class WriterService: EncoderService {
    private let settings: EncoderStart
    private let resource: WriterResource
    private let authenticator: TokenAuthenticator
    private let gateway: ConnectionHandBack

    init(
        settings: EncoderStart, resource: WriterResource, authenticator: TokenAuthenticator,
        gateway: ConnectionHandBack
    ) {
        self.settings = settings
        self.resource = resource
        self.authenticator = authenticator
        self.gateway = gateway
    }

    var isConcluded: Bool {
        switch resource.phase {
        case .ended, .discarded: true
        case .absent, .alive: false
        }
    }

    var snapshot: WriterRecord? {
        if case .alive = resource.phase { resource.snapshot } else { nil }
    }

    var workDone: WorkDone { resource.workDone }

    func interruptUploads() { resource.interruptWork() }

    var isIdleTooLong: Bool {
        let limit = settings.limits.idleTimeout
        guard limit > 0, let time = resource.idleTime else { return false }
        return time > .seconds(limit)
    }

    var callsUnderWay: [CallUnderWay] { resource.callsUnderWay }

    var unnoticedFailure: Problem? { resource.unnoticedFailure }

    func fail(_ problem: Problem) { resource.fail(problem) }

    func failWithoutWaiting(_ problem: Problem) { resource.failWithoutWaiting(problem) }

    var isAbandoned: Bool { resource.isAbandoned }

    func end(because reason: EndReason) {
        if resource.discardIfUncreated() { return }
        do throws(Problem) {
            try resource.finalize(because: reason)
        } catch {
            // Only a writer that was never opened is still alive here.
            resource.fail(Self.neverOpened(reason))
        }
    }

    private static func neverOpened(_ reason: EndReason) -> Problem {
        switch reason {
        case .idleTimeout:
            Problem(.idleTimeout, "The writer was not opened and had no request for too long (--idle-timeout).")
        case .runTime: Problem(.limitExceeded, "The writer was not opened within its whole time (--max-run-time).")
        case .shutdown, .gatewayLost:
            Problem(.serverStopped, "The server ended (\(reason.rawValue)) before the writer was opened.")
        }
    }

    func takeIdle(_ connection: consuming DetachedConnection) { gateway.takeIdle(connection) }

    func handle(_ exchange: Exchange) {
        do throws(Problem) {
            guard let request = try? Route.match(exchange.head), let caller = try caller(of: exchange),
                isMine(request, of: caller, exchange)
            else { return try gateway.handBack(exchange) }
            exchange.route = request.operation.id
            try caller.require(request.route.scope)
            guard request.route.takesJSON else { return perform(request, by: caller, exchange) }
            exchange.gatherBody(limit: settings.limits.maxJSONBytes) { [self] in perform(request, by: caller, $0) }
        } catch {
            respond(with: error, exchange)
        }
    }

    private func perform(_ request: RoutedRequest, by caller: Principal, _ exchange: Exchange) {
        SystemThread.wipeStack()
        do throws(Problem) {
            try respond(to: request, by: caller, exchange)
        } catch {
            // Deleted while the request waited for its turn, or was at work.
            let isOfDeletion = error.code == .wrongState || error.code == .outputReplaced
            let isGone = isOfDeletion && (resource.isBeingDeleted || resource.phase == .discarded)
            if case .writer = request.operation, isGone { return respond(with: .noWriter(settings.writer.text), exchange) }
            respond(with: error, exchange)
        }
    }

    /// A writer that has ended while the request waited for it is the gateway's to delete.
    private func delete(_ exchange: Exchange) throws(Problem) {
        let keepsOutput = try exchange.head.target.keepsOutput()
        do throws(Problem) {
            if keepsOutput { throw .keepsOutput(ofLive: resource.phase.state) }
            exchange.respond(with: .deleted(leaving: try resource.delete()))
        } catch {
            switch resource.settledPhase {
            case .ended, .discarded: try gateway.handBack(exchange)
            case .absent, .alive: throw error
            }
        }
    }

    private func respond(with error: Problem, _ exchange: Exchange) {
        let problem = resource.redacted(error)
        exchange.respond(with: problem, fields: problem.offsetFields)
    }

    /// Whose request it is; nil: that is for the gateway to say. This process knows the tokens that reach
    /// its own writer. A request that has just been passed here is not sent back for its token.
    private func caller(of exchange: Exchange) throws(Problem) -> Principal? {
        do throws(Problem) {
            return try authenticator.identify(exchange)
        } catch {
            switch resource.phase {
            case .absent where exchange.isFirst, .alive where exchange.isFirst: throw error
            default: return nil
            }
        }
    }

    /// Whether this process answers: its own writer, while there is one, and the request that
    /// makes it.
    private func isMine(_ request: RoutedRequest, of caller: Principal, _ exchange: Exchange) -> Bool {
        switch (request.operation, resource.settledPhase) {
        case (_, .ended), (_, .discarded): return false
        case (.creation(.createWriter), .absent): return true
        case (.creation(.createWriter), _): return caller.name == settings.writer.owner && repeatsCreation(exchange.head)
        case (.creation(.putWriter), _): return request.writer?.owned(by: caller.name) == settings.writer
        case (.writer, _): return request.writer?.text == settings.writer.text && reaches(caller, exchange)
        case (.server, _), (.listWriters, _), (.encode, _), (.catalog, _): return false
        }
    }

    /// Whether a request with the writer's id is about this writer, and not about another owner's of the same id.
    private func reaches(_ caller: Principal, _ exchange: Exchange) -> Bool {
        let owner = settings.writer.owner
        if let name = exchange.head.target.query("name") {
            guard let named = try? caller.namedOwner(name) else { return false }
            return named == owner
        }
        // A caller that sees all may mean several: the gateway has just decided which.
        return caller.name == owner || caller.seesAll && exchange.isFirst
    }

    private func repeatsCreation(_ head: RequestHead) -> Bool {
        guard let key = head.field("Idempotency-Key") else { return false }
        return key == settings.idempotencyKey
    }

    private func respond(to request: RoutedRequest, by caller: Principal, _ exchange: Exchange) throws(Problem) {
        switch request.operation {
        case .creation: try create(by: caller, exchange)
        case .writer(let operation): try respond(to: operation, of: request, by: caller, exchange)
        case .server, .listWriters, .encode, .catalog: try gateway.handBack(exchange)
        }
    }

    private func respond(
        to operation: WriterOperation, of request: RoutedRequest, by caller: Principal, _ exchange: Exchange
    ) throws(Problem) {
        let stream = request.stream ?? 0
        func respond(with writer: JSONObject) { exchange.respond(with: .json(.object(shown(writer, to: caller)))) }
        switch operation {
        case .getWriter:
            let writer = shown(resource.resource, to: caller)
            exchange.respond(with: try .resource(.object(writer), as: .writer, to: exchange.head))
        case .deleteWriter:
            try delete(exchange)
        case .addStream:
            let (index, stream) = try resource.addStream(try json(exchange))
            let location = "/v1/writers/\(settings.writer)/streams/\(index)"
            exchange.respond(with: .json(stream, status: .created, fields: [("Location", location)]))
        case .setMetadata: respond(with: try resource.setMetadata(try json(exchange)))
        case .openWriter:
            let body = try json(exchange)
            let asked = try body.map { json throws(Problem) in try OpenRequest(json) } ?? OpenRequest()
            respond(with: try opening(for: exchange) { client throws(Problem) in try resource.open(asked, for: client) })
        case .flushWriter:
            try refuseParameters(exchange)
            respond(with: try resource.flush())
        case .finalizeWriter:
            try refuseParameters(exchange)
            respond(with: try resource.finalize())
        case .writeChunk: try ChunkRoute(resource: resource, stream: stream).respond(to: exchange)
        case .requestKeyFrame:
            try refuseParameters(exchange)
            let target = exchange.head.target
            let asked = try resource.requestKeyFrame(ofStream: Self.streamIndex(target.query("stream")), rendition: target.query("rendition"))
            exchange.respond(with: .json(.object(asked)))
        case .changeStream:
            let rendition = exchange.head.target.query("rendition")
            exchange.respond(with: .json(try resource.changeStream(stream, rendition: rendition, try json(exchange))))
        case .getUploadOffset:
            let offset = try resource.offset(of: stream)
            exchange.respond(with: Response(.noContent, fields: [("Upload-Offset", String(offset))]))
        case .getOutput: try OutputRoute(resource: resource, writer: settings.writer).respond(to: exchange)
        case .getNamedOutput: try OutputRoute(resource: resource, writer: settings.writer, name: request.name).respond(to: exchange)
        case .addOutput: try addOutput(try json(exchange), exchange)
        case .retryOutput: throw resource.tooEarlyToRetry(request.name ?? "")
        case .removeOutput:
            let name = request.name ?? ""
            exchange.respond(with: .json(.object(try exchange.blocking { () throws(Problem) in try resource.removeOutput(named: name) })))
        }
    }

    private func addOutput(_ body: JSONValue?, _ exchange: Exchange) throws(Problem) {
        let output = try exchange.blocking { () throws(Problem) in
            try exchange.watchingClient({ [resource] in resource.interruptJoining(body) }) { () throws(Problem) in try resource.addOutput(body) }
        }
        let name = output["name"]?.stringValue ?? ""
        exchange.respond(
            with: .json(.object(output), status: .created, fields: [("Location", "/v1/writers/\(settings.writer)/outputs/\(name)")]))
    }

    /// A caller that sees the writers of other owners is told whose this one is.
    private func shown(_ writer: JSONObject, to caller: Principal) -> JSONObject {
        writer.naming(owner: caller.seesAll ? settings.writer.owner : nil)
    }

    private func json(_ exchange: Exchange) throws(Problem) -> JSONValue? {
        try exchange.jsonBody(limit: settings.limits.maxJSONBytes)
    }

    /// These calls take no parameters; an empty object is none.
    private func refuseParameters(_ exchange: Exchange) throws(Problem) {
        guard let body = try json(exchange) else { return }
        try FieldReader(body).finish()
    }

    private static func streamIndex(_ text: String?) throws(Problem) -> Int? {
        guard let text else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(text) else {
            throw Problem(
                .invalidParameter, "stream is the index of a stream, 0 or more, and not \"\(text.shortened())\".", parameter: "stream")
        }
        return index
    }

    /// Makes the writer, or tells of it to a request that repeats the one that made it.
    private func create(by caller: Principal, _ exchange: Exchange) throws(Problem) {
        switch try resource.claimCreation() {
        case .claimed: try createClaimed(by: caller, exchange)
        case .exists:
            let body = try json(exchange)
            guard resource.wasCreated(by: body) else { throw creationConflict(exchange.head.method) }
            let status = exchange.head.method == .post ? HTTPStatus.created : .ok
            exchange.respond(with: .json(.object(shown(resource.resource, to: caller)), status: status, fields: [location]))
        case .ended:
            // It has ended while the body came.
            if exchange.body.hasBegun { throw resource.failure(ofCreationBy: try json(exchange)) ?? .justEnding(settings.writer) }
            try gateway.handBack(exchange)
        }
    }

    private func createClaimed(by caller: Principal, _ exchange: Exchange) throws(Problem) {
        let body: JSONValue?
        let isDryRun: Bool
        do throws(Problem) {
            isDryRun = exchange.head.method == .post ? try Self.isDryRun(exchange.head.target) : false
            body = try json(exchange)
        } catch {
            // Nothing will come of this process.
            resource.discard()
            throw error
        }
        if isDryRun {
            exchange.respond(with: .json(.object(try resource.dryRun(body))))
        } else {
            let made = try opening(for: exchange) { client throws(Problem) in try resource.create(body, for: client) }
            exchange.respond(with: .json(.object(shown(made, to: caller)), status: .created, fields: [location]))
        }
    }

    /// As long as a destination likes, and the client waits for it.
    private func opening(
        for exchange: Exchange, _ body: (OpeningClient) throws(Problem) -> JSONObject
    ) throws(Problem) -> JSONObject {
        let client = OpeningClient()
        return try exchange.blocking { () throws(Problem) in
            try exchange.watchingClient({ [resource] in resource.noteLeft(client) }) { () throws(Problem) in try body(client) }
        }
    }

    private func creationConflict(_ method: HTTPMethod) -> Problem {
        if method == .post { return .keyReused(by: settings.writer) }
        return Problem(
            .writerExists,
            "A writer \(settings.writer) exists and was created by another request. Choose another id, or delete it first.",
            parameter: "id")
    }

    private static func isDryRun(_ target: RequestTarget) throws(Problem) -> Bool {
        switch target.query("dry_run") {
        case "true", "1": return true
        case nil, "false", "0": return false
        default: throw Problem(.invalidParameter, "dry_run is true or false.", parameter: "dry_run")
        }
    }

    private var location: (name: String, value: String) { ("Location", "/v1/writers/\(settings.writer)") }
}
