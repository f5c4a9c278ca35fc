import HTTP1
import HTTPServer
import WriterModel

/// What went with an ended writer, and what did not. Names are as its clients know them.
public struct Deletion: Sendable, Equatable {
    /// Files that were the writer's.
    public var removed: [String] = []
    /// The writer's files that stay, as was asked for.
    public var kept: [String] = []
    /// Names of the writer's files under which others have put files of theirs, which stay.
    public var left: [String] = []
    /// Of the output that it had without a dst; nil: there was none.
    public var managedBytes: Int64?

    public init() {}
}

extension Response {
    private static let mostNames = 100

    public static func deleted(_ writer: WriterID, _ deletion: Deletion) -> Response {
        var body: JSONObject = ["id": .string(writer.text)]
        body["managed_output_bytes"] = deletion.managedBytes.map { .integer($0) }
        for (name, files) in [("removed", deletion.removed), ("kept", deletion.kept), ("left", deletion.left)] {
            body[name] = .array(files.prefix(mostNames).map { .string($0) })
            body["\(name)_count"] = .integer(Int64(files.count))
        }
        return .json(.object(body))
    }
}

extension RequestTarget {
    /// Whether a deletion is to leave the writer's output: `keep_output`.
    public func keepsOutput() throws(Problem) -> Bool {
        switch query("keep_output") {
        case nil, "false": false
        case "true": true
        default: throw Problem(.invalidParameter, "keep_output is true or false.", parameter: "keep_output", supported: ["true", "false"])
        }
    }
}

extension Problem {
    /// Of a deletion that is to leave the output of a writer that has not ended.
    public static func keepsOutput(ofLive state: WriterState?) -> Problem {
        Problem(
            .wrongState,
            "The writer has not ended, and what it has written so far may be no file that can be read: keep_output=true is for writers that have ended. Finalize it (POST …/finalize), then delete it with keep_output=true; or delete it without.",
            parameter: "keep_output", extras: state.map { [("state", .string($0.rawValue))] } ?? [])
    }
}
