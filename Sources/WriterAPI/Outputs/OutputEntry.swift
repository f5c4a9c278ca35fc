import StreamWriter
import WriterModel

/// One of a writer's outputs, in what is told of it: from the request that names it on, and after its end.
struct OutputEntry: Sendable {
    let request: OutputRequest
    let muxer: String
    /// What was found when it came later than the writer's streams.
    var warnings: [Warning] = []
    /// It is being opened, beside an open writer.
    var isJoining = false
    /// What became of one that was ended before the writer.
    var ended: OutputProgress?

    var name: String { request.name }

    func progress(_ writer: StreamWriter) -> OutputProgress {
        ended ?? writer.progress(ofOutput: name) ?? OutputProgress(isJoining ? .opening : .configuring)
    }

    func json(_ writer: StreamWriter, _ redaction: Redaction) -> JSONObject {
        var object = request.json(progress(writer), muxer: muxer, redaction)
        if !warnings.isEmpty { object["warnings"] = .array(warnings.map { .object(StreamRequest.json($0)) }) }
        return object
    }

    /// What did not reach it, and what it could not have.
    func allWarnings(_ writer: StreamWriter, _ redaction: Redaction) -> [Warning] {
        warnings + request.warnings(progress(writer), redaction)
    }
}
