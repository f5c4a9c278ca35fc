import Bytewise
import Synchronization
import SystemIO

/// Which folders under the output directory a writer has made, to be removed with it where nothing is in them: kept
/// as its files are (`FileLedger`), once there is one. Any thread.
public final class FolderLedger: Sendable {
    public static let fileName = "folders"

    private let folder: Directory
    private let base: RelativePath
    private let ledger = Mutex<FileLedger?>(nil)

    /// As of a `FileLedger`.
    public init(in folder: Directory, below base: RelativePath = .itself) {
        self.folder = folder
        self.base = base
    }

    public func holds(_ path: RelativePath) -> Bool { made?.identity(of: path) != nil }

    /// One that can't be kept stays for good.
    public func note(_ path: RelativePath, is identity: FileIdentity) {
        let ledger = ledger.withLock { ledger in
            if ledger == nil { ledger = try? FileLedger(in: folder, below: base, named: Self.fileName) }
            return ledger
        }
        try? ledger?.note(path, is: identity)
    }

    public func forget(_ path: RelativePath) { made?.forget(path) }

    /// What lay at `source` or beneath lies at `target` now.
    public func rename(_ source: RelativePath, to target: RelativePath) {
        for (path, identity) in made?.files ?? [:] {
            guard let rest = path.relative(to: source) else { continue }
            forget(path)
            note(target + rest, is: identity)
        }
    }

    private var made: FileLedger? { ledger.withLock { $0 } }

    /// What the ledger in a writer's own folder says.
    public static func read(in folder: Directory) throws(SystemError) -> [RelativePath: FileIdentity] {
        try FileLedger.read(in: folder, named: fileName) ?? [:]
    }
}
