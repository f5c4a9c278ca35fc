import Bytewise
import SystemIO
import WriterModel

/// What could not be sent of outputs that are written to a file first: in a writer's own folder, for each such output a
/// folder that its carrier alone can reach. What is whole in it stays until it is sent, or the writer is removed.
public enum KeptSpools {
    private static let prefix = "spool."
    /// The finished file. While it is written it has another name.
    public static let fileName = "whole"
    /// How it is to be sent: a `RetryOrder`.
    public static let orderName = "order.json"

    /// The folder of the output with that name.
    public static func folder(of output: String) -> String { prefix + output }

    /// The output whose folder has that name in a writer's; nil: it is none.
    public static func output(ofFolder name: String) -> String? {
        name.without(prefix: prefix).flatMap { WriterID.isName($0) ? $0 : nil }
    }

    /// The outputs of which something is kept, with its bytes.
    public static func list(in folder: Directory) -> [String: Int64] {
        var kept: [String: Int64] = [:]
        for name in folders(in: folder) { kept[output(ofFolder: name)!] = bytes(in: name, of: folder) }  // Each is one.
        return kept
    }

    private static func folders(in folder: Directory) -> [String] { ((try? folder.entries()) ?? []).filter { output(ofFolder: $0) != nil } }

    /// nil: it is not finished.
    private static func bytes(in name: String, of folder: Directory) -> Int64? {
        let file = "\(name)/\(fileName)"
        guard folder.kind(of: file) == .file else { return nil }
        return Int64(clamping: folder.size(of: file) ?? 0)
    }

    /// Removes what was never finished, of a writer that has ended; gives the bytes of what is kept.
    public static func settle(in folder: Directory) -> Int64 {
        for name in folders(in: folder) where bytes(in: name, of: folder) == nil { try? folder.removeSubdirectory(name) }
        return list(in: folder).values.reduce(0) { $0.addingSaturating($1) }
    }

    /// The output is there: nothing of it is kept any more.
    public static func remove(_ output: String, in folder: Directory) throws(SystemError) {
        try folder.removeSubdirectory(Self.folder(of: output))
    }
}
