import Bytewise

/// Names that were meant by others.
enum Spelling {
    /// The known name that is written most like this one; nil: none is written like it.
    static func nearest(to name: String, among known: [String]) -> String? {
        let written = plain(name)
        let near = known.map { (name: $0, distance: written.editDistance(to: plain($0))) }.min { $0.distance < $1.distance }
        guard let near, near.distance <= most(written.utf8.count) else { return nil }
        return near.name
    }

    /// One slip in a short name, two or three in a long one.
    private static func most(_ length: Int) -> Int { length < 4 ? 0 : length < 6 ? 1 : min(3, length / 4 + 1) }

    private static func plain(_ name: String) -> String {
        let bytes = name.lowercasedASCII.utf8.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    }
}
