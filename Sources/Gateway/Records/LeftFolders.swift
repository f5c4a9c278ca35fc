import APICore
import Bytewise
import Synchronization
import SystemIO
import Threading
import WriterModel

/// Folders under the output directory that were made for writers who are gone, and that other writers' files lie in:
/// the last of those takes them along. Kept in the state directory, where no encoder can write. Any thread.
final class LeftFolders: Sendable {
    private struct State {
        var folders: [RelativePath: FileIdentity]
        var leaving: Set<WriterID> = []
    }

    private let ledger: FolderLedger
    private let state: Mutex<State>
    /// One writer leaves at a time, so that one of two that leave together is the last.
    private let turn = Semaphore(1)

    init(stateDirectory: String) throws(SystemError) {
        let folder = try Directory(path: stateDirectory)
        let known = (try? FolderLedger.read(in: folder)) ?? [:]
        ledger = FolderLedger(in: folder)
        for (path, identity) in known { ledger.note(path, is: identity) }
        state = Mutex(State(folders: known))
    }

    var folders: [RelativePath: FileIdentity] { state.withLock { $0.folders } }

    /// From here on the writer needs no folder, until `hasLeft`.
    func leave(_ writer: WriterID, _ body: () -> Void) {
        turn.passing {
            state.withLock { _ = $0.leaving.insert(writer) }
            body()
        }
    }

    func hasLeft(_ writer: WriterID) { state.withLock { _ = $0.leaving.remove(writer) } }

    func isLeaving(_ writer: WriterID) -> Bool { state.withLock { $0.leaving.contains(writer) } }

    func note(_ path: RelativePath, is identity: FileIdentity) {
        let isNew = state.withLock { $0.folders.updateValue(identity, forKey: path) != identity }
        if isNew { ledger.note(path, is: identity) }
    }

    func forget(_ path: RelativePath) {
        let wasThere = state.withLock { $0.folders.removeValue(forKey: path) != nil }
        if wasThere { ledger.forget(path) }
    }
}
