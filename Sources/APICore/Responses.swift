import Bytewise
import HTTP1
import HTTPServer
import WriterModel

extension Response {
    public static func json(
        _ value: JSONValue, status: HTTPStatus = .ok, fields: [(name: String, value: String)] = []
    ) -> Response {
        Response(status, fields: [("Content-Type", "application/json")] + fields, body: .bytes(value.encodedLine))
    }

    public static func problem(
        _ problem: Problem, fields: [(name: String, value: String)] = []
    ) -> Response {
        var fields: [(name: String, value: String)] = [("Content-Type", "application/problem+json")] + fields
        switch problem.code {
        case .methodNotAllowed: fields.append(("Allow", (problem.supported ?? []).joined(separator: ", ")))
        case .unauthorized: fields.append(("WWW-Authenticate", "Bearer realm=\"penstock\""))
        case .insufficientScope:
            fields.append(("WWW-Authenticate", "Bearer realm=\"penstock\", error=\"insufficient_scope\""))
        case .overloaded, .tooManyConnections, .tooManyWriters: fields.append(("Retry-After", String(problem.retryAfter ?? 1)))
        case .rangeNotSatisfiable:
            // RFC 9110 §14.4.
            if let size = problem.extras.first(where: { $0.name == "size" })?.value.integerValue {
                fields.append(("Content-Range", "bytes */\(size)"))
            }
        default: break
        }
        var response = Response(HTTPStatus(code: problem.code.status), fields: fields, body: .bytes(problem.json.encodedLine))
        response.reason = .init(code: problem.code.rawValue, detail: problem.detail)
        return response
    }
}

extension Response {
    /// A problem that names its request.
    public static func problem(_ problem: Problem, requestID: String) -> Response {
        var problem = problem
        problem.extras.append(.init("request_id", .string(requestID)))
        return .problem(problem)
    }

    /// The answer to what never got to a handler.
    public static func refusal(_ refusal: Refusal, requestID: String) -> Response {
        var problem =
            switch refusal {
            case .malformed(let error): Problem(malformed: error)
            case .overload: Problem.overload
            case .slowHead: Problem.slowHead
            case .crowdedAddress: Problem.addressOverload
            }
        problem.extras.append(.init("request_id", .string(requestID)))
        return .problem(problem)
    }
}

extension Exchange {
    /// Responds. A client that has gone gets nothing, and that is no failure.
    public func respond(with response: Response) {
        try? respond(response)
    }

    /// Responds with a problem, which names the request.
    public func respond(with problem: Problem, fields: [(name: String, value: String)] = []) {
        var problem = problem
        problem.extras.append(.init("request_id", .string(requestID)))
        respond(with: .problem(problem, fields: fields))
    }

    /// The body as JSON; nil when there is none.
    public func jsonBody(limit: Int) throws(Problem) -> JSONValue? {
        if head.framing != .none { try head.requireNoContentCoding() }
        try requireMediaType("application/json")
        let bytes: [UInt8]?
        do throws(RequestBody.Failure) {
            bytes = try body.collect(limit: limit)
        } catch {
            throw Problem(error)
        }
        guard let bytes else {
            throw Problem(.payloadTooLarge, "A JSON body here is at most \(limit) bytes.")
        }
        if bytes.isEmpty { return nil }
        do throws(JSONError) {
            return try JSONParser.parse(bytes)
        } catch {
            throw Problem(
                .malformedJSON, "The body is not JSON: \(error.message), at byte \(error.offset).",
                extras: [("position", .integer(Int64(error.offset)))])
        }
    }

    /// A body, if there is one, must be of this type. curl's default for `-d` is let pass,
    /// because clients often forget the header and can mean nothing else.
    private func requireMediaType(_ expected: String) throws(Problem) {
        guard head.framing != .none, head.framing != .length(0), let field = head.field("Content-Type") else { return }
        let type = String(decoding: field.until(";").utf8.filter { $0 != 0x20 }, as: UTF8.self).lowercasedASCII
        if type == expected || type == "application/x-www-form-urlencoded" || type.isEmpty { return }
        throw Problem(
            .unsupportedMediaType, "This body is JSON; its Content-Type is \(expected), not \(type).",
            supported: [expected])
    }
}

extension RequestHead {
    /// Bodies are taken as they come: one that is compressed would be taken for what it is not.
    public func requireNoContentCoding() throws(Problem) {
        guard let coding = field("Content-Encoding"), !["", "identity"].contains(coding.lowercasedASCII) else { return }
        throw Problem(
            .unsupportedMediaType, "The body's Content-Encoding is \(coding.shortened()), and bodies are taken without one. Send it as it is.",
            supported: ["identity"])
    }
}

extension Problem {
    public init(_ failure: RequestBody.Failure) {
        switch failure {
        case .cut: self.init(.bodyCut, "The connection ended before the body did.")
        case .timedOut: self.init(.requestTimeout, "The body stopped coming.")
        case .interrupted: self.init(.chunkInterrupted, "The server ended the request before its body did.")
        case .malformed(let error): self.init(malformed: error)
        }
    }

    /// A request that is not HTTP as the RFCs have it.
    public init(malformed error: HTTPParseError) {
        let code: ProblemCode =
            switch error.status.code {
            case 414: .uriTooLong
            case 417: .expectationFailed
            case 431: .headTooLarge
            case 501: .notImplemented
            case 505: .versionNotSupported
            default: .malformedRequest
            }
        self.init(code, error.message)
    }

    /// Two processes each take the other for the one that answers.
    public static let passedTooOften = Problem(
        .internalError,
        "The request went back and forth between the server and a writer's encoder without an answer. Try again; if it stays so, delete the writer.")

    public static let slowHead = Problem(.requestTimeout, "The request's head did not come in time.")

    public static let addressOverload = Problem(
        .tooManyConnections, "This address has as many connections as the server allows one. Close some first.")

    public static let overload = Problem(
        .overloaded, "The server is at its limit of connections or requests. Try again in a second.")
}
