import APICore
import Bytewise
import Glibc
import Synchronization
import SystemIO
import WriterModel

/// The folder of a muxer that opens its files itself: the one `dst` lies in. Every call is the
/// system call of that name on a name the muxer made up, relative to the output directory, and
/// stays in the folder or beneath, whatever links and folders are swapped meanwhile. What the
/// writer did not make is left alone, unless it may overwrite; so is what another has put in the
/// place of what it made. Any thread.
package final class MuxerFolder: Sendable {
    let folder: Directory
    private let outputs: Directory
    /// Of the folder, from the output directory.
    private let place: RelativePath
    private let overwrites: Bool
    private let closed: OthersFolders
    /// The writer's files, by their paths from the output directory.
    private let ledger: FileLedger
    private let taken = Mutex<String?>(nil)
    private let writesEachOnce = Atomic(false)
    private let mostNameBytes: Int
    /// And its folders.
    private let folders: FolderLedger
    /// Files that libav opened without asking here, until they are looked for.
    private let noted = Mutex<Set<RelativePath>>([])

    /// Makes and opens the folder that `dst` lies in; of one with a pattern in its name
    /// (`%v/live.m3u8`), the folder above. `mostNameBytes`: of the names that the ledger may hold.
    package init(
        of dst: String, in outputs: Directory, overwrites: Bool, ledger: FileLedger, folders: FolderLedger,
        closed: OthersFolders = OthersFolders(), mostNameBytes: Int = RecordBounds.nameBytes
    ) throws(SystemError) {
        let place = try Self.place(of: dst)
        // Until there is a file in it, nothing else tells that it is in use.
        folder = try outputs.changing { () throws(SystemError) in
            try outputs.makeParents(of: (place + .reserved("")).text) { folders.note($0, is: $1) }
            let folder = try outputs.subdirectory(place.text)
            if !place.isItself { folder.share() }
            return folder
        }
        self.place = place
        self.folders = folders
        self.outputs = outputs
        self.overwrites = overwrites
        self.closed = closed
        self.ledger = ledger
        self.mostNameBytes = mostNameBytes
    }

    /// Where it is, from the output directory.
    static func place(of dst: String) throws(SystemError) -> RelativePath {
        RelativePath(components: try path(dst).components.dropLast().prefix { !isPattern($0) })
    }

    /// `%v`, `%03d`, `%Y`, `%%`: libav may put something else there.
    private static func isPattern(_ name: RelativePath.Component) -> Bool {
        let parts = name.bytes.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
        return parts.dropFirst().dropLast().contains(where: \.isEmpty)
            || parts.dropFirst().contains { $0.drop(while: \.isASCIIDigit).first?.isASCIILetter ?? false }
    }

    /// From now on a file that was written may not be written again: names made of the time are not always others.
    /// Lists of files are as ever.
    package func writeEachOnce() { writesEachOnce.store(true, ordering: .relaxed) }

    private func requireNew(_ path: RelativePath) throws(SystemError) {
        guard writesEachOnce.load(ordering: .relaxed), ledger.identity(of: place + path) != nil,
            let ending = path.text.cutAtLast(".")?.after.lowercasedASCII, !Self.rewritten.contains(ending)
        else { return }
        taken.withLock { $0 = $0 ?? (place + path).text }
        throw SystemError("write \(path) again", number: EEXIST)
    }

    /// Lists, by hls, dash and segment; and what is renamed once it is whole.
    private static let rewritten: Set<String> = ["csv", "ext", "ffcat", "ffconcat", "m3u", "m3u8", "mpd", "tmp", "txt"]  // ASCII

    // MARK: What libav does

    package func open(_ name: UnsafePointer<CChar>, flags: Int32, mode: UInt32) throws(SystemError) -> Int32 {
        let path = try inside(name)
        if flags & O_ACCMODE == O_RDONLY { return try folder.open(path.text, flags: flags & ~O_CREAT, mode: 0) }
        if let own = try openAgain(path, flags) { return own }
        switch folder.kind(of: path.text) {
        case .special where overwrites: return try folder.openWithoutWaiting(path.text)
        // Not through it: it may be a link, or have a second name elsewhere.
        case .file where overwrites, .link where overwrites: try folder.unlink(path.text)
        default: break
        }
        if ledger.nameBytes > mostNameBytes {
            throw SystemError("make \(path): the writer has as many files as its record can name", number: EDQUOT)
        }
        let file = Descriptor(owning: try make(path, flags: flags | O_CREAT | O_EXCL, mode: mode))
        try keep(path, file)
        return file.take()
    }

    private func make(_ path: RelativePath, flags: Int32, mode: UInt32) throws(SystemError) -> Int32 {
        if path.components.count == 1 { return try folder.open(path.text, flags: flags, mode: mode) }
        // Folders without a file may be removed.
        return try outputs.changing { () throws(SystemError) in
            try makeParents(of: path)
            return try folder.open(path.text, flags: flags, mode: mode)
        }
    }

    /// The folders that a file is to lie in. One that is a link leads nowhere: opening the file says so.
    private func makeParents(of path: RelativePath) throws(SystemError) {
        var parent = RelativePath.itself
        for name in path.components.dropLast() {
            parent = parent + name
            if folder.kind(of: parent.text) != nil { continue }
            do throws(SystemError) {
                try folder.makeFolder(parent.text)
            } catch {
                if error.isAlreadyThere { continue }
                throw error
            }
            noteMade(parent)
        }
    }

    private func noteMade(_ path: RelativePath) {
        if let identity = folder.identity(of: path.text) { folders.note(place + path, is: identity) }
    }

    /// Nothing more is made in it.
    func release() { if !place.isItself { folder.unshare() } }

    /// A file of the writer's own, unless another has taken its name: looked at before anything is done to it.
    private func openAgain(_ path: RelativePath, _ flags: Int32) throws(SystemError) -> Int32? {
        guard let identity = ledger.identity(of: place + path), folder.identity(of: path.text) == identity else { return nil }
        if flags & O_TRUNC != 0 { try requireNew(path) }
        let file = Descriptor(owning: try folder.open(path.text, flags: flags & ~(O_CREAT | O_EXCL | O_TRUNC), mode: 0))
        guard FileIdentity(of: file.number) == identity else { return nil }
        if flags & O_TRUNC != 0 { try File.cut(file.number) }
        return file.take()
    }

    /// A file that is not known to be the writer's could never be removed as such: it is not made then.
    private func keep(_ path: RelativePath, _ file: borrowing Descriptor) throws(SystemError) {
        guard let identity = FileIdentity(of: file.number) else { throw SystemError("look at \(path)") }
        do throws(SystemError) {
            try ledger.note(place + path, is: identity)
        } catch {
            try? folder.unlink(path.text)
            ledger.forget(place + path)
            throw error
        }
    }

    /// The first name that a finished file was to get and that another file has: muxers do not look whether that
    /// failed.
    package var takenName: String? { taken.withLock { $0 } }

    package func rename(_ from: UnsafePointer<CChar>, to: UnsafePointer<CChar>) throws(SystemError) {
        let (source, target) = (try inside(from), try inside(to))
        try outputs.changing { () throws(SystemError) in
            try requireOurs(source)
            try requireNew(target)
            do throws(SystemError) {
                try folder.rename(source.text, to: target.text, replaces: overwrites || isOurs(target))
            } catch {
                if error.isAlreadyThere { taken.withLock { $0 = $0 ?? (place + target).text } }
                throw error
            }
        }
        renamed(place + source, to: place + target)
    }

    private func renamed(_ source: RelativePath, to target: RelativePath) {
        if let identity = ledger.identity(of: source) { return moved(source, to: target, identity) }
        for (path, identity) in ledger.files {
            guard let rest = path.relative(to: source) else { continue }
            moved(path, to: target + rest, identity)
        }
        folders.rename(source, to: target)
    }

    /// It has moved, also where the ledger has no room for it yet.
    private func moved(_ path: RelativePath, to target: RelativePath, _ identity: FileIdentity) {
        if path == target { return }  // no text: RelativePath
        ledger.forget(path)
        try? ledger.note(target, is: identity)
    }

    package func remove(_ name: UnsafePointer<CChar>) throws(SystemError) {
        let path = try inside(name)
        try outputs.changing { () throws(SystemError) in
            try requireOurs(path)
            try folder.unlink(path.text)
        }
        ledger.forget(place + path)
    }

    package func makeFolder(_ name: UnsafePointer<CChar>) throws(SystemError) {
        let path = try inside(name, orItself: true)
        if path.isItself { throw SystemError("make the folder \(place)", number: EEXIST) }
        try folder.makeFolder(path.text)
        noteMade(path)
    }

    package func removeFolder(_ name: UnsafePointer<CChar>) throws(SystemError) {
        let path = try inside(name)
        // libav tries this on files too, before it removes them.
        guard folder.kind(of: path.text) == .folder else { throw SystemError("remove the folder \(path)", number: ENOTDIR) }
        try requireOurs(path)
        try folder.removeFolder(path.text)
        folders.forget(place + path)
    }

    // MARK: What came of it

    /// From the output directory; "" for that itself.
    var path: String { place.text }

    /// The files there are of the writer's, by their paths from the output directory.
    package var files: [(path: String, bytes: Int64)] {
        findNoted()
        return ledger.files.sorted { $0.key < $1.key }.compactMap { path, identity in
            guard let own = path.relative(to: place), folder.identity(of: own.text) == identity else { return nil }
            return (path.text, Int64(folder.size(of: own.text) ?? 0))
        }
    }

    /// A file of the writer's that another writer or program has replaced.
    package var replacedFile: String? {
        ledger.files.sorted { $0.key < $1.key }.first { path, identity in
            let found = path.relative(to: place).flatMap { folder.identity(of: $0.text) }
            return found != nil && found != identity
        }?.key.text
    }

    /// Gives the files that are not the writer's any more, and stay.
    func removeFiles() -> [String] {
        findNoted()
        let files = ledger.files
        let left = try? outputs.removeFiles(files.keys.sorted()) { path, identity in files[path] == identity }
        return left?.map(\.text) ?? []
    }

    /// A file that libav opens without asking here; hls and dash write "x.tmp" and rename it to "x".
    func note(opened name: String) {
        guard let path = try? Self.path(name), path.relative(to: place) != nil else { return }
        noted.withLock { noted in
            noted.insert(path)
            if let final = path.text.without(suffix: ".tmp"), let final = try? RelativePath(final) { noted.insert(final) }
        }
    }

    /// From here on the ledger has them.
    func findNoted() {
        for path in noted.withLock({ $0 }) where ledger.identity(of: path) == nil {
            guard let inner = path.relative(to: place), folder.kind(of: inner.text) == .file,
                let identity = folder.identity(of: inner.text)
            else { continue }
            try? ledger.note(path, is: identity)
        }
    }

    // MARK: Names

    /// Whether a file of that name would lie in the folder at `place`.
    static func holds(_ name: String, at place: RelativePath) -> Bool {
        (try? path(name)).flatMap { inside($0, at: place) } != nil
    }

    private static func inside(_ path: RelativePath, at place: RelativePath) -> RelativePath? {
        guard let inner = path.relative(to: place), !inner.isItself, !inner.isReserved else { return nil }
        return inner
    }

    private static func path(_ name: String) throws(SystemError) -> RelativePath { try path(bytes: name.utf8) }

    private static func path(bytes: some Sequence<UInt8>) throws(SystemError) -> RelativePath {
        do throws(RelativePath.Fault) {
            return try RelativePath(bytes: bytes)
        } catch {
            throw SystemError("use the path \(String(decoding: Array(bytes), as: UTF8.self))", error)
        }
    }

    /// A muxer's name as one in the folder. `orItself`: the folder and those above it are that.
    private func inside(_ name: UnsafePointer<CChar>, orItself: Bool = false) throws(SystemError) -> RelativePath {
        let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name))
        let path = try Self.path(bytes: bytes)
        if orItself, !path.isItself, place.relative(to: path) != nil { return .itself }
        guard let inner = Self.inside(path, at: place) else {
            throw SystemError("use the path \(path)", number: EXDEV)
        }
        if closed.hold(path) { throw SystemError("use the path \(path), which is kept for other tokens", number: EACCES) }
        return inner
    }

    /// Whether what lies there is the file, or the folder, that the writer made.
    private func isOurs(_ path: RelativePath) -> Bool {
        if let identity = ledger.identity(of: place + path) { return folder.identity(of: path.text) == identity }
        return folders.holds(place + path)
    }

    private func requireOurs(_ path: RelativePath) throws(SystemError) {
        if overwrites || isOurs(path) { return }
        throw SystemError("change \(path), which another writer may have made", number: EPERM)
    }
}
