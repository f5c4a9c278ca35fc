import APICore
import Bytewise
import Glibc
import StreamWriter
import SystemIO
import WriterModel

/// Makes the place a writer writes to, and what it writes there.
struct OutputBuilder {
    typealias Made = (place: WriterOutput, destination: Destination)

    private let plan: WriterPlan
    private let settings: EncoderStart
    /// The writer's own.
    private let folder: Directory
    private let carrierLines: CarrierLines?
    private let onWrite: @Sendable () -> Void
    private let onClaim: (OutputClaim) -> Void

    private var request: CreateRequest { plan.request }

    /// `onWrite` is called after bytes were written; `onClaim` with what the writer writes to, while
    /// nothing has been done yet that a client could have taken over.
    init(
        _ plan: WriterPlan, settings: EncoderStart, folder: Directory, carrierLines: CarrierLines?, onClaim: @escaping (OutputClaim) -> Void,
        onWrite: @escaping @Sendable () -> Void
    ) {
        self.plan = plan
        self.settings = settings
        self.folder = folder
        self.carrierLines = carrierLines
        self.onWrite = onWrite
        self.onClaim = onClaim
    }

    /// The destination owns its descriptor. A dry run leaves nothing.
    func make(isDryRun: Bool) throws(Problem) -> Made {
        do throws(SystemError) {
            return isDryRun ? try makeForDryRun() : try make()
        } catch {
            throw WriterOutput.problem(error, request.dst ?? "")
        }
    }

    private func make() throws(SystemError) -> Made {
        switch plan.destination {
        case .managed:
            let name = "output." + plan.fileExtension
            claim(.managed(name))
            return try create(.init(folder: folder, name: name))
        case .file(let dst): return try makeFile(dst)
        case .files(let dst): return try makeFolder(of: dst)
        case .url(let url):
            claim(.nothing)
            // Whatever the client calls by a name that no policy has judged.
            if plan.clientPolicy == .absent { try Directory(path: settings.outputDirectory).enter() }
            return (place(), try carried(.url(url)))
        case .device(let name):
            claim(.nothing)
            return (place(), try carried(.device(name)))
        case .nowhere:
            claim(.nothing)
            return (place(), .url("null"))
        }
    }

    private func carried(_ destination: Destination) throws(SystemError) -> Destination {
        try destination.carried(carrierLines, format: plan.muxer.name, bufferSize: request.bufferSize)
    }

    private func makeFile(_ dst: String) throws(SystemError) -> Made {
        let outputs = try Directory(path: settings.outputDirectory)
        try refuseIfThere(dst, outputs)
        return try outputs.changing { () throws(SystemError) in
            let folders = try folders()
            try outputs.makeParents(of: dst) { folders.note($0, is: $1) }
            return try makeFile(dst, inFoldersOf: outputs)
        }
    }

    private func makeFile(_ dst: String, inFoldersOf outputs: Directory) throws(SystemError) -> Made {
        if request.overwrite, let descriptor = try outputs.openSpecialForWriting(dst) {
            claim(.nothing)
            let file = WriterOutput.OwnFile(folder: outputs, name: dst, isSpecial: true)
            return (place(file), .file(descriptor: descriptor, name: dst, onWrite: onWrite))
        }
        claim(.file(dst))
        return try create(inOutputs: .init(folder: outputs, name: dst), try ledger())
    }

    private func makeFolder(of dst: String) throws(SystemError) -> Made {
        let outputs = try Directory(path: settings.outputDirectory)
        try refuseIfThere(dst, outputs)
        let muxerFolder = try MuxerFolder(
            of: dst, in: outputs, overwrites: request.overwrite, ledger: try ledger(), folders: try folders(),
            closed: OthersFolders(settings.othersFolders))
        if plan.clientPolicy == .enforced { Interposition.confine(to: muxerFolder) }
        try outputs.enter()
        let place = place(muxerFolder: muxerFolder)
        claim(place.claim)
        return (place, .url(dst))
    }

    /// Before there is a file: one that this process leaves behind when it is killed is the writer's for the gateway.
    private func claim(_ claim: OutputClaim) { onClaim(claim.inside(settings.ownersFolder)) }

    /// Of the files under the output directory, by the paths that the gateway knows them by.
    private func ledger() throws(SystemError) -> FileLedger {
        try FileLedger(in: folder, below: try ownersFolder())
    }

    private func folders() throws(SystemError) -> FolderLedger { FolderLedger(in: folder, below: try ownersFolder()) }

    private func ownersFolder() throws(SystemError) -> RelativePath {
        try settings.ownersFolder.map { text throws(SystemError) in try path(text) } ?? .itself
    }

    /// A file in the writer's own folder, or nothing at all for what opens its destination itself.
    private func makeForDryRun() throws(SystemError) -> Made {
        claim(.nothing)
        switch plan.destination {
        case .file(let dst), .files(let dst): try refuseIfThere(dst, try Directory(path: settings.outputDirectory))
        default: break
        }
        if plan.muxer.needsFile {
            return try create(.init(folder: folder, name: "trial"), packetBytes: plan.destination.packetBytes)
        }
        return (place(), .url(request.dst ?? "null"))
    }

    private func refuseIfThere(_ dst: String, _ outputs: Directory) throws(SystemError) {
        switch outputs.kind(of: dst) {
        case nil: break
        case .folder: throw SystemError("make \(dst)", number: EISDIR)
        case .file, .link, .special: if !request.overwrite { throw SystemError("make \(dst)", number: EEXIST) }
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
    private func create(inOutputs file: WriterOutput.OwnFile, _ ledger: FileLedger) throws(SystemError) -> Made {
        var file = file
        let temporaryName = TemporaryOutput.path(beside: try path(file.name), for: settings.writer).text
        // Of a writer of this id that was never made.
        try file.folder.removeFile(temporaryName)
        let descriptor = Descriptor(owning: try file.folder.createFile(temporaryName, .onlyIfAbsent, forOthers: true))
        do throws(SystemError) {
            guard let identity = FileIdentity(of: descriptor.number) else { throw SystemError("look at \(temporaryName)") }
            file.identity = identity
            try ledger.note(path(file.name), is: identity)
            if !request.overwrite { try file.folder.rename(temporaryName, to: file.name, replaces: false) }
        } catch {
            try? file.folder.removeFile(temporaryName)
            throw error
        }
        file.temporaryName = request.overwrite ? temporaryName : nil
        let destination = Destination.file(descriptor: descriptor.take(), name: file.name, onWrite: onWrite)
        return (place(file), destination)
    }

    private func path(_ dst: String) throws(SystemError) -> RelativePath {
        do throws(RelativePath.Fault) {
            return try RelativePath(dst)
        } catch {
            throw SystemError("use the path \(dst)", error)
        }
    }

    private func place(_ file: WriterOutput.OwnFile? = nil, muxerFolder: MuxerFolder? = nil) -> WriterOutput {
        WriterOutput(muxer: plan.muxer, plan: plan.destination, opener: plan.opener(folder: muxerFolder), file: file)
    }
}
