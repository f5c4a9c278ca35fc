/// What is known of a writer: the resource as `GET` shows it, and beside it what the server
/// needs to serve its output and to remove it. An encoder sends it to the gateway whenever
/// it changes (then it is a snapshot); the last one is kept on disk as the final record.
public struct WriterRecord: Sendable, Equatable {
    /// The body of `GET /v1/writers/{id}`.
    public var resource: JSONObject
    /// The managed output's file in the writer's own folder; nil when `dst` was given.
    public var managedFile: String?
    /// Of the managed output, as its clients are to call it; nil: that of the file.
    public var fileExtension: String?
    /// Files written under the output directory, relative to it.
    public var outputFiles: [String]
    public var mediaType: String
    /// The writer's outputs in their order, the first one among them; none in records of versions that had only one.
    public var outputs: [RecordedOutput]
    /// Tells the same creation request from another one, for a repeated `PUT`.
    public var creationFingerprint: String
    /// The Idempotency-Key of that request, if it had one.
    public var idempotencyKey: String?

    public init(
        resource: JSONObject, managedFile: String?, fileExtension: String? = nil, outputFiles: [String], mediaType: String,
        outputs: [RecordedOutput] = [], creationFingerprint: String, idempotencyKey: String? = nil
    ) {
        self.resource = resource
        self.managedFile = managedFile
        self.fileExtension = fileExtension
        self.outputFiles = outputFiles
        self.mediaType = mediaType
        self.outputs = outputs
        self.creationFingerprint = creationFingerprint
        self.idempotencyKey = idempotencyKey
    }

    public var state: WriterState {
        resource["state"]?.stringValue.flatMap(WriterState.init(rawValue:)) ?? .failed
    }

    public var createdAt: String { resource["created_at"]?.stringValue ?? "" }

    public var endedAt: String? { resource["ended_at"]?.stringValue }

    /// The same writer, failed with `problem`.
    public func failed(with problem: Problem, at moment: Timestamp) -> WriterRecord {
        var record = self
        record.resource["state"] = .string(WriterState.failed.rawValue)
        record.resource["ended_at"] = .string(moment.description)
        record.resource["encoder_pid"] = nil
        record.resource["failure"] = problem.json
        record.resource.breakOffUploads(at: moment)
        record.resource.breakOffOutputs()
        return record
    }

    /// The same as it goes to the gateway: lists of files grow with time, and are on disk.
    public var withoutFiles: WriterRecord {
        var record = self
        record.outputFiles = []
        if var result = resource["result"]?.objectValue, result["files"] != nil {
            result["files"] = nil
            record.resource["result"] = .object(result)
        }
        if let outputs = resource["outputs"]?.arrayValue {
            record.resource["outputs"] = .array(
                outputs.map { output in
                    guard var object = output.objectValue else { return output }
                    object["files"] = nil
                    if var verified = object["verified"]?.objectValue {
                        verified["streams"] = nil
                        object["verified"] = .object(verified)
                    }
                    return .object(object)
                })
        }
        return record
    }

    public var json: JSONValue {
        [
            "version": 1,
            "writer": .object(resource),
            "managed_file": managedFile.map { .string($0) } ?? .null,
            "file_extension": fileExtension.map { .string($0) } ?? .null,
            "output_files": .array(outputFiles.map { .string($0) }),
            "media_type": .string(mediaType),
            "outputs": .array(outputs.map(\.json)),
            "creation_fingerprint": .string(creationFingerprint),
            "idempotency_key": idempotencyKey.map { .string($0) } ?? .null,
        ]
    }

    /// Reads what `json` wrote; nil when it is something else.
    public init?(json: JSONValue) {
        guard let object = json.objectValue, object["version"] == .integer(1),
            let resource = object["writer"]?.objectValue
        else { return nil }
        self.init(
            resource: resource,
            managedFile: object["managed_file"]?.stringValue,
            fileExtension: object["file_extension"]?.stringValue,
            outputFiles: object["output_files"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            mediaType: object["media_type"]?.stringValue ?? "application/octet-stream",
            outputs: object["outputs"]?.arrayValue?.compactMap(RecordedOutput.init(json:)) ?? [],
            creationFingerprint: object["creation_fingerprint"]?.stringValue ?? "",
            idempotencyKey: object["idempotency_key"]?.stringValue)
    }

    // MARK: The file

    // `{"first":"…"`, a line's end, and once the writer has ended `,"version":1,…}`: the last record is added to the first,
    // which costs a file system less than a file that takes another's place. As it is only added to, the first is there
    // wherever a process is killed or the power lost; and once all is there it is JSON, with the last record as every
    // version and program reads it.

    /// Its name in the writer's own folder.
    public static let fileName = "record.json"

    /// The file of a writer that has not ended.
    public var firstText: [UInt8] { Self.opening + JSONValue.string(String(decoding: json.encoded, as: UTF8.self)).encoded + [Self.newline] }

    /// What is added to that when it has.
    public var lastText: [UInt8] { [UInt8(ascii: ",")] + json.encoded.dropFirst() }

    /// The last record that is whole; nil where there is none.
    public init?(file bytes: [UInt8]) {
        if let json = Self.parse(bytes[...]) {
            self.init(json: json)
        } else {
            guard bytes.starts(with: Self.opening), let end = bytes.firstIndex(of: Self.newline),
                // What is whole and no JSON is damaged.
                bytes.last(where: { $0 != 0 }) != UInt8(ascii: "}"),
                let first = Self.parse(bytes[..<end] + [UInt8(ascii: "}")])?.objectValue?["first"]?.stringValue,
                let json = Self.parse(Array(first.utf8)[...])
            else { return nil }
            self.init(json: json)
        }
    }

    private static let opening = Array("{\"first\":".utf8)
    private static let newline = UInt8(ascii: "\n")

    private static func parse(_ text: ArraySlice<UInt8>) -> JSONValue? {
        try? JSONParser.parse(Array(text), mostValues: RecordBounds.fileValues)
    }
}
