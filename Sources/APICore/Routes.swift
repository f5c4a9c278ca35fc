import Bytewise
import HTTP1
import WriterModel

/// One row of the table of routes: all that is said of a route stands there. `openapi.yaml` is held against the
/// table by a test. A class, so that a request refers to its row.
public final class Route: Sendable {
    /// The names that a query may have.
    public enum QueryNames: Sendable, Equatable, ExpressibleByArrayLiteral {
        /// Any other is an error, and so is one that is given twice.
        case only(Set<String>)
        /// The route judges its query itself, or ignores it.
        case any

        public init(arrayLiteral names: String...) { self = .only(Set(names)) }
    }

    public let method: HTTPMethod
    /// As in openapi.yaml: "/v1/writers/{id}".
    public let template: String
    public let operation: Operation
    /// Its operationId in openapi.yaml: the operation's, but for a second method that does the same.
    public let id: String
    /// What a token must allow for it.
    public let scope: TokenScopes
    /// Whether its body is JSON, or empty, and short: what a writer's bytes are not.
    public let takesJSON: Bool
    public let query: QueryNames
    private enum Part {
        case id, index, name
        case word(String)

        init(_ text: String) {
            self = switch text {
            case "{id}": .id
            case "{index}": .index
            case "{name}", "{output}": .name
            default: .word(text)
            }
        }
    }

    private let parts: [Part]

    private init(
        _ method: HTTPMethod, _ template: String, _ operation: Operation, id: String? = nil, scope: TokenScopes, takesJSON: Bool = false,
        query: QueryNames = []
    ) {
        self.method = method
        self.template = template
        self.operation = operation
        self.id = id ?? operation.id
        self.scope = scope
        self.takesJSON = takesJSON
        self.query = query.of(operation)
        parts = template.parts(at: "/", omittingEmpty: true).map(Part.init)
    }

    public static let all: [Route] = [
        Route(.post, "/v1/writers", .creation(.createWriter), scope: .write, takesJSON: true, query: ["dry_run"]),
        Route(.get, "/v1/writers", .listWriters, scope: .read, query: ["state", "limit", "cursor", "name", "scope", "format"]),
        Route(.put, "/v1/writers/{id}", .creation(.putWriter), scope: .write, takesJSON: true),
        Route(.get, "/v1/writers/{id}", .writer(.getWriter), scope: .read, query: ["format"]),
        Route(.delete, "/v1/writers/{id}", .writer(.deleteWriter), scope: .write, query: ["keep_output"]),
        Route(.post, "/v1/writers/{id}/streams", .writer(.addStream), scope: .write, takesJSON: true),
        Route(.put, "/v1/writers/{id}/metadata", .writer(.setMetadata), scope: .write, takesJSON: true),
        Route(.post, "/v1/writers/{id}/open", .writer(.openWriter), scope: .write, takesJSON: true),
        Route(.post, "/v1/writers/{id}/streams/{index}/chunks", .writer(.writeChunk), scope: .write, query: ["pts", "duration", "keyframe", "raw"]),
        Route(.head, "/v1/writers/{id}/streams/{index}/chunks", .writer(.getUploadOffset), scope: .read),
        Route(.patch, "/v1/writers/{id}/streams/{index}", .writer(.changeStream), scope: .write, takesJSON: true, query: ["rendition"]),
        Route(.post, "/v1/writers/{id}/keyframe", .writer(.requestKeyFrame), scope: .write, takesJSON: true, query: ["rendition", "stream"]),
        Route(.post, "/v1/writers/{id}/flush", .writer(.flushWriter), scope: .write, takesJSON: true),
        Route(.post, "/v1/writers/{id}/finalize", .writer(.finalizeWriter), scope: .write, takesJSON: true),
        Route(.get, "/v1/writers/{id}/output", .writer(.getOutput), scope: .read),
        Route(.post, "/v1/writers/{id}/outputs", .writer(.addOutput), scope: .write, takesJSON: true),
        Route(.delete, "/v1/writers/{id}/outputs/{output}", .writer(.removeOutput), scope: .write),
        Route(.get, "/v1/writers/{id}/outputs/{output}", .writer(.getNamedOutput), scope: .read),
        Route(.post, "/v1/writers/{id}/outputs/{output}/retry", .writer(.retryOutput), scope: .write, takesJSON: true),
        encode,
        // As curl -T sends a file.
        Route(.put, encode.template, .encode, id: "encodeByPut", scope: .write, query: .any),
        Route(.get, "/v1/muxers", .catalog(.listMuxers), scope: .read),
        Route(.get, "/v1/muxers/{name}", .catalog(.getMuxer), scope: .read),
        Route(.get, "/v1/output-devices", .catalog(.listOutputDevices), scope: .read),
        Route(.get, "/v1/audio-encoders", .catalog(.listAudioEncoders), scope: .read),
        Route(.get, "/v1/video-encoders", .catalog(.listVideoEncoders), scope: .read),
        Route(.get, "/v1/encoders/{name}", .catalog(.getEncoder), scope: .read),
        Route(.get, "/v1/filters", .catalog(.listFilters), scope: .read),
        Route(.get, "/v1/filters/{name}", .catalog(.getFilter), scope: .read),
        Route(.get, "/v1/output-protocols", .catalog(.listOutputProtocols), scope: .read),
        Route(.get, "/v1/version", .catalog(.getVersion), scope: .read),
        // What a probe or a scraper adds to its query is no mistake.
        Route(.get, "/livez", .server(.livez), scope: .read, query: .any),
        Route(.get, "/readyz", .server(.readyz), scope: .read, query: .any),
        Route(.get, "/metrics", .server(.getMetrics), scope: .read, query: .any),
        Route(.get, "/openapi.yaml", .server(.getContract), scope: .read),
    ]

