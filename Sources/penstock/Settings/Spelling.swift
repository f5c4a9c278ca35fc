import Bytewise

/// Names that were meant by others.
enum Spelling {
    /// The known name that is written most like this one; nil: none is written like it.
    static func nearest(to name: String, among known: [String]) -> String? {
        let written = plain(name)
        let near = known.map { (name: $0, distance: distance(written, plain($0))) }.min { $0.distance < $1.distance }
        guard let near, near.distance <= most(written.count) else { return nil }
        return near.name
    }

    /// One slip in a short name, two or three in a long one.
    private static func most(_ length: Int) -> Int { length < 4 ? 0 : length < 6 ? 1 : min(3, length / 4 + 1) }

    private static func plain(_ name: String) -> [UInt8] {
        name.lowercasedASCII.utf8.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }.filter { $0 != UInt8(ascii: " ") }
    }

    /// How many letters are put in, left out or taken for others.
    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var row = Array(0...other.count)
        for (i, a) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in other.enumerated() {
                let changed = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(changed, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[other.count]
    }
}
