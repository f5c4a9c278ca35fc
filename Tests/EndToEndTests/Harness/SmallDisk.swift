import Foundation
import Testing

/// A file system in memory that is full soon, in place of a folder.
final class SmallDisk: Sendable {
    let path: String

    /// Whether this test run may mount one.
    static let canMount: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        let isMounted = mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0
        if isMounted { umount2(folder.path, Int32(MNT_DETACH)) }
        return isMounted
    }()

    static let skipReason: Comment = "a small tmpfs can't be mounted: this needs root with CAP_SYS_ADMIN"

    /// Mounts `kilobytes` at `path`, which it makes.
    init(at path: String, kilobytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
            throw HarnessError("mount a tmpfs at \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Takes every byte that is left.
    func fill() throws {
        let descriptor = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HarnessError("make the filler: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 65_536)
        for size in [65_536, 4_096, 1] { while write(descriptor, block, size) > 0 {} }
    }

    /// Gives some of `fill`'s bytes back.
    func relieve(pages: Int) throws {
        let filler = path + "/filler"
        let size = try #require(FileManager.default.attributesOfItem(atPath: filler)[.size] as? Int)
        try #require(truncate(filler, max(0, (size / 4_096 - pages) * 4_096)) == 0)
    }

    /// Gives `fill`'s bytes back.
    func relieve() throws { try FileManager.default.removeItem(atPath: path + "/filler") }
}
