// Names that are written nearly alike.
extension StringProtocol {
    /// How many letters are put in, left out, taken for others, or changed with their neighbours, to make one of the other.
    public func editDistance(to other: some StringProtocol) -> Int {
        let (one, other) = (Array(utf8), Array(other.utf8))
        var before: [Int] = []
        var previous = Array(0...other.count)
        for (i, a) in one.enumerated() {
            var row = [i + 1]
            for (j, b) in other.enumerated() {
                var least = Swift.min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == other[j - 1], one[i - 1] == b { least = Swift.min(least, before[j - 1] + 1) }
                row.append(least)
            }
            (before, previous) = (previous, row)
        }
        return previous[other.count]
    }

    /// Its letters and digits alone, small: what "numChannels", "num-channels" and "num_channels" have in common.
    public var lettersOnly: String {
        String(decoding: utf8.map(\.lowercasedASCII).filter { $0.isASCIILetter || $0.isASCIIDigit }, as: UTF8.self)
    }

    /// The name that is written most like this one; nil: none is written like it.
    public func nearest(among names: some Sequence<String>) -> String? {
        // Nothing that long is a name mistyped.
        if utf8.count > 100 { return nil }
        let written = lettersOnly
        let near = names.map { (name: $0, distance: written.editDistance(to: $0.lettersOnly)) }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let near, !written.isEmpty, near.distance <= Self.slips(in: written.utf8.count) else { return nil }
        return near.name
    }

    /// None in a short name, one in one of a word, two or three in a long one.
    private static func slips(in length: Int) -> Int { length < 4 ? 0 : length < 6 ? 1 : Swift.min(3, length / 4 + 1) }
}
