import Logging
import Synchronization
import SystemIO
import WriterModel

/// The writers' folders under the state directory: `writers/{id}/record.json`, and beside it
/// the managed output. The encoder writes into its own folder while it lives; afterwards the
/// folder is the gateway's.
package final class RecordStore: Sendable {
    private let writers: Directory
    private let outputs: Directory
    /// Records there was no room for on disk: answered from here, and written when there is.
    private let unwritten = Mutex<[WriterID: WriterRecord]>([:])
    private let readers: Turnstile

    /// `readers`: how many threads may have a record open at a time.
    package init(stateDirectory: String, outputDirectory: String, readers: Int = 64) throws(SystemError) {
        self.readers = Turnstile(readers)
        writers = try Directory(path: stateDirectory + "/writers")
        outputs = try Directory(path: outputDirectory)
    }

    package func folderPath(_ writer: WriterID) -> String { "\(writers.path)/\(writer)" }

    /// Makes the writer's folder. Throws `isAlreadyThere` when there is one.
    package func makeFolder(_ writer: WriterID) throws(SystemError) { try writers.makeSubdirectory(writer.text) }

    package func removeFolder(_ writer: WriterID) throws(SystemError) {
        unwritten.withLock { _ = $0.removeValue(forKey: writer) }
        try writers.removeSubdirectory(writer.text)
    }

    /// Keeps the record of a writer whose encoder could not.
    package func save(_ record: WriterRecord, of writer: WriterID) throws(SystemError) {
        try writers.subdirectory(writer.text)
            .writeAtomically(WriterRecord.fileName, record.json.encoded)
    }

    /// Keeps a record in memory until `writeUnwritten` finds room for it.
    package func keep(_ record: WriterRecord, of writer: WriterID) {
        unwritten.withLock { $0[writer] = record }
    }

    /// Tries again what there was no room for. The first that fails is the last one tried: the disk
    /// is full for the others too.
    package func writeUnwritten() {
        for (writer, record) in unwritten.withLock({ $0 }) {
            do throws(SystemError) {
                try save(record, of: writer)
            } catch {
                // A folder that is gone was removed with its writer.
                if !error.isMissing { return }
            }
            unwritten.withLock { _ = $0.removeValue(forKey: writer) }
        }
    }

    /// Records that are in memory only.
    package var unwrittenCount: Int { unwritten.withLock { $0.count } }

    /// The writer's record; nil when there is none that can be read.
    package func record(of writer: WriterID) -> WriterRecord? {
        if let record = unwritten.withLock({ $0[writer] }) { return record }
        let read = readers.passing { try? writers.subdirectory(writer.text).readFile(WriterRecord.fileName) }
        guard let bytes = read,
            let json = try? JSONParser.parse(bytes)
        else { return nil }
        return WriterRecord(json: json)
    }

    /// Whether an encoder still holds the writer's folder.
    package func isHeld(_ writer: WriterID) -> Bool {
        guard let folder = try? writers.subdirectory(writer.text) else { return false }
        return !folder.lock()
    }

    /// The output of a writer that has ended, for reading. The caller owns the descriptor.
    package func openOutput(of writer: WriterID, _ record: WriterRecord) throws(SystemError) -> Int32? {
        if let file = record.managedFile { return try writers.subdirectory(writer.text).openFile(file) }
        guard record.outputFiles.count == 1 else { return nil }
        return try outputs.openFile(record.outputFiles[0])
    }

    /// Removes an output that was to replace a file and never did: its encoder has died.
    func clearLeftovers(of writer: WriterID, _ record: WriterRecord, _ log: Logger) {
        guard let destination = record.outputFiles.first else { return }
        let path = TemporaryOutput.path(beside: destination, for: writer)
        guard outputs.contains(path) else { return }
        do throws(SystemError) {
            try outputs.removeFile(path)
            log.warning("an unfinished output was removed", metadata: ["writer": "\(writer)", "file": "\(path)"])
        } catch {
            log.error("an unfinished output can't be removed", metadata: ["writer": "\(writer)", "error": "\(error)"])
        }
    }

    /// Removes all that the writer left: its files under the output directory and its folder.
    package func remove(_ writer: WriterID, _ record: WriterRecord?) throws(SystemError) {
        for file in record?.outputFiles ?? [] { try outputs.removeFile(file) }
        try removeFolder(writer)
    }

    /// The writers that have a folder.
    package func all() throws(SystemError) -> [WriterID] { try writers.entries().compactMap(WriterID.init) }
}
