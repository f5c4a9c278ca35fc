import StreamWriter
import WriterModel

/// The body of `POST /v1/writers` and `PUT /v1/writers/{id}`.
struct CreateRequest {
    var dst: String?
    var format: String?
    var bufferSize: Int?
    var overwrite: Bool
    var metadata: [String: String]
    var streams: [StreamRequest]
    /// Open at once, with these options.
    var open: OpenRequest?
    let fingerprint: String

    init(_ body: JSONValue?) throws(Problem) {
        let body = body ?? .object([:])
        var fields = try FieldReader(body)
        fingerprint = CreationFingerprint.of(body)
        dst = try fields.string("dst")
        format = try fields.string("format")
        bufferSize = try fields.integer("buffer_size")
        overwrite = try fields.bool("overwrite") ?? false
        metadata = try fields.map("metadata") ?? [:]
        streams = []
        for (index, stream) in (try fields.array("streams") ?? []).enumerated() {
            streams.append(try StreamRequest(stream, at: "/streams/\(index)"))
        }
        switch fields.value("open") {
        case nil, .bool(false): open = nil
        case .bool(true): open = OpenRequest()
        case let json?: open = try OpenRequest(json, at: "/open")
        }
        try fields.finish()
        if dst == nil && format == nil {
            throw fields.problem("format", "is needed when dst is not given: there is no name to tell it from")
        }
        if open != nil && streams.isEmpty { throw fields.problem("open", "needs at least one of streams") }
    }
}

/// The body of `POST …/open`.
struct OpenRequest {
    var option: [String: String] = [:]

    init() {}

    init(_ json: JSONValue, at pointer: String = "") throws(Problem) {
        var fields = try FieldReader(json, at: pointer)
        option = try fields.map("option") ?? [:]
        try fields.finish()
    }
}
