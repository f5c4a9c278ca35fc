import StreamWriter
import SystemIO
import WriterModel

/// What a writer writes to: made when the writer is, put in its place when it is opened,
/// removed when nothing comes of it.
final class OutputPlace: Sendable {
    let muxer: MuxerInfo
    let plan: DestinationPlan
    /// What the muxer may open.
    let opener: DestinationGuard
    private let file: OwnFile?
    private var folder: MuxerFolder? { opener.folder }

    /// The one file whose descriptor we gave to the muxer.
    struct OwnFile: Sendable {
        let folder: Directory
        let name: String
        /// Its name until the writer opens, while it would replace another file.
        var temporaryName: String?
        /// A pipe or device that was there: written as it is, never removed.
        var isSpecial = false
    }

    init(muxer: MuxerInfo, plan: DestinationPlan, opener: DestinationGuard, file: OwnFile?) {
        self.muxer = muxer
        self.plan = plan
        self.opener = opener
        self.file = file
    }

    /// What of the system is left to the writer.
    var reach: Confinement.Reach {
        switch plan {
        case .managed, .nowhere: return .ownFolder
        case .file:
            // What is special is open already.
            guard let file, !file.isSpecial else { return .ownFolder }
            return .file(file.folder, file.temporaryName ?? file.name, isRenamed: file.temporaryName != nil)
        case .files: return folder.map { .folder($0.folder, ".") } ?? .ownFolder
        case .url: return .url
        case .device: return .device
        }
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
        folder?.removeFiles()
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
        case .file(let path), .files(let path): path
        case .url(let url), .device(let url): URLText.redacted(destination: url)
        case .managed, .nowhere: nil
        }
    }

    /// What the gateway is told once, before anything of libav's runs for the client.
    var claim: OutputClaim {
        switch plan {
        case .managed: file.map { .managed($0.name) } ?? .nothing
        case .file(let path): file?.isSpecial == false ? .file(path) : .nothing
        case .files: folder.map { .folder($0.path) } ?? .nothing
        case .url, .device, .nowhere: .nothing
        }
    }

    /// Another number whenever there are other files; nil where there is no list of them.
    var filesVersion: Int? { folder?.version }

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
    var files: [String]? { folder?.files }

    /// The size of those together.
    var bytesOfFiles: Int64? { folder?.bytes }

    static func problem(_ error: SystemError, _ dst: String) -> Problem {
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
