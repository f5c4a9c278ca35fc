import APICore
import Bytewise
import Glibc
import StreamWriter
import SystemIO
import WriterModel

// Outputs whose muxers make their own files in a folder.
extension CarrierWork {
    /// Makes libav's file calls those of the folder, and leaves the process nothing else but its ledger.
    func folder(of dst: String, _ order: CarrierOrder, _ plan: DestinationPlan) throws(StreamWriterError) -> CarrierHost.Place {
        guard let files = order.files else {
            throw StreamWriterError(.destinationRefused, "nothing says how the files of \(dst) are to be kept", parameter: "dst")
        }
        let folder: MuxerFolder
        do throws(SystemError) {
            folder = try open(dst, files)
        } catch {
            let problem = WriterOutput.problem(error, dst)
            throw StreamWriterError(.destinationFailed, problem.detail, parameter: problem.parameter)
        }
        if OutputNumberJudge.namesByTime(order.option) { folder.writeEachOnce() }
        let opener = DestinationGuard(plan: plan, policy: settings.policy, clientPolicy: clientPolicy, folder: folder)
        return .init(.url(dst), opener: opener) { () throws(StreamWriterError) in
            folder.findNoted()
            guard let taken = folder.takenName else { return }
            throw StreamWriterError(
                .destinationExists, "\(taken) exists: what was to get this name has been written under another, or not at all")
        }
    }

    private func open(_ dst: String, _ files: CarriedFiles) throws(SystemError) -> MuxerFolder {
        let closed = OthersFolders(settings.othersFolders)
        if let path = try? RelativePath(dst), closed.hold(path) { throw SystemError("write to \(dst)", number: EACCES) }
        guard OutputLedgers.areKept(in: files.ledger) else { throw SystemError("use the ledger \(files.ledger)", number: EACCES) }
        let outputs = try Directory(path: settings.outputDirectory)
        let own = try Directory(path: settings.folder).subdirectory(files.ledger)
        // Its encoder has it once nothing more is to be made.
        guard own.lock() else { throw SystemError("use the ledger \(files.ledger)", number: EAGAIN) }
        let below = try settings.ownersFolder.map { text throws(SystemError) in try OutputBuilder.path(text) } ?? .itself
        let folder = try MuxerFolder(
            of: dst, in: outputs, overwrites: files.overwrites, ledger: try FileLedger(in: own, below: below),
            folders: FolderLedger(in: own, below: below), closed: closed, mostNameBytes: files.mostNameBytes)
        try narrow([.folder(folder.folder, ledger: own)])
        if clientPolicy == .enforced { Interposition.confine(to: folder) }
        try outputs.enter()
        return folder
    }
}
