/// Makes inputs that are nearly valid: valid ones with a few things wrong.
struct Mutator {
    private let seeds: [[UInt8]]
    private let tokens: [[UInt8]]
    private var random: Xorshift

    init(seeds: [String], tokens: [String], seed: UInt64) {
        self.seeds = seeds.map { [UInt8]($0.utf8) }
        self.tokens = tokens.map { [UInt8]($0.utf8) }
        random = Xorshift(seed: seed)
    }

    mutating func next() -> (bytes: [UInt8], cuts: [Int]) {
        var bytes = random.element(of: seeds)
        for _ in 0..<random.below(5) { mutate(&bytes) }
        return (bytes, random.cuts(of: bytes.count))
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = random.below(bytes.count + 1)
        let rest = bytes.count - place
        let range = place..<place + random.below(min(rest, 12) + 1)
        switch random.below(9) {
        case 0 where rest > 0: bytes[place] = UInt8(random.below(256))
        case 1 where rest > 0: bytes[place] ^= 1 << random.below(8)
        case 2: bytes.removeSubrange(range)
        case 3: bytes.insert(contentsOf: bytes[range], at: place)
        case 4: bytes.insert(contentsOf: random.element(of: tokens), at: place)
        case 5: bytes.replaceSubrange(range, with: random.element(of: tokens))
        case 6:
            let other = random.element(of: seeds)
            bytes.replaceSubrange(place..., with: other[random.below(other.count)...])
        case 7: bytes.removeSubrange(place...)
        default: bytes.insert(contentsOf: repeatElement(UInt8(random.below(256)), count: random.below(80)), at: place)
        }
    }
}
