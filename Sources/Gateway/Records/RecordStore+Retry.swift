import APICore
import Bytewise
import SystemIO
import WriterModel

// What is kept of outputs that could not be sent.
extension RecordStore {
    /// The outputs of which something is kept.
    func keptOutputs(of writer: WriterID) -> Set<String> {
        guard let folder = try? writers.subdirectory(writer.key) else { return [] }
        return Set(KeptSpools.list(in: folder).keys)
    }

    /// Bytes of them; what was never finished goes.
    func settleSpools(of writer: WriterID) -> Int64 {
        (try? writers.subdirectory(writer.key)).map { KeptSpools.settle(in: $0) } ?? 0
    }

    struct Spool: ~Copyable {
        let order: RetryOrder
        let file: Descriptor
    }

    /// nil: nothing is kept of the output.
    func openSpool(of output: String, of writer: WriterID) throws(SystemError) -> Spool? {
        let folder = try writers.subdirectory(writer.key)
        let name = KeptSpools.folder(of: output)
        guard WriterID.isName(output), folder.kind(of: "\(name)/\(KeptSpools.fileName)") == .file else { return nil }
        let bytes = try folder.readFile("\(name)/\(KeptSpools.orderName)", most: RecordBounds.fileBytes)
        // What has been tampered with is nothing that could be sent.
        guard let order = (try? JSONParser.parse(bytes)).flatMap(RetryOrder.init(json:)) else { return nil }
        return Spool(order: order, file: Descriptor(owning: try folder.openFile("\(name)/\(KeptSpools.fileName)")))
    }

    /// What was kept of the output is there. The record is put right before what is kept goes. True: a writer that had
    /// failed is closed by it.
    func noteSent(_ output: String, of writer: WriterID, in registry: Registry) throws(SystemError) -> Bool {
        guard var record = record(of: writer) else { return false }
        let before = record.state
        let folder = try writers.subdirectory(writer.key)
        record.noteSent(output: output, bytes: KeptSpools.list(in: folder)[output] ?? 0)
        try replace(record, of: writer)
        try KeptSpools.remove(output, in: folder)
        end(writer, as: record.state, at: record.endedAt.flatMap(Timestamp.init) ?? .now(), in: registry)
        return before == .failed && record.state == .closed
    }

    func noteNotSent(_ output: String, of writer: WriterID, because problem: Problem) throws(SystemError) {
        guard var record = record(of: writer) else { return }
        record.noteNotSent(output: output, because: problem)
        try replace(record, of: writer)
    }

    private func replace(_ record: WriterRecord, of writer: WriterID) throws(SystemError) {
        if isUnwritten(writer) { return keep(record, of: writer) }
        try save(record, of: writer)
    }
}
