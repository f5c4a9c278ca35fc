/// The same numbers in every run (xorshift64*, Vigna 2016).
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        precondition(seed != 0)
        state = seed
    }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func below(_ bound: Int) -> Int {
        Int(((next() >> 32) &* UInt64(bound)) >> 32)
    }

    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// Where reads of `count` bytes might end: up to eight places in order, and the end.
    mutating func cuts(of count: Int) -> [Int] {
        let places = (0..<below(9)).map { _ in below(count + 1) }
        return places.sorted() + [count]
    }
}
