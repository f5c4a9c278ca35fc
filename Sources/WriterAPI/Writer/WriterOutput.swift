import Bytewise
import Glibc
import HTTPServer
import StreamWriter
import Synchronization
import SystemIO
import WriterModel

/// What one of a writer's outputs is written to: made when the writer is, put in its place when it is opened,
/// removed when nothing comes of it.
final class WriterOutput: Sendable {
    let planned: PlannedOutput
    private let file: OwnFile?
    private let folder: CarriedFolder?

    var name: String { planned.name }
    var muxer: MuxerInfo { planned.plan.muxer }
    var plan: DestinationPlan { planned.plan.destination }
    /// What the muxer may open.
    var opener: DestinationGuard { planned.plan.opener() }
    /// What it is opened with, as far as that is known from the beginning.
    var option: [String: String] { planned.plan.openOption ?? [:] }  // ASCII
    /// The writer goes on without it.
    var isExpendable: Bool { planned.request?.onFailure == .continue }

    /// The one file whose descriptor we gave to the muxer.
    struct OwnFile: Sendable {
        let folder: Directory
        let name: String
        /// Its name until the writer opens, while it would replace another file.
        var temporaryName: String?
        /// A pipe or device that was there: written as it is, never removed.
        var isSpecial = false
        /// Which file it is, whatever it is called by now; nil of what is special.
        var identity: FileIdentity?
    }

    init(_ planned: PlannedOutput, file: OwnFile?, folder: CarriedFolder?) {
        self.planned = planned
        self.file = file
        self.folder = folder
    }

    /// Another program, which may never respond.
    var isPeer: Bool {
        switch plan {
        case .url: true
        case .managed, .file, .files, .device, .nowhere: false
        }
    }

    /// What of the system is left to the writer.
    var reach: Confinement.Reach {
        switch plan {
        case .managed, .nowhere: return .ownFolder
        case .file:
            // What is special is open already.
            guard let file, !file.isSpecial else { return .ownFolder }
            return .file(file.folder, file.temporaryName ?? file.name, isRenamed: file.temporaryName != nil)
        case .files: return folder.map { .carriedFolder($0.folder.folder) } ?? .ownFolder
        // Written by other processes.
        case .url, .device: return .ownFolder
        }
    }

    /// Before any output takes its place: throws where this one can't.
    func checkCommit() throws(Problem) {
        guard let file, file.temporaryName != nil, file.folder.kind(of: file.name) == .folder else { return }
        throw Self.problem(SystemError("make \(file.name)", number: EISDIR), file.name)
    }

    /// The writer is open: a file that was to be replaced is replaced now.
    func commit() throws(Problem) {
        guard let file, let temporaryName = file.temporaryName else { return }
        do throws(SystemError) {
            try file.folder.changing { () throws(SystemError) in
                // The sandbox would have another reason.
                if file.folder.kind(of: file.name) == .folder { throw SystemError("make \(file.name)", number: EISDIR) }
                try file.folder.rename(temporaryName, to: file.name, replaces: true)
            }
        } catch {
            throw Self.problem(error, file.name)
        }
    }

    /// Nothing comes of the writer: what it wrote goes, whatever it is called by now. Gives the names under
    /// which others have put files of theirs, which stay.
    @discardableResult
    func remove() -> [String] {
        guard let file, let identity = file.identity else { return folder?.removeFiles() ?? [] }
        if case .managed = plan {
            // No other process changes the writer's own folder, whose lock this process holds for as long as it lives:
            // waiting for it takes half a second in vain.
            try? file.folder.removeFile(file.name)
            return []
        }
        let names = [file.temporaryName, file.name].compactMap { $0.flatMap { try? RelativePath($0) } }
        // A file that it was to replace, and had not yet, was never its own.
        let wasWaiting = file.temporaryName.map { file.folder.identity(of: $0) == identity } ?? false
        let left = (try? file.folder.removeFiles(names) { $1 == identity }) ?? []
        return wasWaiting ? [] : left.map(\.text)
    }

    /// The writer has ended: nothing more is made.
    func release() { folder?.folder.release() }

    /// What was written is complete: throws when it is not where it was to be.
    func checkKept() throws(Problem) {
        if let file, let identity = file.identity {
            if file.folder.identity(of: file.name) != identity { throw Self.replaced(file.name) }
        } else if let replaced = folder?.replacedFile {
            throw Self.replaced(replaced)
        }
    }

    private struct Reading {
        weak var file: OpenFile?
    }

    /// Those that read at the same time have one descriptor between them: a process has few more than
    /// connections.
    private let reading = Mutex(Reading())

    /// Whether there is one file of ours to read.
    var canBeRead: Bool { readable != nil }

