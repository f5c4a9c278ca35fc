import Bytewise
import Glibc

/// Who may read, and write, the files that this process and those that it starts make, whatever library makes them:
/// by the process's umask, for programs ask for as much as may be had.
public struct OutputMode: Sendable, Equatable {
    public static let rule = "from 0600 to 0666, of digits 0, 2, 4 and 6, the first 6"

    public let files: UInt32

    /// "0640"
    public init?(_ text: String) {
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit), let mode = UInt32(text, radix: 8), mode & ~0o666 == 0,
            mode & 0o600 == 0o600
        else { return nil }
        files = mode
    }

    /// Those who may read a folder may enter it.
    public var folders: UInt32 { files | (files & 0o444) >> 2 }

    /// With one thread, before other processes are started.
    public func apply() { umask(~folders & 0o777) }
}
