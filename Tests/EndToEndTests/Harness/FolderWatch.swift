import Foundation

/// Hears of every file that anybody opens, reads, makes, changes, renames or removes directly in
/// some folders. Opening a folder itself is not told.
final class FolderWatch: Sendable {
    private static let interest = UInt32(
        IN_OPEN | IN_ACCESS | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
    private static let names = [
        (UInt32(IN_OPEN), "opened"), (UInt32(IN_ACCESS), "read"), (UInt32(IN_MODIFY), "changed"),
        (UInt32(IN_CREATE), "made"), (UInt32(IN_DELETE), "removed"), (UInt32(IN_MOVED_FROM), "renamed"),
        (UInt32(IN_MOVED_TO), "renamed to"),
    ]

    private let descriptor: Int32
    private let folders: [Int32: String]

    init(_ paths: [String]) throws {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw HarnessError("inotify: \(String(cString: strerror(errno)))") }
        self.descriptor = descriptor
        var folders: [Int32: String] = [:]
        for path in paths {
            let watch = inotify_add_watch(descriptor, path, Self.interest)
            guard watch >= 0 else { throw HarnessError("watching \(path): \(String(cString: strerror(errno)))") }
            folders[watch] = path
        }
        self.folders = folders
    }

    deinit { close(descriptor) }

    /// What happened since the last call, each thing once: "opened /folder/file".
    func events() -> Set<String> {
        var found: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return found }
            var start = 0
            while start < count {
                let (event, size) = buffer.withUnsafeBytes { bytes in
                    let watch = bytes.loadUnaligned(fromByteOffset: start, as: Int32.self)
                    let mask = bytes.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self)
                    let length = Int(bytes.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self))
                    let name = bytes[(start + 16)..<(start + 16 + length)].prefix { $0 != 0 }
                    return (told(watch, mask, String(decoding: name, as: UTF8.self)), 16 + length)
                }
                if let event { found.insert(event) }
                start += size
            }
        }
    }

    private func told(_ watch: Int32, _ mask: UInt32, _ name: String) -> String? {
        let isLooking = mask & UInt32(IN_OPEN | IN_ACCESS) != 0
        if isLooking && mask & UInt32(IN_ISDIR) != 0 { return nil }
        guard let kind = Self.names.first(where: { mask & $0.0 != 0 })?.1 else { return nil }
        return "\(kind) \(folders[watch] ?? "?")/\(name)"
    }
}
