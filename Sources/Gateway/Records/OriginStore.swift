import Bytewise
import Synchronization
import SystemIO
import WriterModel

/// What the gateway itself knows of a writer: of when it is, by which key it was asked for, and what its
/// encoder was to write to. It lies where no encoder can write, and what records say is held against it.
package struct WriterOrigin: Sendable, Equatable {
    package var createdAt: Timestamp
    package var idempotencyKey: String?
    package var claim: OutputClaim
    /// Of the output directory, in which the paths begin that its clients know.
    package var folder: String?

    package init(createdAt: Timestamp, idempotencyKey: String? = nil, claim: OutputClaim, folder: String? = nil) {
        self.createdAt = createdAt
        self.idempotencyKey = idempotencyKey
        self.claim = claim
        self.folder = folder
    }

    /// As its clients know a file.
    func clientPath(_ path: RelativePath) -> RelativePath {
        folder.flatMap { try? RelativePath($0) }.flatMap(path.relative(to:)) ?? path
    }

    var json: JSONValue {
        [
            "version": 1, "created_at": .string(createdAt.description),
            "idempotency_key": idempotencyKey.map { .string($0) } ?? .null, "claim": claim.json,
            "folder": folder.map { .string($0) } ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, object["version"] == .integer(1),
            let createdAt = object["created_at"]?.stringValue.flatMap(Timestamp.init),
            let claim = object["claim"].flatMap(OutputClaim.init(json:))
        else { return nil }
        self.init(
            createdAt: createdAt, idempotencyKey: object["idempotency_key"]?.stringValue, claim: claim,
            folder: object["folder"]?.stringValue)
    }
}

/// The origins of all writers, under `origins` of the state directory, and in memory. Any thread.
final class OriginStore: Sendable {
    private struct State {
        var origins: [WriterID: WriterOrigin] = [:]
        /// Who has claimed a file of the output directory by its name.
        var claimants: [[UInt8]: [WriterID]] = [:]
    }

    let folder: Directory
    private let state = Mutex(State())
    /// There was none before: writers of earlier versions are taken up as their records have them.
    let isNew: Bool

    /// Reads none: `load` does.
    init(stateDirectory: String) throws(SystemError) {
        let path = stateDirectory + "/origins"
        isNew = !File.isThere(path)
        folder = try Directory(path: path)
        for name in try folder.entries() {
            // Of a server that was killed: this one alone has the state directory, and no encoder writes here.
            if let target = Directory.target(ofUnfinished: name), WriterID(key: target) != nil { try? folder.removeFile(name) }
        }
    }

    /// Reads the writer's, unless it is known. False: there is something, and no origin that can be read.
    @discardableResult
    func load(_ writer: WriterID) -> Bool {
        if self[writer] != nil { return true }
        do throws(SystemError) {
            guard let origin = try read(writer) else { return false }
            remember(origin, of: writer)
            return true
        } catch {
            return error.isMissing
        }
    }

    /// Reads the writer's, whatever is known. False: that can't be done now.
    func reload(_ writer: WriterID) -> Bool {
        let origin: WriterOrigin?
        do throws(SystemError) {
            origin = try read(writer)
        } catch {
            if error.isOutOfDescriptors { return false }
            origin = nil
        }
        if let origin { remember(origin, of: writer) } else { state.withLock { Self.forget(writer, &$0) } }
        return true
    }

    /// nil: what is there is none.
    private func read(_ writer: WriterID) throws(SystemError) -> WriterOrigin? {
        let bytes = try folder.readFile(writer.key, most: 256 * 1_024)
        return (try? JSONParser.parse(bytes)).flatMap(WriterOrigin.init(json:))
    }

    func loadAll() throws(SystemError) {
        for name in try folder.entries() { if let writer = WriterID(key: name) { load(writer) } }
    }

    subscript(writer: WriterID) -> WriterOrigin? { state.withLock { $0.origins[writer] } }

    /// Holds in memory even when it throws, as it could not be written: until the writer is discarded for that.
    func note(_ origin: WriterOrigin, of writer: WriterID) throws(SystemError) {
        remember(origin, of: writer)
        try folder.writeAtomically(writer.key, origin.json.encoded)
    }

    /// As it was read elsewhere.
    func remember(_ origin: WriterOrigin, of writer: WriterID) {
        state.withLock { state in
            Self.forget(writer, &state)
            state.origins[writer] = origin
            for path in origin.claim.files { state.claimants[Array(path.utf8), default: []].append(writer) }
        }
    }

    func remove(_ writer: WriterID) throws(SystemError) {
        state.withLock { Self.forget(writer, &$0) }
        try folder.removeSubdirectory(writer.key)
    }

    private static func forget(_ writer: WriterID, _ state: inout State) {
        for path in state.origins.removeValue(forKey: writer)?.claim.files ?? [] {
            let key = Array(path.utf8)
            state.claimants[key]?.removeAll { $0 == writer }
            if state.claimants[key]?.isEmpty == true { state.claimants[key] = nil }
        }
    }

    /// Those of the files that the writer claimed, by their name or by the folder they lie in.
    func claimed(_ files: [String], by writer: WriterID) -> [String] {
        guard let claim = self[writer]?.claim else { return [] }
        return files.filter(claim.holds)
    }

    /// Whether a writer that is not `excluded` may have files in a folder of the output directory.
    func mayNeed(folder path: String, unless excluded: (WriterID) -> Bool) -> Bool {
        let origins = state.withLock { $0.origins }
        return origins.contains { $0.value.claim.mayNeed(folder: path) && !excluded($0.key) }
    }

    /// Whether a file may be the writer's at all: it claimed it by its name, or the file lies in the folder that
    /// it claimed and no other writer claimed it by its name. Which file it is now, its identity tells.
    func permits(_ path: String, to writer: WriterID) -> Bool {
        state.withLock { state in
            guard let claim = state.origins[writer]?.claim, claim.holds(path) else { return false }
            let claimants = state.claimants[Array(path.utf8), default: []]
            return claimants.isEmpty || claimants.contains(writer)
        }
    }

    /// The record with what is not its encoder's to say put right.
    func checked(_ record: WriterRecord, of writer: WriterID) -> WriterRecord {
        let origin = self[writer]
        // Without one, what lies in the writer's own folder is its own all the same.
        let claim = origin?.claim ?? record.managedFile.map { .managed($0) } ?? .nothing
        var record = RecordCheck(writer: writer, claim: claim.isValid ? claim : .nothing).checked(record)
        record.idempotencyKey = origin?.idempotencyKey
        if let origin { record.resource["created_at"] = .string(origin.createdAt.description) }
        return record
    }
}

extension WriterOrigin {
    /// Of a writer that an earlier version made: what its record says.
    init?(adopting record: WriterRecord) {
        guard let createdAt = Timestamp(record.createdAt) else { return nil }
        let claim: OutputClaim
        if let file = record.managedFile {
            claim = .managed(file)
        } else if record.resource["result"]?.objectValue?["files"] == nil, record.outputFiles.count == 1 {
            claim = .file(record.outputFiles[0])
        } else if let first = record.outputFiles.first {
            claim = .folder(Self.folder(of: first, holding: record.outputFiles))
        } else {
            claim = .nothing
        }
        guard claim.isValid else { return nil }
        self.init(createdAt: createdAt, idempotencyKey: record.idempotencyKey, claim: claim)
    }

    /// The innermost folder of one file that the others lie in too.
    private static func folder(of file: String, holding files: [String]) -> String {
        var names = file.utf8.split(separator: UInt8(ascii: "/")).dropLast().map { String(decoding: $0, as: UTF8.self) }
        while !names.isEmpty {
            let claim = OutputClaim.folder(names.joined(separator: "/"))
            if files.allSatisfy(claim.holds) { break }
            names.removeLast()
        }
        return names.joined(separator: "/")
    }
}
