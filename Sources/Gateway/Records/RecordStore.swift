import APICore
import Bytewise
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The writers' folders under the state directory: `writers/{id}/record.json`, and beside it
/// the managed output. The encoder writes into its own folder while it lives; afterwards the
/// folder is the gateway's.
package final class RecordStore: Sendable {
    let writers: Directory
    let outputs: Directory
    let stateFolder: Directory
    let origins: OriginStore
    package let index: EndedIndex
    private let leftFolders: LeftFolders
    /// Records there was no room for on disk: answered from here, and written when there is.
    private let unwritten = Mutex<[WriterID: WriterRecord]>([:])
    private let readers: Semaphore

    /// `readers`: how many threads may have a record open at a time.
    package init(stateDirectory: String, outputDirectory: String, readers: Int = 64) throws(SystemError) {
        self.readers = Semaphore(readers)
        writers = try Directory(path: stateDirectory + "/writers")
        outputs = try Directory(path: outputDirectory)
        leftFolders = try LeftFolders(stateDirectory: stateDirectory)
        stateFolder = try Directory(path: stateDirectory)
        index = EndedIndex(in: stateFolder, watching: [writers])
        origins = try OriginStore(of: Self.all(in: writers), in: stateFolder)
        if origins.isNew { try adopt() }
    }

    /// Takes the records of an earlier version at their word.
    private func adopt() throws(SystemError) {
        for writer in try all() {
            guard case .record(let record) = read(writer), let origin = WriterOrigin(adopting: record) else { continue }
            try origins.note(origin, of: writer)
        }
    }

    /// What a writer's encoder was to write to, which its records are held against from here on.
    package func note(_ origin: WriterOrigin, of writer: WriterID) throws(SystemError) {
        try origins.note(origin, of: writer)
    }

    /// Whether what the index says of a writer's origin is known. Where nothing is, as a line of it was damaged, it is from here on.
    package func confirms(_ entry: EndedIndex.Entry) -> Bool {
        if origins[entry.writer] == nil, let origin = entry.origin { try? origins.note(origin, of: entry.writer) }
        return origins[entry.writer] == entry.origin
    }

    /// Whether the writer's record says that it ended so; nil when that can't be told now.
    func agrees(_ writer: WriterID, that state: WriterState) -> Bool? {
        switch find(writer) {
        case .record(let record): record.state == state
        case .absent, .damaged: false
        case .unreadable: nil
        }
    }

    /// The writer has ended so, now or at `moment`, and its encoder changes nothing more. It is entered in the index
    /// where its record is on disk.
    package func end(_ writer: WriterID, as state: WriterState, at moment: Timestamp = .now(), in registry: Registry) {
        let end = Registry.End(state: state, at: moment, bytes: managedBytes(of: writer))
        guard let item = registry.end(writer, end), !isUnwritten(writer) else { return }
        index.note(EndedIndex.Entry(writer: writer, createdAt: item.createdAt, end: end, origin: origins[writer]))
    }

    private func managedBytes(of writer: WriterID) -> Int64 {
        size(ofManaged: origins[writer]?.claim.managedFiles ?? [], of: writer).addingSaturating(settleSpools(of: writer))
    }

    private func size(ofManaged names: [String], of writer: WriterID) -> Int64 {
        guard !names.isEmpty, let folder = try? writers.subdirectory(writer.key) else { return 0 }
        return Int64(clamping: names.reduce(UInt64(0)) { $0 &+ (folder.size(of: $1) ?? 0) })
    }

    package func origin(of writer: WriterID) -> WriterOrigin? { origins[writer] }

    package func folderPath(_ writer: WriterID) -> String { "\(writers.path)/\(writer.key)" }

    /// Makes the writer's folder. Throws `isAlreadyThere` when there is one.
    package func makeFolder(_ writer: WriterID) throws(SystemError) { try writers.makeSubdirectory(writer.key) }

    /// Makes the folder of a writer whose id no other has: what is there is left of one that there is no more,
    /// and could not be removed then.
    func makeFolderAnew(_ writer: WriterID) throws(SystemError) {
        do throws(SystemError) {
            try makeFolder(writer)
        } catch {
            guard error.isAlreadyThere, !isHeld(writer) else { throw error }
            try removeFolder(writer)
            try makeFolder(writer)
        }
    }

    /// Makes the folder, below the output directory, of a token's writers.
    func makeOutputFolder(_ folder: String) throws(SystemError) { try outputs.makeParents(of: folder + "/file") }

    package func removeFolder(_ writer: WriterID) throws(SystemError) {
        unwritten.withLock { _ = $0.removeValue(forKey: writer) }
        leftFolders.leave(writer) { removeEmptyFolders(of: writer) }
        defer { leftFolders.hasLeft(writer) }
        // What is no folder goes at once, and a link may not be made anew under another name.
        let isFolder = writers.kind(of: writer.key) == .folder
        let gone = isFolder ? Self.gone + writer.key : writer.key
        if isFolder {
            try writers.removeSubdirectory(gone)
            do throws(SystemError) {
                try writers.rename(writer.key, to: gone, replaces: true)
            } catch {
                if !error.isMissing { throw error }
            }
            // There is no writer any more. What can't be removed is tried again by the next start.
            try? writers.removeSubdirectory(gone)
        } else {
            try writers.removeSubdirectory(gone)
        }
        origins.remove(writer)
    }

    /// What a writer's folder is called while it is removed: half of one is no writer's.
    private static let gone = ".gone."

    /// Removes what a server that was killed has not finished to remove.
    func removeGone() throws(SystemError) {
        for name in try writers.entries() where name.begins(with: Self.gone) { try writers.removeSubdirectory(name) }
    }

    /// Those that the writer made under the output directory, or was left by others, and that nothing is in; before its
    /// own is removed, which tells of them. What other writers may still need is left to them.
    private func removeEmptyFolders(of writer: WriterID) {
        let origin = origins[writer]
        let made = origin.map { folders(of: writer, by: $0) } ?? unclaimedFolders(of: writer)
        if made.isEmpty { return }
        removeEmpty(made, in: origin?.folder)
        for (path, identity) in made {
            let isThere = outputs.identity(of: path.text) == identity
            if isThere && origins.mayNeed(folder: path.text, unless: { $0 == writer || leftFolders.isLeaving($0) }) {
                leftFolders.note(path, is: identity)
            } else {
                leftFolders.forget(path)
            }
        }
    }

    private func folders(of writer: WriterID, by origin: WriterOrigin) -> [RelativePath: FileIdentity] {
        let own = (try? writers.subdirectory(writer.key)).flatMap { try? OutputLedgers.readFolders(in: $0) } ?? [:]
        return own.merging(leftFolders.folders) { own, _ in own }.filter { origin.claim.mayNeed(folder: $0.key.text) }
    }

    /// Of a writer that made folders and was ended before it claimed what is to be in them. Its ledger is believed of
    /// those that are no older than the writer.
    private func unclaimedFolders(of writer: WriterID) -> [RelativePath: FileIdentity] {
        guard let folder = try? writers.subdirectory(writer.key), case .born(_, let began)? = FileIdentity(of: folder.descriptor),
            let made = try? OutputLedgers.readFolders(in: folder)
        else { return [:] }
        return made.filter { path, identity in
            if case .born(_, let time) = identity { !path.isItself && !path.isReserved && time >= began } else { false }
        }
    }

    private func removeEmpty(_ made: [RelativePath: FileIdentity], in base: String?) {
        guard let base = base.flatMap(Self.path) else { return (try? outputs.removeFolders(made)) ?? () }
        // Encoders have their locks there.
        let inner = made.compactMap { path, identity in path.relative(to: base).map { ($0, identity) } }
        try? outputs.subdirectory(base.text).removeFolders(Dictionary(inner) { first, _ in first }.filter { !$0.key.isItself })
    }

    /// Keeps the record of a writer whose encoder could not.
    package func save(_ record: WriterRecord, of writer: WriterID) throws(SystemError) {
        try writers.subdirectory(writer.key)
            .writeAtomically(WriterRecord.fileName, record.json.encoded)
    }

    /// Keeps a record in memory until `writeUnwritten` finds a way for it.
    package func keep(_ record: WriterRecord, of writer: WriterID) {
        unwritten.withLock { $0[writer] = record }
    }

    /// Tries again what could not be written. The first that finds no room is the last one tried: the disk
    /// is full for the others too.
    package func writeUnwritten() {
        for (writer, record) in unwritten.withLock({ $0 }) {
            do throws(SystemError) {
                try save(record, of: writer)
            } catch {
                if error.isOutOfSpace { return }
                // A folder that is gone was removed with its writer.
                if !error.isMissing { continue }
            }
            unwritten.withLock { _ = $0.removeValue(forKey: writer) }
        }
    }

    package func isUnwritten(_ writer: WriterID) -> Bool { unwritten.withLock { $0[writer] != nil } }

    /// Records that are in memory only.
    package var unwrittenCount: Int { unwritten.withLock { $0.count } }

    /// The writer's record, as far as its encoder is to be believed; nil when there is none that can be read.
    package func record(of writer: WriterID) -> WriterRecord? {
        if let record = unwritten.withLock({ $0[writer] }) { return record }
        guard case .record(let record) = read(writer) else { return nil }
        return origins.checked(record, of: writer)
    }

    /// The same, and why there is none.
    package func find(_ writer: WriterID) -> Found {
        if let record = unwritten.withLock({ $0[writer] }) { return .record(record) }
        let found = read(writer)
        if case .record(let record) = found { return .record(origins.checked(record, of: writer)) }
        return found
    }

    /// The same of a writer of an earlier run. What is known of another time than its record's is of a writer that had
    /// the id before, and whose end was lost: it goes.
    package func findOfEarlierRun(_ writer: WriterID) -> Found {
        guard !isUnwritten(writer), case .record(let record) = read(writer) else { return find(writer) }
        if let known = origins[writer], let createdAt = Timestamp(record.createdAt), createdAt.milliseconds != known.createdAt.milliseconds {
            origins.remove(writer)
        }
        return .record(origins.checked(record, of: writer))
    }

    /// Nothing that is a record lies where one should, and another try will find none either.
    package func isLost(_ writer: WriterID) -> Bool {
        if unwritten.withLock({ $0[writer] }) != nil { return false }
        return switch read(writer) {
        case .absent, .damaged: true
        case .record, .unreadable: false
        }
    }

    /// A record as the gateway has it from an encoder's messages, with the files that the writer's ledger names.
    package func withFiles(_ record: WriterRecord, of writer: WriterID) -> WriterRecord {
        guard let files = try? OutputLedgers.read(in: writers.subdirectory(writer.key)) else { return record }
        var record = record
        record.outputFiles = files.keys.sorted().map(\.text)
        return origins.checked(record, of: writer)
    }

    package enum Found {
        case record(WriterRecord)
        case absent
        /// Something else is there.
        case damaged(reason: String)
        /// There is no descriptor left to look.
        case unreadable

        /// A record, or what is left of one.
        var isAny: Bool {
            switch self {
            case .record, .damaged: true
            case .absent, .unreadable: false
            }
        }
    }

    /// What an encoder has left there: anything, of any length.
    private func read(_ writer: WriterID) -> Found {
        let limit = RecordBounds.fileBytes
        do throws(SystemError) {
            let bytes = try readers.passing { () throws(SystemError) in
                try writers.subdirectory(writer.key).readFile(WriterRecord.fileName, most: limit + 1)
            }
            guard bytes.count <= limit, let record = WriterRecord(file: bytes) else { return .damaged(reason: "it is none, or a part of one") }
            return .record(record)
        } catch {
            if error.isOutOfDescriptors { return .unreadable }
            return error.isMissing ? .absent : .damaged(reason: error.reason)
        }
    }

    /// Whether an encoder still holds the writer's folder.
    package func isHeld(_ writer: WriterID) -> Bool {
        guard let folder = try? writers.subdirectory(writer.key) else { return false }
        return !folder.lock()
    }

    package enum Output: ~Copyable {
        case file(Descriptor, name: String)
        /// Not one file that Penstock keeps.
        case none
        /// Another writer or program has put a file in its place.
        case replaced(name: String)
    }

    /// An output of a writer that has ended, for reading.
    package func openOutput(
        _ output: RecordedOutput, of writer: WriterID, _ record: WriterRecord
    ) throws(SystemError) -> Output {
        let folder = try writers.subdirectory(writer.key)
        if let file = output.managedFile {
            let descriptor = Descriptor(owning: try folder.openFile(file))
            return .file(descriptor, name: "\(writer).\(output.fileExtension ?? file.cutAtLast(".")?.after ?? "bin")")
        }
        guard let file = output.file, let path = Self.path(file), let name = path.name, !origins.claimed([file], by: writer).isEmpty
        else { return .none }
        let descriptor = Descriptor(owning: try outputs.openFile(path.text))
        let owner = try OutputOwnership(record, in: folder)
        guard let file = FileIdentity(of: descriptor.number), origins.permits(path.text, to: writer), owner.owns(path, file) else {
            return .replaced(name: clientPath(path, of: writer))
        }
        return .file(descriptor, name: name.text)
    }

    func clientPath(_ path: RelativePath, of writer: WriterID) -> String { (origins[writer]?.clientPath(path) ?? path).text }

    /// Removes outputs that were to replace files and never did: their encoder has died.
    func clearLeftovers(of writer: WriterID, _ log: Logger) {
        for (index, claim) in (origins[writer]?.claim.outputs ?? []).enumerated() {
            guard case .file(let text) = claim, let destination = Self.path(text) else { continue }
            clearLeftover(TemporaryOutput.path(beside: destination, for: writer, output: index).text, of: writer, log)
        }
    }

    private func clearLeftover(_ path: String, of writer: WriterID, _ log: Logger) {
        guard outputs.contains(path) else { return }
        do throws(SystemError) {
            try outputs.removeFile(path)
            log.notice("an unfinished output was removed", metadata: ["writer": "\(writer.key)", "file": "\(path)"])
        } catch {
            log.error("an unfinished output can't be removed", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
        }
    }

    /// Removes all that the writer left: its files under the output directory, unless they are to stay, and its
    /// folder. Files that others have put under their names stay. Without a record, what its claim and its ledger both
    /// name is the writer's.
    @discardableResult
    package func remove(_ writer: WriterID, _ record: WriterRecord?, keepingOutput: Bool = false) throws(SystemError) -> Deletion {
        index.forget([writer])
        let record = record ?? lost(writer)
        var deletion = try removeOutputs(of: writer, record, keepingThem: keepingOutput)
        let managed = managedFiles(of: record)
        if !managed.isEmpty { deletion.managedBytes = size(ofManaged: managed, of: writer) }
        try removeFolder(writer)
        return deletion
    }

    /// An output in the writer's own folder, which goes with that. `record`: nil where it is lost.
    func hasManagedOutput(_ writer: WriterID, _ record: WriterRecord?) -> Bool { !managedFiles(of: record ?? lost(writer)).isEmpty }

    private func managedFiles(of record: WriterRecord) -> [String] {
        record.outputs.isEmpty ? record.managedFile.map { [$0] } ?? [] : record.outputs.compactMap(\.managedFile)
    }

    private func removeOutputs(of writer: WriterID, _ record: WriterRecord, keepingThem: Bool) throws(SystemError) -> Deletion {
        // Its record names those that were its own at the end; its ledger those as well that had been replaced.
        let made = origins.claimed(record.outputFiles + withFiles(record, of: writer).outputFiles, by: writer)
        var seen = Set<RelativePath>()
        let paths = made.compactMap(Self.path).filter { !$0.isReserved && !$0.isItself && seen.insert($0).inserted }
        var deletion = Deletion()
        // Without its folder nothing says what is the writer's.
        if paths.isEmpty || writers.kind(of: writer.key) != .folder {
            deletion.left = paths.map { clientPath($0, of: writer) }
            return deletion
        }
        let owner = try OutputOwnership(record, in: try writers.subdirectory(writer.key))
        var own: [RelativePath] = []
        let left = try outputs.removeFiles(paths) { path, file in
            let isOwn = origins.permits(path.text, to: writer) && owner.owns(path, file)
            if isOwn { own.append(path) }
            return isOwn && !keepingThem
        }
        let names = own.map { clientPath($0, of: writer) }
        if keepingThem { deletion.kept = names } else { deletion.removed = names }
        let ofWriter = Set(own)
        deletion.left = left.filter { !ofWriter.contains($0) }.map { clientPath($0, of: writer) }
        return deletion
    }

    /// nil: an encoder may say anything.
    static func path(_ text: String) -> RelativePath? { try? RelativePath(text) }

    /// The writers that have a folder.
    package func all() throws(SystemError) -> [WriterID] { try Self.all(in: writers) }

    private static func all(in writers: Directory) throws(SystemError) -> [WriterID] { try writers.entries().compactMap { WriterID(key: $0) } }
}
