import StreamWriter
import WriterModel

/// The body of `POST /v1/writers` and `PUT /v1/writers/{id}`.
package struct CreateRequest: Sendable {
    package var dst: String?
    package var format: String?
    package var bufferSize: Int?
    package var overwrite: Bool
    /// Whether the finished output is read back; nil: as the server does.
    package var verify: Bool?
    package var metadata: [String: String]
    /// Of a dst that is uploaded to.
    package var uploadFields = UploadFields.none
    /// Where the writer's end is told.
    package var callbackURL: String?
    package var streams: [StreamRequest]
    /// Open at once, with these options.
    package var open: OpenRequest?
    /// Where packets go, by name; empty: to `dst` alone. The first one's members are the request's own.
    package var outputs: [OutputRequest] = []
    package let fingerprint: String

    /// That libav or the destination may find at fault.
    static let members = ["dst", "format", "buffer_size", "metadata", "open"] + UploadFields.members

    package init(_ body: JSONValue?) throws(Problem) {
        let body = body ?? .object([:])
        var fields = try FieldReader(body, .writer)
        fingerprint = CreationFingerprint.of(body)
        dst = try fields.string("dst")
        format = try fields.string("format")
        bufferSize = try fields.count("buffer_size")
        overwrite = try fields.bool("overwrite") ?? false
        verify = try fields.bool("verify")
        metadata = try fields.map("metadata") ?? [:]
        uploadFields = try UploadFields(&fields)
        callbackURL = try fields.string("callback_url")
        let (streamBodies, openBody) = (try fields.array("streams") ?? [], fields.value("open"))
        let outputBodies = try fields.array("outputs")
        try fields.refuseUnknown()
        streams = []
        for (index, stream) in streamBodies.enumerated() { streams.append(try StreamRequest(stream, at: "/streams/\(index)")) }
        switch openBody {
        case nil, .bool(false): open = nil
        case .bool(true): open = OpenRequest()
        case let json?: open = try OpenRequest(json, at: "/open")
        }
        if let outputBodies { try readOutputs(outputBodies, fields) }
        if let flaw = callbackURL.flatMap(CallbackPolicy.flaw(ofURL:)) { throw fields.problem("callback_url", flaw) }
        if dst == nil && format == nil {
            throw fields.problem("format", "is needed when dst is not given: there is no name to tell it from")
        }
        if open != nil && streams.isEmpty { throw fields.problem("open", "needs at least one of streams") }
    }
}

extension CreateRequest {
    static let ofFirstOutput = ["dst", "format", "buffer_size", "overwrite"] + UploadFields.members

    /// Once everything else is read.
    private mutating func readOutputs(_ bodies: [JSONValue], _ fields: FieldReader) throws(Problem) {
        if let other = Self.ofFirstOutput.first(where: fields.names.contains) {
            throw fields.problem(other, "can't stand beside outputs, each of which has its own")
        }
        if open?.option.isEmpty == false { throw fields.problem("open", "can't have options beside outputs, each of which has its own in option") }
        for (index, body) in bodies.enumerated() {
            let output = try OutputRequest(body, at: "/outputs/\(index)")
            if outputs.contains(where: { $0.name.isSame(as: output.name) }) {
                throw fields.problem("outputs", "has two of the name \(output.name)")
            }
            outputs.append(output)
        }
        guard let first = outputs.first else { throw fields.problem("outputs", "must have at least one") }
        let metadata = metadata
        self = of(first)
        self.metadata = metadata
    }

    /// The writer that would encode the same.
    init(_ encoding: EncodeRequest) {
        format = encoding.format
        overwrite = false
        metadata = encoding.metadata
        streams = [encoding.stream]
        open = OpenRequest(option: encoding.option)
        fingerprint = ""
    }
}

/// The body of `POST …/open`.
package struct OpenRequest: Sendable {
    package var option: [String: String] = [:]

    package init(option: [String: String] = [:]) { self.option = option }

    package init(_ json: JSONValue, at pointer: String = "") throws(Problem) {
        var fields = try FieldReader(json, at: pointer, .open)
        option = try fields.map("option") ?? [:]
        try fields.finish()
    }
}
