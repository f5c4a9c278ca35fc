import Bytewise
import SystemIO

/// The ledgers in a writer's own folder: the encoder's, and in a folder of its own for each output whose files a
/// carrier makes, that carrier's. A carrier can reach its own alone.
public enum OutputLedgers {
    private static let prefix = "ledger."

    /// The folder of that output's, from 0, in the writer's own.
    public static func folder(ofOutput index: Int) -> String { "\(prefix)\(index)" }

    /// Whether what has that name in a writer's folder is a ledger, or the folder of one.
    public static func areKept(in name: String) -> Bool {
        isFolder(name) || [FileLedger.fileName, FolderLedger.fileName].contains { name.isSame(as: $0) }
    }

    private static func isFolder(_ name: String) -> Bool {
        name.without(prefix: prefix).map { !$0.isEmpty && $0.utf8.allSatisfy(\.isASCIIDigit) } ?? false
    }

    /// The writer's files, of which several may have had a name one after the other; nil when there is no ledger, as of
    /// writers of earlier versions.
    public static func read(in folder: Directory) throws(SystemError) -> [RelativePath: [FileIdentity]]? {
        var files = try FileLedger.read(in: folder)?.mapValues { [$0] }
        for own in try folders(in: folder) {
            guard let more = try readable({ () throws(SystemError) in try FileLedger.read(in: own) }) else { continue }
            files = (files ?? [:]).merging(more.mapValues { [$0] }, uniquingKeysWith: +)
        }
        return files
    }

    /// The folders that it has made.
    public static func readFolders(in folder: Directory) throws(SystemError) -> [RelativePath: FileIdentity] {
        var made = try FolderLedger.read(in: folder)
        for own in try folders(in: folder) {
            made.merge(try readable { () throws(SystemError) in try FolderLedger.read(in: own) } ?? [:]) { first, _ in first }
        }
        return made
    }

    /// What a carrier has left in its ledger's place says nothing of the files of others.
    private static func readable<R>(_ read: () throws(SystemError) -> R?) throws(SystemError) -> R? {
        do throws(SystemError) {
            return try read()
        } catch {
            if error.isOutOfDescriptors { throw error }
            return nil
        }
    }

    /// Nothing is known of files any more.
    public static func removeFiles(in folder: Directory) {
        try? folder.removeFile(FileLedger.fileName)
        for own in (try? folders(in: folder)) ?? [] { try? own.removeFile(FileLedger.fileName) }
    }

    private static func folders(in folder: Directory) throws(SystemError) -> [Directory] {
        var found: [Directory] = []
        for name in try folder.entries().sorted() where isFolder(name) && folder.kind(of: name) == .folder {
            found.append(try folder.subdirectory(name))
        }
        return found
    }
}
