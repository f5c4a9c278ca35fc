import APICore
import Bytewise
import Logging
import SystemIO
import WriterModel

// Writers whose record is damaged or missing: what they wrote is not thrown away with it.
extension RecordStore {
    private static let recordSetAside = "record.damaged"

    /// What is known of a writer without its record: what it claimed, and the files that its ledger names.
    func lost(_ writer: WriterID) -> WriterRecord {
        let origin = origins[writer]
        var resource: JSONObject = [
            "id": .string(writer.text), "state": .string(WriterState.failed.rawValue),
            "created_at": .string((origin?.createdAt ?? .now()).description),
        ]
        if case .file(let path)? = origin?.claim.outputs.first, let path = Self.path(path) {
            resource["dst"] = .string(clientPath(path, of: writer))
        }
        resource["format"] = ""
        resource["metadata"] = [:]
        resource["streams"] = []
        resource["bytes_written"] = .integer(bytesKept(by: writer))
        let record = WriterRecord(
            resource: resource, managedFile: managedOutputs(of: writer).first, outputFiles: [],
            mediaType: "application/octet-stream", creationFingerprint: "")
        return withFiles(record, of: writer)
    }

    /// Takes a writer whose record is lost as one that has failed. What it wrote stays, and what lies in its
    /// record's place as well.
    func takeUpLost(_ writer: WriterID, because reason: String, _ log: Logger) -> WriterRecord {
        clearLeftovers(of: writer, log)
        let problem = Problem(
            .internalError,
            "The writer's record was found damaged or missing when the server started (\(reason)): how the writer ended is not known. What it wrote is kept until the writer is deleted.")
        let record = origins.checked(lost(writer), of: writer).failed(with: problem, at: .now())
        if let end = WriterEnd(record, by: .restart) { EndLog.write(end, of: writer, to: log) }
        do throws(SystemError) {
            let folder = try writers.subdirectory(writer.key)
            if folder.contains(WriterRecord.fileName) {
                try folder.rename(WriterRecord.fileName, to: Self.recordSetAside, replaces: true)
            }
            try save(record, of: writer)
        } catch {
            log.error("a record waits to be written", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
            keep(record, of: writer)
        }
        return record
    }

    /// Removes what was made for a writer that never was one for a client, or is none any more.
    func discard(_ writer: WriterID, _ log: Logger) {
        clearLeftovers(of: writer, log)
        do throws(SystemError) {
            try remove(writer, nil)
        } catch {
            log.error(
                "what is left of a writer that was never made can't be removed",
                metadata: ["writer": "\(writer.key)", "error": "\(error)"])
        }
    }

    /// Whether a folder without a record is one that no server made: nothing is noted of its writer, and it holds
    /// what no writer has.
    func isForeign(_ writer: WriterID) -> Bool {
        guard origins[writer] == nil, let folder = try? writers.subdirectory(writer.key) else { return false }
        return !(try? folder.entries()).isEmptyOrOwn(of: managedOutputs(of: writer))
    }

    /// Whether a folder without a record is of a writer that no client was told of: there is nothing in it but what
    /// is there before the first record, and of its files none has a byte or is gone from its place.
    func wasNeverMade(_ writer: WriterID) -> Bool {
        guard bytesKept(by: writer) == 0, keptOutputs(of: writer).isEmpty else { return false }
        guard let folder = try? writers.subdirectory(writer.key) else { return true }
        guard (try? folder.entries()).isEmptyOrOwn(of: managedOutputs(of: writer)),
            let ledger = try? OutputLedgers.read(in: folder) ?? [:]
        else { return false }
        for path in (origins[writer]?.claim.files ?? []).compactMap(Self.path) where ledger[path] == nil && outputs.contains(path.text) {
            // Its own or another's: its ledger may have lost it.
            return false
        }
        return ledger.allSatisfy { path, files in outputs.identity(of: path.text).map(files.contains) ?? false }
    }

    /// Of output that is certainly the writer's.
    package func bytesKept(by writer: WriterID) -> Int64 {
        guard let folder = try? writers.subdirectory(writer.key) else { return 0 }
        let managed = managedOutputs(of: writer).reduce(UInt64(0)) { $0 &+ (folder.size(of: $1) ?? 0) }
        let ledger = (try? OutputLedgers.read(in: folder)) ?? [:]
        let others = ledger.reduce(UInt64(0)) { sum, file in
            let (path, identities) = file
            guard origins.permits(path.text, to: writer), outputs.identity(of: path.text).map(identities.contains) ?? false else { return sum }
            return sum + (outputs.size(of: path.text) ?? 0)
        }
        return Int64(clamping: managed &+ others)
    }

    /// In the writer's own folder: what it claimed, or, where that is lost too, what has such a name.
    private func managedOutputs(of writer: WriterID) -> [String] {
        if let claim = origins[writer]?.claim { return claim.managedFiles }
        let names = (try? writers.subdirectory(writer.key).entries()) ?? []
        return names.sorted().first { OutputClaim.managed($0).isValid }.map { [$0] } ?? []
    }
}

extension [String]? {
    /// Whether these names in a writer's folder are only those that are there before its first record; nil when
    /// they can't be told.
    fileprivate func isEmptyOrOwn(of managed: [String]) -> Bool {
        guard let names = self else { return false }
        return names.allSatisfy { name in
            name.begins(with: ".") || OutputLedgers.areKept(in: name) || KeptSpools.output(ofFolder: name) != nil || managed.contains { name.isSame(as: $0) }
        }
    }
}
