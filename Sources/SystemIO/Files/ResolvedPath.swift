import Bytewise
import Glibc

/// Where a path leads, as it is now: without links, "." and ".."; its end need not be there yet.
public struct ResolvedPath: Sendable {
    public let text: String

    public init(_ path: String) {
        let components = path.parts(at: "/", omittingEmpty: true)
        let root = path.begins(with: "/") ? "/" : "./"
        var count = components.count
        var there = Self.real(root + components.joined(separator: "/"))
        while there == nil && count > 0 {
            count -= 1
            there = Self.real(root + components[..<count].joined(separator: "/"))
        }
        var names = (there ?? root).parts(at: "/", omittingEmpty: true)
        for name in components[count...] where !name.isSame(as: ".") {
            if name.isSame(as: "..") { _ = names.popLast() } else { names.append(name) }
        }
        text = "/" + names.joined(separator: "/")
    }

    /// nil: it is not there, or not for this process to see.
    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Whether it is `folder`, or below it: by name, and by what lies there, as a folder may be mounted at two places.
    public func lies(within folder: ResolvedPath) -> Bool {
        let wanted = File.stamp(folder.text)
        var path = text
        while true {
            if path.isSame(as: folder.text) { return true }
            if let wanted, let stamp = File.stamp(path), stamp.isSameFile(as: wanted) { return true }
            guard !path.isSame(as: "/"), let (parent, _) = path.cutAtLast("/") else { return false }
            path = parent.utf8.isEmpty ? "/" : parent
        }
    }
}
