import APICore
import Bytewise
import Glibc
import StreamWriter
import SystemIO
import WriterModel

/// Makes the place that one of a writer's outputs is written to, and what is written there. A single file, whichever of
/// the outputs it is, is the encoder's own: its descriptor is opened before the sandbox closes, libav gets nothing else of
/// it, and the encoder can read it back and serve it. What a peer may hold up, and what a muxer opens by name, is a
/// carrier's.
struct OutputBuilder {
    typealias Made = (place: WriterOutput, destination: Destination)

    /// What is looked at before anything is made.
    struct Prepared {
        let claim: OutputClaim
        /// Of a pipe or device that is there.
        var special: Int32?

        /// For when nothing is made of it.
        func discard() { if let special { close(special) } }
    }

    private let output: PlannedOutput
    /// Which of the writer's outputs it is, from 0.
    private let number: Int
    private let settings: EncoderStart
    /// The writer's own.
    private let folder: Directory
    private let ledgers: WriterLedgers
    private let carrierLines: CarrierLines?
    private let onWrite: @Sendable () -> Void

    private var plan: WriterPlan { output.plan }
    private var request: CreateRequest { plan.request }
    private var dst: String { request.dst ?? "" }

    /// `onWrite` is called after bytes were written to a file.
    init(
        _ output: PlannedOutput, number: Int, settings: EncoderStart, folder: Directory, ledgers: WriterLedgers, carrierLines: CarrierLines?,
        onWrite: @escaping @Sendable () -> Void
    ) {
        self.output = output
        self.number = number
        self.settings = settings
        self.folder = folder
        self.ledgers = ledgers
        self.carrierLines = carrierLines
        self.onWrite = onWrite
    }

    // MARK: Before anything is made

    /// Throws where the output can't be made, as far as that shows by looking. The claim is by the paths that the gateway
    /// knows: what a process that is killed leaves behind is the writer's by it.
    func prepare() throws(Problem) -> Prepared {
        do throws(SystemError) {
            let found = try look()
            return Prepared(claim: found.claim.inside(settings.ownersFolder), special: found.special)
        } catch {
            throw WriterOutput.problem(error, dst)
        }
    }

    private func look() throws(SystemError) -> Prepared {
        switch plan.destination {
        case .managed: return Prepared(claim: .managed(managedName))
        case .file(let dst):
            let outputs = try Directory(path: settings.outputDirectory)
            try refuseIfThere(dst, outputs)
            guard request.overwrite, let descriptor = try outputs.openSpecialForWriting(dst) else { return Prepared(claim: .file(dst)) }
            return Prepared(claim: .nothing, special: descriptor)
        case .files(let dst):
            try refuseIfThere(dst, try Directory(path: settings.outputDirectory))
            let place = try MuxerFolder.place(of: dst)
            return Prepared(claim: .folder(place.isItself ? "" : place.text))
        case .url, .device, .nowhere: return Prepared(claim: .nothing)
        }
    }

    private func refuseIfThere(_ dst: String, _ outputs: Directory) throws(SystemError) {
        switch outputs.kind(of: dst) {
        case nil: break
        case .folder: throw SystemError("make \(dst)", number: EISDIR)
        case .file, .link, .special: if !request.overwrite { throw SystemError("make \(dst)", number: EEXIST) }
        }
    }

    /// A file in the writer's own folder, for an output that comes when the writer is open.
    func makeManaged() throws(Problem) -> Made {
        do throws(SystemError) {
            return try create(.init(folder: folder, name: managedName))
        } catch {
            throw WriterOutput.problem(error, output.name)
        }
    }

    /// No name holds a ".".
    var managedName: String {
        number == 0 ? "output.\(plan.fileExtension)" : "output.\(output.name).\(plan.fileExtension)"
    }

    // MARK: Making

    /// The destination owns its descriptor. Takes what was prepared over, also when it throws. `share`: how many outputs
    /// of the writer have lists of files between them.
    func make(_ prepared: Prepared, share: Int) throws(Problem) -> Made {
        if let special = prepared.special {
            let file = WriterOutput.OwnFile(folder: folder, name: dst, isSpecial: true)
            return (place(file), .file(descriptor: special, name: dst, onWrite: onWrite))
        }
        do throws(SystemError) {
            return try make(share: share)
        } catch {
            throw WriterOutput.problem(error, dst)
        }
    }

    private func make(share: Int) throws(SystemError) -> Made {
        switch plan.destination {
        case .managed: return try create(.init(folder: folder, name: managedName))
        case .file(let dst): return try makeFile(dst)
        case .files(let dst): return try makeFolder(of: dst, share: share)
        case .url(let url):
            // Whatever the client calls by a name that no policy has judged.
            if plan.clientPolicy == .absent { try Directory(path: settings.outputDirectory).enter() }
            return (place(), try carried(.url(url, request.uploadFields)))
        case .device(let name): return (place(), try carried(.device(name)))
        case .nowhere: return (place(), .url("null"))
        }
    }

