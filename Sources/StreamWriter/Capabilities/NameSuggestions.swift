import Bytewise
import Libav

/// Names a mistyped one may have stood for.
enum NameSuggestions {
    static let limit = 10

    /// The names that contain `name` or differ from it by few letters, nearest first.
    static func of(_ name: String, in names: [String]) -> [String] {
        // Nothing that long is a name mistyped.
        if name.utf8.count > 100 { return [] }
        let wanted = Array(name.lowercasedASCII.utf8)
        let scored = names.compactMap { candidate -> (score: Int, name: String)? in
            let letters = Array(candidate.lowercasedASCII.utf8)
            let distance = editDistance(wanted, letters)
            if candidate.lowercasedASCII.holds(name.lowercasedASCII) { return (distance / 4, candidate) }
            return distance <= max(2, wanted.count / 3) ? (distance, candidate) : nil
        }
        return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(limit).map(\.name)
    }

    /// Encoders and codecs; those that need hardware only where there is no other.
    static func encoders(like name: String, _ media: Codec.Media) -> [String] {
        let codecs = Codec.all(media)
        let others = codecs.filter { !$0.isHardware }.flatMap { [$0.name, $0.codecName] }
        let found = of(name, in: Array(Set(others)))
        let lower = name.lowercasedASCII
        if let same = Codec(named: lower), same.media == media {
            let meant = same.name.isSame(as: lower) ? [lower] : [lower, same.name]
            return meant + found.filter { !meant.contains($0) }
        }
        return found.isEmpty ? of(name, in: codecs.map(\.name)) : found
    }

    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                row.append(min(previous[j + 1] + 1, row[j] + 1, previous[j] + (x == y ? 0 : 1)))
            }
            previous = row
        }
        return previous[b.count]
    }
}
