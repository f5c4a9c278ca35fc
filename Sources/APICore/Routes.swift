import Bytewise
import HTTP1
import WriterModel

/// What a request asks for.
public enum Operation: String, Sendable, CaseIterable {
    case createWriter, listWriters
    case putWriter, getWriter, deleteWriter
    case addStream, setMetadata, openWriter, flushWriter, finalizeWriter
    case writeChunk, getChunkOffset
    case getOutput
    case encode
    case listMuxers, getMuxer, listOutputDevices, listAudioEncoders, listVideoEncoders, getEncoder
    case listFilters, listOutputProtocols
    case getVersion, getLiveness, getReadiness, getMetrics, getOpenAPI
}

/// The one table of routes. `openapi.yaml` is held against it by a test.
public struct Route: Sendable {
    public let method: HTTPMethod
    /// As in openapi.yaml: "/v1/writers/{id}".
    public let template: String
    public let operation: Operation
    private let parts: [String]

    private init(_ method: HTTPMethod, _ template: String, _ operation: Operation) {
        self.method = method
        self.template = template
        self.operation = operation
        parts = template.parts(at: "/", omittingEmpty: true)
    }

    public static let all: [Route] = [
        Route(.post, "/v1/writers", .createWriter),
        Route(.get, "/v1/writers", .listWriters),
        Route(.put, "/v1/writers/{id}", .putWriter),
        Route(.get, "/v1/writers/{id}", .getWriter),
        Route(.delete, "/v1/writers/{id}", .deleteWriter),
        Route(.post, "/v1/writers/{id}/streams", .addStream),
        Route(.put, "/v1/writers/{id}/metadata", .setMetadata),
        Route(.post, "/v1/writers/{id}/open", .openWriter),
        Route(.post, "/v1/writers/{id}/streams/{index}/chunks", .writeChunk),
        Route(.head, "/v1/writers/{id}/streams/{index}/chunks", .getChunkOffset),
        Route(.post, "/v1/writers/{id}/flush", .flushWriter),
        Route(.post, "/v1/writers/{id}/finalize", .finalizeWriter),
        Route(.get, "/v1/writers/{id}/output", .getOutput),
        Route(.post, "/v1/encode", .encode),
        Route(.get, "/v1/muxers", .listMuxers),
        Route(.get, "/v1/muxers/{name}", .getMuxer),
        Route(.get, "/v1/output-devices", .listOutputDevices),
        Route(.get, "/v1/audio-encoders", .listAudioEncoders),
        Route(.get, "/v1/video-encoders", .listVideoEncoders),
        Route(.get, "/v1/encoders/{name}", .getEncoder),
        Route(.get, "/v1/filters", .listFilters),
        Route(.get, "/v1/output-protocols", .listOutputProtocols),
        Route(.get, "/v1/version", .getVersion),
        Route(.get, "/livez", .getLiveness),
        Route(.get, "/readyz", .getReadiness),
        Route(.get, "/metrics", .getMetrics),
        Route(.get, "/openapi.yaml", .getOpenAPI),
    ]

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
            case "{id}": found.id = segment
            case "{index}": found.index = segment
            case "{name}": found.name = segment
            // A template is ASCII without K, ; and `: it equals what has its bytes.
            default: if part != segment { return nil }
            }
        }
        return found
    }

    /// A query parameter nobody reads is an error, and so is one given twice: only one of them
    /// could count.
    private func check(_ query: [QueryItem]) throws(Problem) {
        guard !query.isEmpty, let known = operation.queryParameters else { return }
        for (index, item) in query.enumerated() {
            guard known.contains(item.name) else {
                throw Problem(
                    .unknownParameter, "There is no query parameter \"\(item.name)\" here.", parameter: item.name,
                    supported: known.sorted())
            }
            if query[..<index].contains(where: { $0.name == item.name }) {
                throw Problem(.invalidParameter, "\(item.name) is given more than once.", parameter: item.name)
            }
        }
    }

    /// Finds the route of a request. HEAD is taken wherever GET is.
    public static func match(_ head: RequestHead) throws(Problem) -> RoutedRequest {
        var allowed: [String] = []
        for route in all {
            guard let parameters = route.parameters(of: head.target.segments) else { continue }
            allowed.append(route.method.rawValue)
            let takesHead = route.method == .get && head.method == .head
            guard route.method == head.method || takesHead else { continue }
            try route.check(head.target.query)
            guard let id = parameters.id else {
                return RoutedRequest(operation: route.operation, writer: nil, stream: nil, name: parameters.name)
            }
            guard let writer = WriterID(id) else { throw .malformedID(makesWriter: route.operation == .putWriter) }
            return RoutedRequest(
                operation: route.operation, writer: writer, stream: try streamIndex(parameters.index, of: writer),
                name: nil)
        }
        if allowed.isEmpty { throw Problem(.notFound, "There is nothing at \(head.target.rawPath).") }
        if allowed.contains("GET") { allowed.append("HEAD") }  // ASCII
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

/// A request with its place in the API.
public struct RoutedRequest: Sendable {
    public let operation: Operation
    public let writer: WriterID?
    public let stream: Int?
    /// Of a muxer or encoder.
    public let name: String?
}

extension Operation {
    /// Of its query; nil where the handler knows best.
    fileprivate var queryParameters: Set<String>? {
        switch self {
        case .listWriters: ["state", "limit", "cursor", "name"]
        case .createWriter: ["dry_run"]
        case .writeChunk: ["pts", "duration", "name"]
        case .encode: nil
        // A probe's or a scraper's query is nobody's mistake.
        case .getLiveness, .getReadiness, .getMetrics: nil
        default: isAboutWriter ? ["name"] : []
        }
    }

    /// What a token must allow for it.
    public var scope: TokenScopes {
        switch self {
        case .listWriters, .getWriter, .getChunkOffset, .getOutput: .read
        case .getLiveness, .getReadiness, .getMetrics, .getOpenAPI: .read
        default: isAboutLibav ? .read : .write
        }
    }

    /// Whether its body is JSON, or empty, and short: what a writer's bytes are not.
    public var takesJSON: Bool {
        switch self {
        case .createWriter, .putWriter, .addStream, .setMetadata, .openWriter, .flushWriter, .finalizeWriter: true
        default: false
        }
    }

    /// For whoever runs the server rather than for its clients.
    public var isOperational: Bool {
        switch self {
        case .getLiveness, .getReadiness, .getMetrics, .getOpenAPI: true
        default: false
        }
    }

    /// Whether it is about a writer that is there, its own or, for whoever sees them all, another's.
    public var isAboutWriter: Bool {
        switch self {
        case .getWriter, .deleteWriter, .addStream, .setMetadata, .openWriter, .flushWriter, .finalizeWriter, .writeChunk,
            .getChunkOffset, .getOutput:
            true
        default: false
        }
    }

    /// Whether libav is asked: what the gateway can't answer itself.
    public var isAboutLibav: Bool {
        switch self {
        case .listMuxers, .getMuxer, .listOutputDevices, .listAudioEncoders, .listVideoEncoders, .getEncoder,
            .listFilters, .listOutputProtocols, .getVersion:
            true
        default: false
        }
    }
}

extension Problem {
    public static func keyReused(by writer: WriterID) -> Problem {
        Problem(
            .idempotencyKeyReused,
            "The Idempotency-Key belongs to the request that made the writer \(writer), which had another body. Choose another key.",
            parameter: "Idempotency-Key", extras: [("writer", .string(writer.text))])
    }

    /// Its encoder is gone, or about to be, and how it ended is not settled yet.
    public static func justEnding(_ writer: WriterID) -> Problem {
        Problem(.overloaded, "The writer \(writer) is just ending. Try again for how it ended.")
    }

    public static func noWriter(_ id: String) -> Problem {
        Problem(
            .writerNotFound, "There is no writer \(id) that this request may ask for. GET /v1/writers lists those there are.",
            parameter: "id")
    }

    /// No writer has such an id; to make one of it is a mistake in the request.
    fileprivate static func malformedID(makesWriter: Bool) -> Problem {
        Problem(
            makesWriter ? .invalidParameter : .writerNotFound,
            "A writer's id is 1 to \(WriterID.maxLength) of A-Z a-z 0-9 _ -.", parameter: "id")
    }

    public static func noStream(_ index: String, of writer: WriterID) -> Problem {
        Problem(
            .streamNotFound,
            "The writer \(writer) has no stream \(index). Streams are numbered from 0 in the order they were added.",
            parameter: "index")
    }
}
