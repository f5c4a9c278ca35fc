import APICore
import Bytewise
import Synchronization
import SystemIO

/// The ledgers that the encoder itself keeps, of all outputs together: of files and of folders under the output directory,
/// by the paths that the gateway knows them by.
final class WriterLedgers: Sendable {
    private let folder: Directory
    /// Between the output directory as the gateway knows it and the one of the writer's owner.
    let base: RelativePath
    let folders: FolderLedger
    private let made = Mutex<FileLedger?>(nil)

    /// In the writer's own folder.
    init(in folder: Directory, ownersFolder: String?) throws(SystemError) {
        self.folder = folder
        base = try ownersFolder.map { text throws(SystemError) in try OutputBuilder.path(text) } ?? .itself
        folders = FolderLedger(in: folder, below: base)
    }

    /// Made when it is first asked for.
    func files() throws(SystemError) -> FileLedger {
        if let made = made.withLock({ $0 }) { return made }
        let ledger = try FileLedger(in: folder, below: base)
        made.withLock { $0 = ledger }
        return ledger
    }
}
