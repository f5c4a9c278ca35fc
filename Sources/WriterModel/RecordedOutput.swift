import Bytewise

/// One of a writer's outputs as its record has it: what the server needs to serve it, beside what `GET` shows.
public struct RecordedOutput: Sendable, Equatable {
    public var name: String
    /// In the writer's own folder; nil: it had a `dst`.
    public var managedFile: String?
    /// The one file under the output directory that it is, relative to that; nil: it is none, or several.
    public var file: String?
    /// Of the managed output, as its clients are to call it; nil: that of the file.
    public var fileExtension: String?
    public var mediaType: String

    public init(name: String, managedFile: String? = nil, file: String? = nil, fileExtension: String? = nil, mediaType: String) {
        self.name = name
        self.managedFile = managedFile
        self.file = file
        self.fileExtension = fileExtension
        self.mediaType = mediaType
    }

    /// Of a writer that was made without `outputs`.
    public static let onlyName = "main"

    var json: JSONValue {
        [
            "name": .string(name),
            "managed_file": managedFile.map { .string($0) } ?? .null,
            "file": file.map { .string($0) } ?? .null,
            "file_extension": fileExtension.map { .string($0) } ?? .null,
            "media_type": .string(mediaType),
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let name = object["name"]?.stringValue else { return nil }
        self.init(
            name: name, managedFile: object["managed_file"]?.stringValue, file: object["file"]?.stringValue,
            fileExtension: object["file_extension"]?.stringValue, mediaType: object["media_type"]?.stringValue ?? "application/octet-stream")
    }
}

extension Problem {
    /// Of a name that no output of the writer has.
    public static func noOutput(_ name: String, of writer: WriterID, there names: [String]) -> Problem {
        Problem(
            .outputNotFound, "The writer \(writer) has no output \(name.shortened()).", parameter: "output", supported: names)
    }

    /// Of an output that is no file of the server's, or not one.
    public static func unreadableOutput(_ name: String, _ what: String) -> Problem {
        Problem(.notFound, "The output \(name) can't be read here: \(what).")
    }
}

extension JSONObject {
    /// In the resource of a writer that has ended: what has not been closed never will be.
    mutating func breakOffOutputs() {
        guard let outputs = self["outputs"]?.arrayValue else { return }
        self["outputs"] = .array(
            outputs.map { told in
                guard var output = told.objectValue, output["state"] != "closed" else { return told }
                output["state"] = "failed"
                return .object(output)
            })
    }
}
