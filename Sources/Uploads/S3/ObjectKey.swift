import Bytewise

/// The name of an object in a store's bucket, the store's prefix included.
package struct ObjectKey: Sendable, Equatable, CustomStringConvertible {
    package static let mostBytes = 1_024

    package let text: String
    package var description: String { text }

    /// Of a store that puts nothing before it.
    package init(_ key: String) throws(UploadError) { try self.init(key, prefix: "") }

    /// Refuses what would leave the prefix, or what servers and their tools read in different ways: "." and ".." between
    /// slashes, a slash in front, control characters. An empty name between two slashes is one.
    init(_ key: String, prefix: String) throws(UploadError) {
        let doing = "key \"\(key.shortened(to: 100).sanitised)\""
        if key.isEmpty || key.ends(with: "/") { throw UploadError(.invalid, doing, "it names no object: something stands behind its last slash") }
        if key.begins(with: "/") { throw UploadError(.invalid, doing, "it begins with a slash: leave that out") }
        if key.parts(at: "/").contains(where: { $0.isSame(as: "..") || $0.isSame(as: ".") }) {
            throw UploadError(.invalid, doing, "\".\" and \"..\" are no names of an object's path")
        }
        if key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw UploadError(.invalid, doing, "it has a control character in it") }
        text = prefix + key
        if text.utf8.count > Self.mostBytes {
            throw UploadError(.invalid, doing, "with the store's prefix it has \(text.utf8.count) bytes, and \(Self.mostBytes) is the most")
        }
    }
}
