extension StringProtocol {
    /// How many bytes are put in, left out or taken for others to make `other` of it (Levenshtein). Takes the product
    /// of both lengths in time.
    public func editDistance(to other: some StringProtocol) -> Int {
        let target = Array(other.utf8)
        var row = Array(0...target.count)
        for (i, byte) in utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, wanted) in target.enumerated() {
                let changed = diagonal + (byte == wanted ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = Swift.min(changed, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[target.count]
    }
}