    /// Why there is none.
    var whyUnreadable: String {
        switch plan {
        case .url: "it is sent to a URL"
        case .device: "it goes to a device"
        case .files: "it is several files, which lie beside \(shownDestination ?? "dst")"
        case .nowhere: "nothing is written"
        case .managed, .file: "it is a pipe or a device that was there"
        }
    }

    private var readable: OwnFile? { file.flatMap { $0.isSpecial ? nil : $0 } }

    /// What has been written, for reading, once the writer is open.
    func openForReading() throws(Problem) -> OpenFile {
        guard let file = readable else {
            throw Problem(.notFound, "The writer's output can't be read here: it is not a file that Penstock keeps.")
        }
        // Before it is opened, as the sandbox lets this process open its own file only; and after, as it may have
        // been replaced meanwhile.
        try checkKept()
        if let opened = reading.withLock({ $0.file }) { return opened }
        let opened: Descriptor
        do throws(SystemError) {
            opened = Descriptor(owning: try file.folder.openFile(file.name))
        } catch {
            throw Problem(.notFound, "The writer's output can't be read here: \(error.description).")
        }
        if FileIdentity(of: opened.number) != file.identity { throw Self.replaced(file.name) }
        let shared = OpenFile(owning: opened.take())
        reading.withLock { $0.file = shared }
        return shared
    }

    private static func replaced(_ name: String) -> Problem {
        Problem(
            .outputReplaced,
            "\(name) is not the file that the writer makes: another writer (with \"overwrite\": true) or program has replaced or removed it.")
    }

    /// `dst` as it may be shown; nil when there was none.
    var shownDestination: String? {
        switch plan {
        case .file(let path), .files(let path): path
        case .url(let url), .device(let url): URLText.redacted(destination: url)
        case .managed, .nowhere: nil
        }
    }

    var managedFile: String? { plan == .managed ? file?.name : nil }

    /// The one file under the output directory that it is from the beginning.
    var ownFile: String? { if case .file(let path) = plan, canBeRead { path } else { nil } }

    /// What a browser is to save the output as.
    func downloadName(of writer: WriterID, _ type: FileType) -> String {
        if case .file(let path) = plan, let name = (try? RelativePath(path))?.name { return name.text }
        return "\(writer).\(type.fileExtension ?? "bin")"
    }

    /// Of a writer with these streams.
    func fileType(of all: [StreamConfig]) -> FileType {
        let streams = planned.request?.streams.map { $0.compactMap { all.indices.contains($0.stream) ? all[$0.stream] : nil } } ?? all
        return switch plan {
        case .file(let path), .files(let path): muxer.fileType(of: streams, named: path)
        case .managed, .url, .device, .nowhere: muxer.fileType(of: streams)
        }
    }

    /// What there is of the writer's files.
    struct Written: Sendable {
        /// Relative to the output directory.
        var outputFiles: [String] = []
        /// Of those, what a muxer that opens its own files has left, and their size together; nil for others.
        var muxersFiles: [String]?
        var muxersBytes: Int64?
        /// `…/output` can serve it.
        var isOneFile: Bool

        /// The one that it is under the output directory.
        var onlyFile: String? { isOneFile ? outputFiles.first : nil }
    }

    /// Looks at every file: not for each request, and under no lock.
    func look() -> Written {
        guard let folder else {
            guard canBeRead else { return Written(isOneFile: false) }
            if case .file(let path) = plan { return Written(outputFiles: [path], isOneFile: true) }
            return Written(isOneFile: true)
        }
        let files = folder.files
        let bytes = files.reduce(0) { $0 + $1.bytes }
        let names = files.map(\.path)
        return Written(outputFiles: names, muxersFiles: names, muxersBytes: bytes, isOneFile: names.count == 1)
    }

    static func problem(_ error: SystemError, _ dst: String) -> Problem {
        if error.isAlreadyThere {
            return Problem(
                .destinationExists, "\(dst) exists. Choose another dst, or send \"overwrite\": true.", parameter: "dst")
        }
        if error.isFolder {
            return Problem(.invalidParameter, "dst is a folder: \(dst). Give the name of a file in it.", parameter: "dst")
        }
        if error.isNoFolder {
            return Problem(
                .invalidParameter, "dst leads through a file as if it were a folder: \(dst). Choose another dst.", parameter: "dst")
        }
        if error.leadsOutside {
            return Problem(.forbiddenDestination, "dst leads out of the output directory.", parameter: "dst")
        }
        if error.goesThroughLink {
            return Problem(
                .forbiddenDestination, "dst leads through a symbolic link. Give a path of folders and files only.",
                parameter: "dst")
        }
        if error.number == SystemError.tryAgain { return Problem(.overloaded, "A process for an output can't be had now. Try again.") }
        if error.isOutOfSpace { return Problem(.noSpace, "There is no space for \(dst).") }
        return Problem(.destinationFailed, "The destination can't be made: \(error.description).", parameter: "dst")
    }
}
