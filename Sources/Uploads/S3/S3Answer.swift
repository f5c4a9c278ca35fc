import Bytewise

/// What a store says in XML, as far as it is looked at: elements by their names, without what is within each other.
struct S3Answer: Sendable {
    private let text: String

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    /// The name of the outermost element; nil: there is none.
    var root: String? {
        var rest = text[...]
        while let start = rest.utf8.firstIndex(of: 0x3C) {
            rest = rest[rest.utf8.index(after: start)...]
            if rest.begins(with: "?") || rest.begins(with: "!") { continue }
            return rest.until(">", " ", "/", "\n", "\r", "\t")
        }
        return nil
    }

    /// The text of the first element of that name.
    func element(_ name: String) -> String? {
        var rest = text[...]
        while let start = rest.utf8.firstIndex(of: 0x3C) {
            rest = rest[rest.utf8.index(after: start)...]
            guard rest.begins(with: name), let end = rest.utf8.firstIndex(of: 0x3E), !rest[..<end].ends(with: "/"),
                rest.utf8.dropFirst(name.utf8.count).first.map({ $0 == 0x3E || $0 == 0x20 }) ?? false
            else { continue }
            return Self.unescaped(rest[rest.utf8.index(after: end)...].until("<"))
        }
        return nil
    }

    /// What is within each element of that name, of those that are not within each other.
    func elements(_ name: String) -> [S3Answer] {
        var found: [S3Answer] = []
        var content: Substring?
        var rest = text[...]
        while let start = rest.utf8.firstIndex(of: 0x3C) {
            rest = rest[start...]
            if rest.begins(with: "<\(name)>") {
                content = rest[rest.utf8.index(start, offsetBy: name.utf8.count + 2)...]
            } else if rest.begins(with: "</\(name)>"), let whole = content {
                found.append(S3Answer(Array(whole[..<start].utf8)))
                content = nil
            }
            rest = rest[rest.utf8.index(after: start)...]
        }
        return found
    }

    private static func unescaped(_ text: String) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
            .reduce(text) { $0.replacing(bytes: $1.0, with: $1.1) }
    }

    static func escaped(_ text: String) -> String {
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")].reduce(text) { $0.replacing(bytes: $1.0, with: $1.1) }
    }
}