    private func carried(_ destination: Destination, _ files: CarriedFiles? = nil) throws(SystemError) -> Destination {
        try destination.carried(carrierLines, output: output.name, format: plan.muxer.name, bufferSize: request.bufferSize, files: files)
    }

    private func makeFile(_ dst: String) throws(SystemError) -> Made {
        let outputs = try Directory(path: settings.outputDirectory)
        return try outputs.changing { () throws(SystemError) in
            try outputs.makeParents(of: dst) { ledgers.folders.note($0, is: $1) }
            return try create(inOutputs: .init(folder: outputs, name: dst))
        }
    }

    /// Its files are made by a carrier, when the writer opens.
    private func makeFolder(of dst: String, share: Int) throws(SystemError) -> Made {
        guard carrierLines != nil else { throw SystemError("write files of the muxer's own without a carrier", number: ENOTSUP) }
        let outputs = try Directory(path: settings.outputDirectory)
        // Without one nothing tells that the writer is of a version that keeps them.
        _ = try ledgers.files()
        let name = OutputLedgers.folder(ofOutput: number)
        try folder.makeSubdirectory(name)
        let ledgerFolder = try folder.subdirectory(name)
        let ledger = try FileLedger(in: ledgerFolder, below: ledgers.base)
        let muxerFolder = try MuxerFolder(
            of: dst, in: outputs, overwrites: request.overwrite, ledger: ledger, folders: ledgers.folders,
            closed: OthersFolders(settings.othersFolders))
        let made = place(folder: CarriedFolder(muxerFolder, ledger: ledger, in: ledgerFolder))
        let files = CarriedFiles(ledger: name, mostNameBytes: RecordBounds.nameBytes / max(1, share), overwrites: request.overwrite)
        return (made, try carried(.url(dst), files))
    }

    /// A file in the writer's own folder, or nothing at all for what opens its destination itself. What can't be is
    /// refused, and nothing is left.
    func makeForDryRun() throws(Problem) -> Made {
        do throws(SystemError) {
            if plan.muxer.needsFile {
                return try create(.init(folder: folder, name: "trial.\(number)"), packetBytes: plan.destination.packetBytes)
            }
            return (place(), .url(request.dst ?? "null"))
        } catch {
            throw WriterOutput.problem(error, dst)
        }
    }

    /// A file that has no other name than this.
    private func create(_ file: WriterOutput.OwnFile, packetBytes: Int? = nil) throws(SystemError) -> Made {
        var file = file
        let descriptor = Descriptor(owning: try file.folder.createFile(file.name, .onlyIfAbsent, forOthers: true))
        guard let identity = FileIdentity(of: descriptor.number) else { throw SystemError("look at \(file.name)") }
        file.identity = identity
        let destination = Destination.file(
            descriptor: descriptor.take(), name: file.name, packetBytes: packetBytes, onWrite: onWrite)
        return (place(file), destination)
    }

    /// Under the output directory, where others may take its name. It has a name of the server's own until the
    /// ledger says which file it is: killed at any time, this process leaves none that is unknown.
    private func create(inOutputs file: WriterOutput.OwnFile) throws(SystemError) -> Made {
        let ledger = try ledgers.files()
        var file = file
        let path = try Self.path(file.name)
        let temporaryName = TemporaryOutput.path(beside: path, for: settings.writer, output: number).text
        // Of a writer of this id that was never made.
        try file.folder.removeFile(temporaryName)
        let descriptor = Descriptor(owning: try file.folder.createFile(temporaryName, .onlyIfAbsent, forOthers: true))
        do throws(SystemError) {
            guard let identity = FileIdentity(of: descriptor.number) else { throw SystemError("look at \(temporaryName)") }
            file.identity = identity
            try ledger.note(path, is: identity)
            if !request.overwrite { try file.folder.rename(temporaryName, to: file.name, replaces: false) }
        } catch {
            try? file.folder.removeFile(temporaryName)
            throw error
        }
        file.temporaryName = request.overwrite ? temporaryName : nil
        let destination = Destination.file(descriptor: descriptor.take(), name: file.name, onWrite: onWrite)
        return (place(file), destination)
    }

    static func path(_ dst: String) throws(SystemError) -> RelativePath {
        do throws(RelativePath.Fault) {
            return try RelativePath(dst)
        } catch {
            throw SystemError("use the path \(dst)", error)
        }
    }

    private func place(_ file: WriterOutput.OwnFile? = nil, folder: CarriedFolder? = nil) -> WriterOutput {
        WriterOutput(output, file: file, folder: folder)
    }
}
