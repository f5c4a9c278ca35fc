/// Which of the pictures that go into filters come out of them, by tags that they carry through.
struct PictureTally {
    private var taken: Int64 = 0
    private var last: Int64 = 0
    /// Those that came out, each counted once.
    private var shown: Int64 = 0
    /// Some filter made pictures of its own, or gave them in another order.
    private var isUncertain = false
    private var isEnded = false
    /// Those that came out once more, in a row.
    private(set) var repeated = 0

    /// A picture goes in, the tag of which is how many went in with it.
    mutating func take() { taken += 1 }

    /// A picture comes out.
    mutating func give(_ tag: Int64) {
        if tag == last, tag != 0 {
            repeated += 1
            return
        }
        if tag < last { isUncertain = true }
        last = tag
        shown += 1
    }

    /// What is still in the filters comes out after this, and nothing else.
    mutating func end() { isEnded = true }

    /// Those that went in and have not come out, nor will.
    var dropped: Int { isUncertain && !isEnded ? 0 : Int(max(0, (isEnded ? taken : last) - shown)) }
}