    /// Its query names the parameters of a stream, which EncodeRequest judges.
    public static let encode = Route(.post, "/v1/encode", .encode, scope: .write, query: .any)
}

extension Route.QueryNames {
    /// Every route of a writer also takes the name of its owner, and what libav can do may be a table.
    fileprivate func of(_ operation: Operation) -> Route.QueryNames {
        guard case .only(let names) = self else { return self }
        return switch operation {
        case .writer: .only(names.union(["name"]))
        case .catalog: .only(names.union(["format"]))
        case .server, .listWriters, .creation, .encode: self
        }
    }

    fileprivate func check(_ query: [QueryItem]) throws(Problem) {
        guard !query.isEmpty, case .only(let known) = self else { return }
        for (index, item) in query.enumerated() {
            guard known.contains(item.name) else {
                let problem = Problem(
                    .unknownParameter, "There is no query parameter \"\(item.name)\" here.", parameter: item.name,
                    supported: known.sorted())
                throw problem.suggesting(ParameterSuggestion(for: item.name, at: .other, known: known.sorted()))
            }
            if query[..<index].contains(where: { $0.name == item.name }) {
                throw Problem(.invalidParameter, "\(item.name) is given more than once.", parameter: item.name)
            }
        }
    }
}

/// A request with its place in the API.
public struct RoutedRequest: Sendable {
    public let route: Route
    public let writer: WriterID?
    public let stream: Int?
    /// Of a muxer, an encoder, a filter, or one of the writer's outputs.
    public let name: String?

    public var operation: Operation { route.operation }
}

// Matching.
extension Route {
    private struct Parameters {
        var id: String?
        var index: String?
        var name: String?
    }

    /// The values of the template's parameters when the path fits.
    private func parameters(of segments: [String]) -> Parameters? {
        guard segments.count == parts.count else { return nil }
        var found = Parameters()
        for (part, segment) in zip(parts, segments) {
            switch part {
            case .id: found.id = segment
            case .index: found.index = segment
            case .name: found.name = segment
            // A template is ASCII without K, ; and `: it equals what has its bytes.
            case .word(let word): if word != segment { return nil }
            }
        }
        return found
    }

    /// Finds the route of a request. HEAD is taken wherever GET is.
    public static func match(_ head: RequestHead) throws(Problem) -> RoutedRequest {
        for route in all where route.method == head.method || route.method == .get && head.method == .head {
            guard let parameters = route.parameters(of: head.target.segments) else { continue }
            try route.query.check(head.target.query)
            guard let id = parameters.id else {
                return RoutedRequest(route: route, writer: nil, stream: nil, name: parameters.name)
            }
            guard let writer = WriterID(id) else {
                throw .malformedID(makesWriter: route.operation == .creation(.putWriter))
            }
            return RoutedRequest(
                route: route, writer: writer, stream: try streamIndex(parameters.index, of: writer), name: parameters.name)
        }
        let allowed = methods(of: head.target)
        if allowed.isEmpty { throw .nothing(at: head.target) }
        throw Problem(
            .methodNotAllowed, "\(head.target.rawPath) takes \(allowed.joined(separator: ", ")).",
            supported: allowed)
    }

    /// The methods that a path takes, or that any does for `*`.
    public static func methods(of target: RequestTarget) -> [String] {
        var methods: [String] = []
        for route in all where target.isAsterisk || route.parameters(of: target.segments) != nil {
            for method in route.method == .get ? ["GET", "HEAD"] : [route.method.rawValue]
            where !methods.contains(method) { methods.append(method) }
        }
        return methods
    }

    private static func streamIndex(_ text: String?, of writer: WriterID) throws(Problem) -> Int? {
        guard let text else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(text) else {
            throw .noStream(text, of: writer)
        }
        return index
    }
}
