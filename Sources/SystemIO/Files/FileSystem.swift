import Bytewise
import Glibc

/// The file system that a path lies on.
public struct FileSystem: Sendable {
    /// As mount(8) calls it: "ext4"; nil: it is not known.
    public let type: String?
    /// For this process: of what is kept for root, root alone has some.
    public let freeBytes: UInt64

    /// nil where there is nothing at the path.
    public init?(holding path: String) {
        var space = statvfs()
        var information = stat()
        guard statvfs(path, &space) == 0, stat(path, &information) == 0 else { return nil }
        freeBytes = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        // As glibc's makedev puts them together.
        let device = UInt64(information.st_dev)
        let (major, minor) = (device >> 8 & 0xFFF | device >> 32 & ~0xFFF, device & 0xFF | device >> 12 & ~0xFF)
        type = Self.type(ofDevice: "\(major):\(minor)", in: (try? File.read("/proc/self/mountinfo")) ?? [])
    }

    /// proc_pid_mountinfo(5): `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
    package static func type(ofDevice device: String, in mountInfo: [UInt8]) -> String? {
        for line in String(decoding: mountInfo, as: UTF8.self).parts(at: "\n", omittingEmpty: true) {
            let words = line.parts(at: " ")
            guard words.count > 3, words[2].isSame(as: device), let end = words.dropFirst(6).firstIndex(where: { $0.isSame(as: "-") }) else { continue }
            return words.indices.contains(end + 1) ? words[end + 1] : nil
        }
        return nil
    }
}
