import StreamWriter
import SystemIO
import WriterModel

/// The file a writer writes: made when the writer is, kept when it is opened, removed when
/// nothing comes of it.
final class OutputPlace: Sendable {
    let muxer: MuxerInfo
    /// For reading what was written, live or later.
    let path: Path

    enum Path: Sendable, Equatable {
        /// In the writer's own folder.
        case managed(String)
        /// Relative to the output directory.
        case relative(String)
        /// A pipe or device that was there, relative to the output directory. It is written
        /// as it is and never removed.
        case special(String)
        /// The `null` muxer's: nothing is written.
        case nowhere
    }

    private let folder: Directory
    /// The name it has until the writer opens: another one while it would replace a file.
    private let temporaryName: String?

    /// Makes the file; the descriptor goes to the destination, which owns it.
    static func make(
        _ request: CreateRequest, settings: EncoderSettings, folder: Directory
    ) throws(Problem) -> (place: OutputPlace, destination: Destination) {
        if let dst = request.dst { try Self.check(dst) }
        let muxer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter.resolveMuxer(format: request.format, name: request.dst ?? "")
        }
        if muxer.name == "null" {
            return (OutputPlace(muxer, .nowhere, in: folder, temporaryName: nil), .url("null"))
        }
        guard muxer.needsFile else {
            throw Problem(
                .forbiddenDestination,
                "The format \(muxer.name) opens files or devices of its own, which this server does not allow.",
                parameter: "format")
        }
        do throws(SystemError) {
            if let dst = request.dst { return try make(dst, overwrite: request.overwrite, muxer, settings) }
            let name = "output." + (muxer.extensions.first ?? "bin")
            return try OutputPlace(muxer, .managed(name), in: folder, temporaryName: nil).create()
        } catch {
            throw Self.problem(error, request.dst ?? "")
        }
    }

    private static func make(
        _ dst: String, overwrite: Bool, _ muxer: MuxerInfo, _ settings: EncoderSettings
    ) throws(SystemError) -> (place: OutputPlace, destination: Destination) {
        let outputs = try Directory(path: settings.outputDirectory)
        try outputs.makeParents(of: dst)
        if overwrite, let descriptor = try outputs.openSpecialForWriting(dst) {
            let place = OutputPlace(muxer, .special(dst), in: outputs, temporaryName: nil)
            return (place, .file(descriptor: descriptor, name: dst))
        }
        let temporary = overwrite ? sibling(of: dst, for: settings.writer) : nil
        return try OutputPlace(muxer, .relative(dst), in: outputs, temporaryName: temporary).create()
    }

    private func create() throws(SystemError) -> (place: OutputPlace, destination: Destination) {
        let descriptor = try folder.createFile(currentName, .onlyIfAbsent)
        return (self, .file(descriptor: descriptor, name: name))
    }

    private init(_ muxer: MuxerInfo, _ path: Path, in folder: Directory, temporaryName: String?) {
        self.muxer = muxer
        self.path = path
        self.folder = folder
        self.temporaryName = temporaryName
    }

    private var name: String {
        switch path {
        case .managed(let name), .relative(let name), .special(let name): name
        case .nowhere: ""
        }
    }

    private var currentName: String { temporaryName ?? name }

    /// The writer is open: a file that was to be replaced is replaced now.
    func commit() throws(Problem) {
        guard let temporaryName else { return }
        do throws(SystemError) {
            try folder.renameFile(temporaryName, to: name)
        } catch {
            throw Self.problem(error, name)
        }
    }

    /// Nothing comes of the writer. `committed`: it had been opened.
    func remove(committed: Bool) {
        switch path {
        case .special, .nowhere: return
        case .managed, .relative: break
        }
        try? folder.removeFile(committed ? name : currentName)
    }

    /// Opens what has been written for reading. The caller owns the descriptor.
    func openForReading() throws(SystemError) -> Int32 {
        switch path {
        case .managed, .relative: return try folder.openFile(name)
        case .special, .nowhere: throw SystemError("keep no copy of the output", number: 2)
        }
    }

    private static func sibling(of path: String, for writer: WriterID) -> String {
        let components = path.split(separator: "/")
        let parent = components.dropLast().joined(separator: "/")
        return (parent.isEmpty ? "" : parent + "/") + ".\(writer).new"
    }

    /// A relative path, plainly: what the kernel would refuse later is refused with a reason.
    private static func check(_ dst: String) throws(Problem) {
        func refusal(_ rule: String) -> Problem {
            Problem(.forbiddenDestination, "dst \(rule). Give a path relative to the server's output directory.", parameter: "dst")
        }
        let components = dst.split(separator: "/", omittingEmptySubsequences: false)
        if dst.hasPrefix("/") { throw refusal("must not be an absolute path") }
        if components.contains("..") || components.contains(".") { throw refusal("must not hold . or ..") }
        if hasScheme(dst) { throw refusal("must not be a URL: this server writes files only") }
        if components.contains("") || dst.utf8.count > 1_024 || components.contains(where: { $0.utf8.count > 200 }) {
            throw Problem(
                .invalidParameter,
                "dst must be a path of non-empty names of at most 200 bytes each, 1,024 in all.", parameter: "dst")
        }
    }

    /// RFC 3986 §3.1; "name:" is one even without "//".
    private static func hasScheme(_ dst: String) -> Bool {
        guard let colon = dst.firstIndex(of: ":"), let first = dst.first, first.isASCII, first.isLetter else {
            return false
        }
        return dst[..<colon].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.,".contains($0)) }
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
