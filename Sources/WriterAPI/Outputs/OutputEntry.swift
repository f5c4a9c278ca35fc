import StreamWriter
import WriterModel

/// An output that came when the writer was open: in what is told of it, from its request on and after its end.
struct OutputEntry: Sendable {
    let planned: PlannedOutput
    let request: OutputRequest
    /// What it may come to in the writer's record, and once a file has ended does.
    var recordBytes: Int
    /// Of a file that the server keeps, once it is there.
    var file: File?
    /// What was found when it came.
    var warnings: [Warning] = []
    /// It is being opened.
    var isJoining = true
    /// A request removes it meanwhile.
    var isGivenUp = false
    /// It was ended before the writer.
    var hasLeft = false

    /// A file that the server keeps, and how it grows: its end may come before the writer's.
    struct File: Sendable {
        let place: WriterOutput
        let growth: OutputNotifier
        /// What came of it.
        var end: OutputEnd?
    }

    init(planned: PlannedOutput, request: OutputRequest) {
        (self.planned, self.request) = (planned, request)
        recordBytes = request.recordBytes
    }

    var name: String { request.name }
    var muxer: String { planned.plan.muxer.name }

    /// It was ended before the writer, and is to be sent again.
    var isKept = false

    /// It has left, and no file of it is there.
    var mayBeForgotten: Bool { hasLeft && file == nil && !isKept }

    private func progress(_ writer: StreamWriter) -> OutputProgress {
        writer.progress(ofOutput: name) ?? OutputProgress(.opening)
    }

    func json(_ writer: StreamWriter, _ redaction: Redaction) -> JSONObject {
        var object = request.json(progress(writer), muxer: muxer, redaction)
        if !warnings.isEmpty { object["warnings"] = .array(warnings.map { .object(StreamRequest.json($0)) }) }
        return object
    }

    /// What did not reach it, and what it could not have.
    func allWarnings(_ writer: StreamWriter, _ redaction: Redaction) -> [Warning] {
        let failures = file?.end?.failure.map { [request.failed(because: $0, redaction)] } ?? []
        return warnings + request.warnings(progress(writer), redaction) + failures
    }
}
