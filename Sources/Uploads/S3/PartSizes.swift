/// How large each part is. S3 takes 10,000 parts of one object, each of at least 5 MiB (but the last) and at most 5 GiB.
package struct PartSizes: Sendable {
    package static let mostParts = 10_000
    package static let usual = PartSizes(first: 8 * mebibyte)
    private static let mebibyte = 1_024 * 1_024

    let first: Int

    /// `first`: 8 MiB is what 5 TiB need.
    package init(first: Int) { self.first = first }

    /// Of an object whose size is not known: the first size for the first thousand, and 1.9 times as much in each thousand that
    /// follows, so that 10,000 hold 5 TiB.
    package func size(ofPart number: Int) -> Int {
        let thousands = (number - 1) / 1_000
        if thousands == 0 { return first }
        let size = (0..<thousands).reduce(Double(first)) { size, _ in size * 1.9 }
        return (Int(size) / Self.mebibyte + 1) * Self.mebibyte
    }

    /// Of an object whose size is known: all the same.
    package func size(ofEachOf total: Int) -> Int {
        let least = (total + Self.mostParts - 1) / Self.mostParts
        return least <= first ? first : (least + Self.mebibyte - 1) / Self.mebibyte * Self.mebibyte
    }
}
