import APICore
import Bytewise
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// A writer whose encoder is gone: everything about it is in its record and its files.
package struct EndedWriter {
    let writer: WriterID
    let record: WriterRecord
    let records: RecordStore
    /// Told with the writer: to callers that see every owner's.
    private let shownOwner: String?
    private let shown: JSONObject

    /// `shown`: the record's resource with what the server knows beside it.
    package init(writer: WriterID, record: WriterRecord, records: RecordStore, shownOwner: String? = nil, shown: JSONObject? = nil) {
        self.shown = shown ?? record.resource
        self.writer = writer
        self.record = record
        self.records = records
        self.shownOwner = shownOwner
    }

    var resource: JSONObject { shown.naming(owner: shownOwner) }

    /// The response to what can be asked of an ended writer but its deletion, which the registry has to know of.
    /// `output`: its name, of the request that has one.
    package func response(
        to operation: WriterOperation, stream: Int?, output: String? = nil, head: RequestHead
    ) throws(Problem) -> Response {
        switch operation {
        case .getWriter: return try .resource(.object(resource), as: .writer, to: head)
        case .finalizeWriter where record.state == .closed: return .json(.object(resource))
        case .getOutput: return try response(with: nil, head)
        case .getNamedOutput: return try response(with: output ?? "", head)
        case .getUploadOffset: return try offset(of: stream)
        case .finalizeWriter, .deleteWriter, .addStream, .setMetadata, .openWriter, .flushWriter, .writeChunk, .requestKeyFrame, .changeStream,
            .addOutput, .removeOutput, .retryOutput: throw wrongState
        }
    }

    /// The response to a `PUT` of the same id or, with `keyed`, to a `POST` with the same Idempotency-Key.
    package func response(toCreation request: JSONValue?, keyed: Bool = false) throws(Problem) -> Response {
        guard CreationFingerprint.of(request ?? .object([:])) == record.creationFingerprint else {
            if keyed { throw .keyReused(by: writer) }
            throw Problem(
                .writerExists, "A writer \(writer) exists and was created by another request. Choose another id, or delete it first.",
                parameter: "id")
        }
        return .json(
            .object(resource), status: keyed ? .created : .ok,
            fields: [("Location", "/v1/writers/\(writer)")])
    }

    private var wrongState: Problem {
        let state = record.state.rawValue
        return Problem(
            .wrongState, "The writer is \(state): it takes nothing more. Create another writer.",
            extras: [
                ("state", .string(state)),
                ("failure", record.resource["failure"] ?? .null),
            ].filter { $0.1 != .null })
    }

    /// `name`: nil of the first.
    private func response(with name: String?, _ head: RequestHead) throws(Problem) -> Response {
        let recorded = try output(named: name)
        let output: RecordStore.Output
        do throws(SystemError) {
            output = try records.openOutput(recorded, of: writer, record)
        } catch {
            if error.isOutOfDescriptors {
                throw Problem(.overloaded, "The writer's output can't be opened now. Try again.")
            }
            if error.isMissing, record.state == .failed, record.resource["bytes_written"] == .integer(0) {
                throw Problem(.notFound, "The writer has no output: it failed before anything was written. GET /v1/writers/\(writer) says why.")
            }
            if error.isMissing {
                throw Problem(.outputReplaced, "The writer's output is gone: another program has removed or renamed it.")
            }
            throw Problem(.notFound, "The writer's output can't be read: \(error.description).")
        }
        switch consume output {
        case .file(let file, let name):
            return try .output(OpenFile(owning: file.take()), name: name, mediaType: recorded.mediaType, state: record.state, head: head)
        case .none:
            if let name { throw .unreadableOutput(name, "it is not one file that Penstock keeps") }
            throw Problem(.notFound, "The writer's output is not one file that Penstock keeps.")
        case .replaced(let name):
            throw Problem(
                .outputReplaced,
                "\(name) is not the file that the writer made: another writer (with \"overwrite\": true) or program has replaced it since.")
        }
    }

    private func output(named name: String?) throws(Problem) -> RecordedOutput {
        let outputs = record.outputs.isEmpty ? [first] : record.outputs
        guard let name else { return first }
        if let found = outputs.first(where: { $0.name.isSame(as: name) }) { return found }
        throw .noOutput(name, of: writer, there: outputs.map(\.name))
    }

    /// As records of every version have it. What its encoder died on, the ledger tells.
    private var first: RecordedOutput {
        let recorded = record.outputs.first
        let own = record.outputs.count > 1 ? recorded?.file : record.outputFiles.count == 1 ? record.outputFiles[0] : nil
        return RecordedOutput(
            name: recorded?.name ?? RecordedOutput.onlyName, managedFile: record.managedFile, file: own,
            fileExtension: record.fileExtension, mediaType: record.mediaType)
    }

    private func offset(of index: Int?) throws(Problem) -> Response {
        guard let index, let streams = record.resource["streams"]?.arrayValue, streams.indices.contains(index),
            let offset = streams[index].objectValue?["offset"]?.integerValue
        else { throw .noStream(index.map(String.init) ?? "", of: writer) }
        return Response(.noContent, fields: [("Upload-Offset", String(offset))])
    }
}
