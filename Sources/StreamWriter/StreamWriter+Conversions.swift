extension StreamWriter {
    /// In how many of its forms a stream's pictures become without libav's scaler. While nothing else changes the writer.
    package func ownConversions(ofStream index: Int) -> Int {
        parts[index].branches.count { $0.pictures != nil }
    }
}
