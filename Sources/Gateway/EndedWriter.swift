import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// A writer whose encoder is gone: everything about it is in its record and its files.
package struct EndedWriter {
    let writer: WriterID
    let record: WriterRecord
    let records: RecordStore

    package init(writer: WriterID, record: WriterRecord, records: RecordStore) {
        self.writer = writer
        self.record = record
        self.records = records
    }

    /// Answers what an ended writer can be asked. `delete` also makes the registry forget.
    package func response(to operation: Operation, stream: Int?, head: RequestHead) throws(Problem) -> Response {
        switch operation {
        case .getWriter: return .json(.object(record.resource))
        case .finalizeWriter where record.state == .closed: return .json(.object(record.resource))
        case .getOutput: return try output(head)
        case .getChunkOffset: return try offset(of: stream)
        default: throw wrongState
        }
    }

    /// The answer to a `PUT` of the same id.
    package func response(toCreation request: JSONValue?, keyed: Bool = false) throws(Problem) -> Response {
        guard CreationFingerprint.of(request ?? .object([:])) == record.creationFingerprint else {
            if keyed { throw .keyReused(by: writer) }
            throw Problem(
                .writerExists, "A writer \(writer) exists and was created by another request. Choose another id, or delete it first.",
                parameter: "id")
        }
        return .json(
            .object(record.resource), status: keyed ? .created : .ok,
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

    private func output(_ head: RequestHead) throws(Problem) -> Response {
        let descriptor: Int32?
        do throws(SystemError) {
            descriptor = try records.openOutput(of: writer, record)
        } catch {
            if error.isOutOfDescriptors {
                throw Problem(.overloaded, "The writer's output can't be opened now. Try again.")
            }
            throw Problem(.notFound, "The writer's output is gone: \(error.description).")
        }
        guard let descriptor else {
            throw Problem(.notFound, "The writer's output is not one file that Penstock keeps.")
        }
        let path = record.managedFile.map { _ in "\(writer).\(fileExtension)" } ?? record.outputFiles[0]
        let name = path.split(separator: "/").last.map(String.init) ?? writer.text
        return try .output(OpenFile(owning: descriptor), name: name, mediaType: record.mediaType, head: head)
    }

    private var fileExtension: String {
        record.managedFile?.split(separator: ".").last.map(String.init) ?? "bin"
    }

    private func offset(of index: Int?) throws(Problem) -> Response {
        guard let index, let streams = record.resource["streams"]?.arrayValue, streams.indices.contains(index),
            let offset = streams[index].objectValue?["offset"]?.integerValue
        else { throw .noStream(index.map(String.init) ?? "", of: writer) }
        return Response(.noContent, fields: [("Upload-Offset", String(offset))])
    }
}
