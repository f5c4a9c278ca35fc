import StreamWriter
import Synchronization
import SystemIO
import WriterModel

/// What a writer writes to: made when the writer is, put in its place when it is opened,
/// removed when nothing comes of it.
final class OutputPlace: Sendable {
    let muxer: MuxerInfo
    let plan: DestinationPlan
    private let policy: OutputPolicy
    private let file: OwnFile?
    private let outputs: Directory?
    /// Files the muxer opened itself, relative to the output directory.
    private let opened = Mutex<Set<String>>([])

    /// The one file whose descriptor we gave to the muxer.
    private struct OwnFile: Sendable {
        let folder: Directory
        let name: String
        /// Its name until the writer opens, while it would replace another file.
        var temporaryName: String?
        /// A pipe or device that was there: written as it is, never removed.
        var isSpecial = false
    }

    /// Called after bytes were written.
    typealias OnWrite = @Sendable () -> Void

    /// Makes the place and what the writer writes to, which owns its descriptor.
    static func make(
        _ request: CreateRequest, settings: EncoderSettings, confinement: Confinement, folder: Directory,
        isTrial: Bool = false, onWrite: @escaping OnWrite
    ) throws(Problem) -> (place: OutputPlace, destination: Destination) {
        let muxer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter.resolveMuxer(format: request.format, name: request.dst ?? "")
        }
        let plan = try DestinationPlan(dst: request.dst, muxer: muxer, policy: settings.policy)
        let made: (place: OutputPlace, destination: Destination)
        do throws(SystemError) {
            made = try (isTrial ? makeTrial : make)(plan, muxer, request, settings, folder, onWrite)
        } catch {
            throw problem(error, request.dst ?? "")
        }
        try made.place.narrow(confinement, isTrial: isTrial, discarding: made.destination)
        return made
    }

    /// Nothing else is within reach from here on; when that can't be had there is no writer.
    private func narrow(
        _ confinement: Confinement, isTrial: Bool, discarding destination: Destination
    ) throws(Problem) {
        do throws(SystemError) {
            try confinement.narrow(to: isTrial ? .ownFolder : reach)
        } catch {
            destination.discard()
            remove(committed: false)
            throw Problem(.internalError, "The writer can't be confined to its destination: \(error.description).")
        }
    }

    private var reach: Confinement.Reach {
        switch plan {
        case .managed, .nowhere: return .ownFolder
        case .file:
            // What is special is open already.
            guard let file, !file.isSpecial else { return .ownFolder }
            return .file(file.folder, file.temporaryName ?? file.name, isRenamed: file.temporaryName != nil)
        case .files(let dst): return outputs.map { .folder($0, Confinement.parent(of: dst)) } ?? .ownFolder
        case .url: return .url
        case .device: return .device
        }
    }

    private static func make(
        _ plan: DestinationPlan, _ muxer: MuxerInfo, _ request: CreateRequest, _ settings: EncoderSettings,
        _ folder: Directory, _ onWrite: @escaping OnWrite
    ) throws(SystemError) -> (place: OutputPlace, destination: Destination) {
        func place(_ file: OwnFile? = nil, outputs: Directory? = nil) -> OutputPlace {
            OutputPlace(muxer, plan, settings.policy, file, outputs)
        }
        switch plan {
        case .managed:
            let file = OwnFile(folder: folder, name: "output." + (muxer.extensions.first ?? "bin"))
            return (place(file), try create(file, onWrite))
        case .file(let dst):
            let outputs = try Directory(path: settings.outputDirectory)
            try outputs.makeParents(of: dst)
            if request.overwrite, let descriptor = try outputs.openSpecialForWriting(dst) {
                let file = OwnFile(folder: outputs, name: dst, isSpecial: true)
                return (place(file), .file(descriptor: descriptor, name: dst, onWrite: onWrite))
            }
            let temporary = request.overwrite ? TemporaryOutput.path(beside: dst, for: settings.writer) : nil
            let file = OwnFile(folder: outputs, name: dst, temporaryName: temporary)
            return (place(file), try create(file, onWrite))
        case .files(let dst):
            let outputs = try Directory(path: settings.outputDirectory)
            try outputs.makeParents(of: dst)
            if !request.overwrite && outputs.contains(dst) { throw SystemError("make \(dst)", number: 17) }
            // libav's muxers open, rename and remove their files by the names they were given.
            try outputs.enter()
            return (place(outputs: outputs), .url(dst))
        case .url(let url): return (place(), .url(url))
        case .device(let name): return (place(), .device(name))
        case .nowhere: return (place(), .url("null"))
        }
    }

    /// A place that leaves nothing: a file in the writer's own folder, or nothing at all for what
    /// opens its destination itself.
    private static func makeTrial(
        _ plan: DestinationPlan, _ muxer: MuxerInfo, _ request: CreateRequest, _ settings: EncoderSettings,
        _ folder: Directory, _ onWrite: @escaping OnWrite
    ) throws(SystemError) -> (place: OutputPlace, destination: Destination) {
        switch plan {
        case .file(let dst), .files(let dst):
            let outputs = try Directory(path: settings.outputDirectory)
            if !request.overwrite && outputs.contains(dst) { throw SystemError("make \(dst)", number: 17) }
        default: break
        }
        let file = muxer.needsFile ? OwnFile(folder: folder, name: "trial") : nil
        let place = OutputPlace(muxer, plan, settings.policy, file, nil)
        if let file { return (place, try create(file, onWrite)) }
        return (place, .url(request.dst ?? "null"))
    }

    private static func create(_ file: OwnFile, _ onWrite: @escaping OnWrite) throws(SystemError) -> Destination {
        let descriptor = try file.folder.createFile(file.temporaryName ?? file.name, .onlyIfAbsent)
        return .file(descriptor: descriptor, name: file.name, onWrite: onWrite)
    }

    private init(
        _ muxer: MuxerInfo, _ plan: DestinationPlan, _ policy: OutputPolicy, _ file: OwnFile?, _ outputs: Directory?
    ) {
        self.muxer = muxer
        self.plan = plan
        self.policy = policy
        self.file = file
        self.outputs = outputs
    }

    /// Asked by the muxer before it opens a file or URL of its own.
    func mayOpen(_ name: String) -> Bool {
        guard plan.allows(opening: name, policy) else { return false }
        if URLParts(name) == nil { opened.withLock { $0.formUnion(Self.names(ofOpened: name)) } }
        return true
    }

    /// hls and dash write "x.tmp" and rename it to "x" when it is complete.
    private static func names(ofOpened name: String) -> [String] {
        name.hasSuffix(".tmp") ? [name, String(name.dropLast(4))] : [name]
    }

    /// The writer is open: a file that was to be replaced is replaced now.
    func commit() throws(Problem) {
        guard let file, let temporaryName = file.temporaryName else { return }
        do throws(SystemError) {
            try file.folder.renameFile(temporaryName, to: file.name)
        } catch {
            throw Self.problem(error, file.name)
        }
    }

    /// Nothing comes of the writer. `committed`: it had been opened.
    func remove(committed: Bool) {
        if let file, !file.isSpecial {
            try? file.folder.removeFile(committed ? file.name : file.temporaryName ?? file.name)
        }
        for name in opened.withLock({ $0 }) { try? outputs?.removeFile(name) }
    }

    /// Opens what has been written for reading, once the writer is open. The caller owns the
    /// descriptor.
    func openForReading() throws(SystemError) -> Int32 {
        guard let file, !file.isSpecial else {
            throw SystemError("keep a copy of what is written elsewhere", number: 2)
        }
        return try file.folder.openFile(file.name)
    }

    /// `dst` as it may be shown; nil when there was none.
    var shownDestination: String? {
        switch plan {
        case .file(let path), .files(let path), .device(let path): path
        case .url(let url): URLParts(url)?.redacted
        case .managed, .nowhere: nil
        }
    }

    var managedFile: String? { plan == .managed ? file?.name : nil }

    /// What a browser is to save the output as.
    func downloadName(of writer: WriterID) -> String {
        if case .file(let path) = plan, let name = path.split(separator: "/").last { return String(name) }
        return "\(writer).\(muxer.extensions.first ?? "bin")"
    }

    /// Relative to the output directory.
    var outputFiles: [String] {
        switch plan {
        case .file(let path): file?.isSpecial == true ? [] : [path]
        case .files: files ?? []
        default: []
        }
    }

    /// Whether there is one file that `…/output` can serve.
    var hasOneFile: Bool { file.map { !$0.isSpecial } ?? false }

    /// What a muxer that opens its own files has left; nil for others.
    var files: [String]? {
        guard case .files = plan, let outputs else { return nil }
        return opened.withLock { $0 }.filter { outputs.contains($0) }.sorted()
    }

    /// The size of those together.
    var bytesOfFiles: Int64? {
        guard let outputs else { return nil }
        return files?.reduce(0) { $0 + Int64(outputs.size(of: $1) ?? 0) }
    }

    private static func problem(_ error: SystemError, _ dst: String) -> Problem {
        if error.isAlreadyThere {
            return Problem(
                .destinationExists, "\(dst) exists. Choose another dst, or send \"overwrite\": true.", parameter: "dst")
        }
        if error.leadsOutside {
            return Problem(.forbiddenDestination, "dst leads out of the output directory.", parameter: "dst")
        }
        if error.isOutOfSpace { return Problem(.noSpace, "There is no space for \(dst).") }
        return Problem(.destinationFailed, "The destination can't be made: \(error.description).", parameter: "dst")
    }
}
