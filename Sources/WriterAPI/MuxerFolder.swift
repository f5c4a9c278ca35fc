import Glibc
import Synchronization
import SystemIO
import WriterModel

/// The folder of a muxer that opens its files itself: the one `dst` lies in. Every call is the
/// system call of that name on a name the muxer made up, relative to the output directory, and
/// stays in the folder or beneath, whatever links and folders are swapped meanwhile. What the
/// writer did not make is left alone, unless it may overwrite. Any thread.
package final class MuxerFolder: Sendable {
    let folder: Directory
    /// Of the folder, from the output directory.
    private let parents: [String]
    private let overwrites: Bool
    /// What the writer made, folders included, relative to the output directory.
    private let made = Mutex<Set<String>>([])
    private let changes = Atomic(0)
    /// What the names come to in the writer's record.
    private let nameBytes = Atomic(0)

    /// Makes and opens the folder that `dst` lies in; of one with a pattern in its name
    /// (`%v/live.m3u8`), the folder above.
    package init(of dst: String, in outputs: Directory, overwrites: Bool) throws(SystemError) {
        let parents = dst.split(separator: "/").dropLast().prefix { !Self.isPattern($0) }.map(String.init)
        self.parents = parents
        try outputs.makeParents(of: (parents + ["file"]).joined(separator: "/"))
        folder = try outputs.subdirectory(parents.isEmpty ? "." : parents.joined(separator: "/"))
        self.overwrites = overwrites
    }

    /// `%v`, `%03d`, `%Y`: libav puts something else there.
    private static func isPattern(_ name: Substring) -> Bool {
        name.split(separator: "%", omittingEmptySubsequences: false).dropFirst().contains { rest in
            rest.drop(while: \.isNumber).first?.isLetter ?? false
        }
    }

    // MARK: What libav does

    package func open(_ name: String, flags: Int32, mode: UInt32) throws(SystemError) -> Int32 {
        let path = try inside(name)
        let writes = flags & O_ACCMODE != O_RDONLY
        if !writes || isMade(path) { return try folder.open(path, flags: flags, mode: mode) }
        switch folder.kind(of: path) {
        case .special where overwrites: return try folder.openWithoutWaiting(path)
        // Not through it: it may be a link, or have a second name elsewhere.
        case .file where overwrites, .link where overwrites: try folder.unlink(path)
        default: break
        }
        if nameBytes.load(ordering: .relaxed) > RecordBounds.nameBytes {
            throw SystemError("make \(path): the writer has as many files as its record can name", number: EDQUOT)
        }
        let number = try folder.open(path, flags: flags | O_CREAT | O_EXCL, mode: mode)
        note(made: path)
        return number
    }

    package func rename(_ from: String, to: String) throws(SystemError) {
        let (source, target) = (try inside(from), try inside(to))
        try requireOurs(source)
        try folder.rename(source, to: target, replaces: overwrites || isMade(target))
        made.withLock { made in
            for name in made where Self.lies(name, in: shown(source)) {
                made.remove(name)
                nameBytes.subtract(Self.bytes(of: name), ordering: .relaxed)
                let moved = shown(target) + name.dropFirst(shown(source).count)
                if made.insert(moved).inserted { nameBytes.add(Self.bytes(of: moved), ordering: .relaxed) }
            }
        }
        changes.add(1, ordering: .relaxed)
    }

    package func remove(_ name: String) throws(SystemError) {
        let path = try inside(name)
        try requireOurs(path)
        try folder.unlink(path)
        forget(path)
    }

    package func makeFolder(_ name: String) throws(SystemError) {
        let path = try inside(name, orItself: true)
        if path.isEmpty { throw SystemError("make the folder \(name)", number: EEXIST) }
        try folder.makeFolder(path)
        note(made: path)
    }

    package func removeFolder(_ name: String) throws(SystemError) {
        let path = try inside(name)
        // libav tries this on files too, before it removes them.
        guard folder.kind(of: path) == .folder else { throw SystemError("remove the folder \(name)", number: ENOTDIR) }
        try requireOurs(path)
        try folder.removeFolder(path)
        forget(path)
    }

    // MARK: What came of it

    /// From the output directory; "" for that itself.
    var path: String { parents.joined(separator: "/") }

    /// Another number whenever there are other files.
    var version: Int { changes.load(ordering: .relaxed) }

    /// The files there are of the writer's, relative to the output directory.
    package var files: [String] {
        made.withLock { $0 }.filter { name in
            guard let path = try? inside(name) else { return false }
            return folder.kind(of: path) == .file
        }.sorted()
    }

    var bytes: Int64 {
        files.reduce(0) { sum, name in
            guard let path = try? inside(name) else { return sum }
            return sum + Int64(folder.size(of: path) ?? 0)
        }
    }

    func removeFiles() {
        for name in files {
            if let path = try? inside(name) { try? folder.unlink(path) }
        }
    }

    /// A file that libav opens without asking here; hls and dash write "x.tmp" and rename it to "x".
    func note(opened name: String) {
        guard let path = try? inside(name) else { return }
        note(made: path)
        if path.hasSuffix(".tmp") { note(made: String(path.dropLast(4))) }
    }

    // MARK: Names

    func holds(_ name: String) -> Bool { (try? inside(name)) != nil }

    /// A muxer's name as one in the folder. `orItself`: the folder and those above it are "".
    private func inside(_ name: String, orItself: Bool = false) throws(SystemError) -> String {
        let components = name.split(separator: "/").map(String.init).filter { $0 != "." }
        let isBeneath = components.count > parents.count && components.starts(with: parents)
        let isItself = orItself && !components.isEmpty && parents.starts(with: components)
        guard !name.hasPrefix("/"), !components.contains(".."), isBeneath || isItself else {
            throw SystemError("use the path \(name)", number: EXDEV)
        }
        return isItself ? "" : components.dropFirst(parents.count).joined(separator: "/")
    }

    /// From the output directory.
    private func shown(_ path: String) -> String { (parents + [path]).joined(separator: "/") }

    private func note(made path: String) {
        let name = shown(path)
        guard made.withLock({ $0.insert(name).inserted }) else { return }
        nameBytes.add(Self.bytes(of: name), ordering: .relaxed)
        changes.add(1, ordering: .relaxed)
    }

    private func forget(_ path: String) {
        let name = shown(path)
        guard made.withLock({ $0.remove(name) }) != nil else { return }
        nameBytes.subtract(Self.bytes(of: name), ordering: .relaxed)
        changes.add(1, ordering: .relaxed)
    }

    private static func bytes(of name: String) -> Int {
        JSONValue.string(name).encoded.count + RecordBounds.bytesBesideName
    }

    private func isMade(_ path: String) -> Bool { made.withLock { $0.contains(shown(path)) } }

    private static func lies(_ name: String, in other: String) -> Bool { name == other || name.hasPrefix(other + "/") }

    private func requireOurs(_ path: String) throws(SystemError) {
        if overwrites || isMade(path) { return }
        throw SystemError("change \(path), which another writer may have made", number: EPERM)
    }
}
