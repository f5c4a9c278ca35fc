import Bytewise
import CLinux
import Glibc
import Threading

// Removing what is one's own, where others may have put theirs under the same name.
extension Directory {
    /// Which file lies at `relative`, or which link; nil when nothing does.
    public func identity(of relative: String) -> FileIdentity? {
        guard let probe = probe(relative, O_NOFOLLOW) else { return nil }
        let identity = FileIdentity(of: probe.number)
        // Not before: it is closed with its last use.
        _ = consume probe
        return identity
    }

    /// Removes a file beneath; it being gone already is fine.
    public func removeFile(_ relative: String) throws(SystemError) {
        do throws(SystemError) {
            try unlink(relative)
        } catch {
            if !error.isMissing { throw error }
        }
    }

    /// Removes those of the files that `isOurs` knows, and no other that has such a name by now. Gives the names
    /// of the others; a file that is gone already is fine.
    public func removeFiles(
        _ paths: [RelativePath], if isOurs: (RelativePath, FileIdentity) -> Bool
    ) throws(SystemError) -> [RelativePath] {
        try changing { () throws(SystemError) in
            var left: [RelativePath] = []
            for path in paths {
                guard let identity = try identityIfThere(of: path) else { continue }
                if isOurs(path, identity) { try removeFile(path.text) } else { left.append(path) }
            }
            return left
        }
    }

    /// Removes those of the folders that still are the ones they are said to be, in which there is nothing, and that
    /// no process of ours has shared (`share`): the innermost first.
    public func removeFolders(_ folders: [RelativePath: FileIdentity]) throws(SystemError) {
        try changing { () throws(SystemError) in
            for (path, identity) in folders.sorted(by: { $0.key.components.count > $1.key.components.count }) {
                guard let number = try? openBeneath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, "open \(path)") else { continue }
                let folder = Descriptor(owning: number)
                if FileIdentity(of: folder.number) == identity, flock(folder.number, LOCK_EX | LOCK_NB) == 0 {
                    try? removeFolder(path.text)
                }
                _ = consume folder
            }
        }
    }

    /// From now on no process of ours removes the folder, though it be empty, until `unshare` or the end of the process.
    public func share() { flock(descriptor, LOCK_SH | LOCK_NB) }

    public func unshare() { flock(descriptor, LOCK_UN) }

    /// nil: nothing is there, and nothing leads there. What can't be looked at is not taken for gone.
    private func identityIfThere(of path: RelativePath) throws(SystemError) -> FileIdentity? {
        do throws(SystemError) {
            let flags = Int32(clinux_path_only) | O_NOFOLLOW
            let probe = Descriptor(owning: try openBeneath(path, flags, "look at \(path)"))
            guard let identity = FileIdentity(of: probe.number) else { throw SystemError("look at \(path)") }
            _ = consume probe
            return identity
        } catch {
            if error.isMissing || error.goesThroughLink || error.isNoFolder { return nil }
            throw error
        }
    }

    /// How long another process's change is waited for: longer than any takes that is not stopped.
    private static let patience = Duration.milliseconds(500)
    /// How long no thread waits for it again then.
    private static let impatience = Duration.seconds(60)

    /// Runs `body` while no other process of ours does the same for this folder: what a name stood for when it
    /// was looked up, it stands for when it is changed. One that holds on (stopped, or taken over) is not waited
    /// for.
    public func changing<R>(_ body: () throws(SystemError) -> R) throws(SystemError) -> R {
        // A descriptor of this call's own: the folder's would share its lock among threads. A confined process
        // may not open the folder again, and has one writer only.
        let own = (try? openBeneath(.itself, O_RDONLY | O_DIRECTORY, "open \(path)")) ?? -1
        defer { if own >= 0 { close(own) } }
        let lock = own >= 0 ? own : descriptor
        awaitLock(lock)
        defer { flock(lock, LOCK_UN) }
        return try body()
    }

    private func awaitLock(_ descriptor: Int32) {
        let began = ContinuousClock.now
        let isHeldOn = heldOn.withLock { $0.map { began - $0 < Self.impatience } ?? false }
        while flock(descriptor, LOCK_EX | LOCK_NB) < 0 {
            if isHeldOn { return }
            if ContinuousClock.now - began > Self.patience { return heldOn.withLock { $0 = .now } }
            SystemThread.sleep(.milliseconds(1))
        }
    }
}
