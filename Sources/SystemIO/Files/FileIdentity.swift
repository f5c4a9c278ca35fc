import Bytewise
import CLinux

/// Which file it is, whatever it is called: not another one that took its name, nor one that was given its
/// inode's number once it was gone.
public enum FileIdentity: Sendable, Hashable {
    /// The inode's number, and when the file was made, in nanoseconds since 1970. Without the device: its
    /// number may be another one after a restart.
    case born(node: UInt64, at: Int64)
    /// Where the file system keeps no such time (NFS): a new file with the number of one that is gone is
    /// taken for it.
    case numbered(node: UInt64, device: UInt64)

    /// Of an open file.
    public init?(of descriptor: Int32) {
        var status = clinux_file_status()
        guard clinux_file_status_of(descriptor, &status) == 0 else { return nil }
        self = status.birth > 0
            ? .born(node: status.node, at: status.birth) : .numbered(node: status.node, device: status.device)
    }

    /// As it is kept: "12:1700000000000000000", or "12@34".
    public var text: String {
        switch self {
        case .born(let node, let time): "\(node):\(time)"
        case .numbered(let node, let device): "\(node)@\(device)"
        }
    }

    public init?(_ text: String) {
        if let (node, time) = text.cut(at: ":"), let node = UInt64(node), let time = Int64(time) {
            self = .born(node: node, at: time)
        } else if let (node, device) = text.cut(at: "@"), let node = UInt64(node), let device = UInt64(device) {
            self = .numbered(node: node, device: device)
        } else {
            return nil
        }
    }
}
