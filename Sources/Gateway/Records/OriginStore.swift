import Bytewise
import Synchronization
import SystemIO
import WriterModel

/// The origins of all writers, in one file of the state directory, and in memory. Any thread.
///
/// A line of the file (`LineFile`) is `+` with a writer and its origin, which counts from there on, or `-` with a writer
/// that is gone. One that is damaged is passed over.
final class OriginStore: Sendable {
    private struct State {
        var origins: [WriterID: WriterOrigin] = [:]
        /// Who has claimed a file of the output directory by its name.
        var claimants: [[UInt8]: [WriterID]] = [:]
    }

    static let fileName = "claims"

    private let file: LineFile
    private let state = Mutex(State())
    /// There was none before: writers of earlier versions are taken up as their records have them.
    let isNew: Bool

    /// Those of `writers`, which are all that there are.
    init(of writers: some Sequence<WriterID>, in stateFolder: Directory) throws(SystemError) {
        let names = try stateFolder.entries()
        isNew = ![Self.fileName, EarlierOrigins.folderName].contains { wanted in names.contains { $0.isSame(as: wanted) } }
        file = LineFile(Self.fileName, in: stateFolder)
        var origins: [WriterID: WriterOrigin] = [:]
        var damaged = 0
        try file.read { fields in
            switch fields.flatMap(Line.init) {
            case .origin(let origin, let writer): origins[writer] = origin
            case .gone(let writer): origins[writer] = nil
            case nil: damaged += 1
            }
            return true
        }
        // An earlier version may have been at work since: of the same writer it knew less.
        let earlier = try EarlierOrigins(in: stateFolder)
        origins.merge(earlier.origins) { own, earlier in own.createdAt.milliseconds >= earlier.createdAt.milliseconds ? own : earlier }
        for writer in writers { if let origin = origins.removeValue(forKey: writer) { remember(origin, of: writer) } }
        // A writer that is made later would have what is left, should it be of the same id.
        if !earlier.isEmpty || damaged > 0 || !origins.isEmpty || isLong {
            // On a full disk both stay as they are until another start.
            guard (try? rewrite()) != nil else { return }
        }
        earlier.remove()
        if isNew { try file.add([]) }
    }

    private enum Line {
        case origin(WriterOrigin, WriterID)
        case gone(WriterID)

        init?(_ fields: [String]) {
            guard fields.count > 1, let writer = WriterID(key: fields[1]) else { return nil }
            if fields.count == 2, fields[0].isSame(as: "-") {
                self = .gone(writer)
            } else if fields.count == 7, fields[0].isSame(as: "+"), let milliseconds = Int64(fields[2]),
                let origin = WriterOrigin(createdAt: Timestamp(milliseconds: milliseconds), fields: fields[3...])
            {
                self = .origin(origin, writer)
            } else {
                return nil
            }
        }

        var fields: [String] {
            switch self {
            case .origin(let origin, let writer): ["+", writer.key, String(origin.createdAt.milliseconds)] + WriterOrigin.fields(origin)
            case .gone(let writer): ["-", writer.key]
            }
        }
    }

    subscript(writer: WriterID) -> WriterOrigin? { state.withLock { $0.origins[writer] } }

    /// Holds in memory even when it throws, as it could not be written: until the writer is discarded for that.
    func note(_ origin: WriterOrigin, of writer: WriterID) throws(SystemError) {
        remember(origin, of: writer)
        try file.add([Line.origin(origin, writer).fields])
    }

    private func remember(_ origin: WriterOrigin, of writer: WriterID) {
        state.withLock { state in
            Self.forget(writer, &state)
            state.origins[writer] = origin
            for path in origin.claim.files { state.claimants[Array(path.utf8), default: []].append(writer) }
        }
    }

    /// Once its folder is gone, without which nothing that is left of it here counts: a full disk hinders no removal.
    func remove(_ writer: WriterID) {
        let wasThere = state.withLock { Self.forget(writer, &$0) }
        if wasThere { try? file.add([Line.gone(writer).fields]) }
    }

    var isLong: Bool { file.isLong(for: state.withLock { $0.origins.count }) }

    func rewrite() throws(SystemError) { try file.rewrite { state.withLock { $0.origins }.map { Line.origin($0.value, $0.key).fields } } }

    @discardableResult
    private static func forget(_ writer: WriterID, _ state: inout State) -> Bool {
        guard let origin = state.origins.removeValue(forKey: writer) else { return false }
        for path in origin.claim.files {
            let key = Array(path.utf8)
            state.claimants[key]?.removeAll { $0 == writer }
            if state.claimants[key]?.isEmpty == true { state.claimants[key] = nil }
        }
        return true
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
