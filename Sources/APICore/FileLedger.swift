import Bytewise
import Synchronization
import SystemIO
import Threading
import WriterModel

/// Which files under the output directory a writer has made, and which file each is, so that one that another
/// has put there since is not taken for it. Kept in the writer's own folder: its encoder adds a line for each
/// change, and the gateway reads them when the encoder is gone, however it went. Any thread.
///
/// A line is a JSON array: `["show/live0.ts", "IDENTITY"]` for a file that is made or takes a name, and
/// `["show/live0.ts"]` for one that is gone. One without its newline was never finished.
public final class FileLedger: Sendable {
    public static let fileName = "files"
    /// The gateway reads no further: of files that a longer one tells of the rest stay.
    private static let mostBytes = RecordBounds.fileBytes
    /// Lines that no longer count are left out once there are so many bytes of them.
    private static let slack = 64 * 1_024

    private struct State {
        var files: [RelativePath: FileIdentity] = [:]
        /// What the names come to in the writer's record.
        var nameBytes = 0
        /// Not on disk yet.
        var lines: [UInt8] = []
        var bytes = 0
        var bytesWhenCompact = 0
    }

    private let folder: Directory
    private let name: String
    /// Between the output directory and the one that the paths here begin at.
    private let base: RelativePath
    private let state = Mutex(State())
    /// One thread writes at a time, so that lines stay in order.
    private let writing = Semaphore(1)

    /// In the writer's own folder. `base`: what stands before each path for those who read it.
    public init(in folder: Directory, below base: RelativePath = .itself, named name: String = FileLedger.fileName) throws(SystemError) {
        self.folder = folder
        self.base = base
        self.name = name
        try folder.writeAtomically(name, [])
    }

    public var files: [RelativePath: FileIdentity] { state.withLock { $0.files } }

    /// Takes up what another process has written into it. What can't be read leaves it as it was.
    public func reload() {
        guard let read = try? Self.read(in: folder, named: name) else { return }
        let files = read.compactMap { path, identity in path.relative(to: base).map { ($0, identity) } }
        state.withLock { $0.files = Dictionary(files) { first, _ in first } }
    }

    /// What the names come to in the writer's record, which has a bound.
    public var nameBytes: Int { state.withLock { $0.nameBytes } }

    public func identity(of path: RelativePath) -> FileIdentity? { state.withLock { $0.files[path] } }

    /// A file that the writer has made, or given this name. Where it can't be kept now it throws, and it is
    /// tried again with the next change.
    public func note(_ path: RelativePath, is identity: FileIdentity) throws(SystemError) {
        state.withLock { state in
            if state.files.updateValue(identity, forKey: path) == nil { state.nameBytes += Self.nameBytes(of: path) }
            state.lines += line(path, identity)
        }
        try writeLines()
    }

    /// It is gone, or has another name.
    public func forget(_ path: RelativePath) {
        state.withLock { state in
            guard state.files.removeValue(forKey: path) != nil else { return }
            state.nameBytes -= Self.nameBytes(of: path)
            state.lines += line(path, nil)
        }
        try? writeLines()
    }

    /// Writes what there was no room for.
    public func writeLines() throws(SystemError) {
        try writing.passing { () throws(SystemError) in
            let (lines, isLong) = state.withLock { state in
                defer { state.lines = [] }
                return (state.lines, state.bytes > 2 * state.bytesWhenCompact + Self.slack)
            }
            if lines.isEmpty { return }
            do throws(SystemError) {
                if isLong { try rewrite() } else { try append(lines) }
            } catch {
                state.withLock { $0.lines = lines + $0.lines }
                throw error
            }
        }
    }

    private func append(_ lines: [UInt8]) throws(SystemError) {
        try folder.append(lines, to: name)
        state.withLock { $0.bytes += lines.count }
    }

    private func rewrite() throws(SystemError) {
        let lines = files.flatMap { line($0.key, $0.value) }
        try folder.writeAtomically(name, lines)
        state.withLock { ($0.bytes, $0.bytesWhenCompact) = (lines.count, lines.count) }
    }

    private static func nameBytes(of path: RelativePath) -> Int {
        JSONValue.string(path.text).encoded.count + RecordBounds.bytesBesideName
    }

    private func line(_ path: RelativePath, _ identity: FileIdentity?) -> [UInt8] {
        let members: [JSONValue] = [.string((base + path).text)] + (identity.map { [.string($0.text)] } ?? [])
        return JSONValue.array(members).encoded + [UInt8(ascii: "\n")]
    }

    /// What the ledger in a writer's own folder says; nil when there is none, as of writers of earlier versions.
    public static func read(
        in folder: Directory, named name: String = FileLedger.fileName
    ) throws(SystemError) -> [RelativePath: FileIdentity]? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try folder.readFile(name, most: mostBytes)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        var files: [RelativePath: FileIdentity] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            guard let members = (try? JSONParser.parse(Array(line)))?.arrayValue,
                let path = members.first?.stringValue.flatMap({ try? RelativePath($0) })
            else { continue }
            files[path] = members.dropFirst().first?.stringValue.flatMap { FileIdentity($0) }
        }
        return files
    }
}
