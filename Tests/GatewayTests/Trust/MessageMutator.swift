import WriterModel

/// The same numbers in every run (xorshift64*, Vigna 2016).
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }
    mutating func element<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }

    private static let tokens = [
        "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e308", "-1", "0", "null", "true", "{}", "[]", "\"\"", "\"..\"",
        "\"closed\"", "\"failed\"", "\"configuring\"", "\"others/victim.wav\"", "\"../../outside\"", "\"/etc/passwd\"", "\"honest\"", "\"\\u0000\"",
        "\"folder\"", "\"file\"", "\"id\":", "\"state\":", "\"output_files\":[\"others/victim.wav\"],", "\"managed_file\":\"../honest/record.json\",",
        "[[[[[[[[[[[[[[[[", "}}}}", ",", "\u{FFFD}", "2147483647", "+catalog", "honest", "  ",
    ].map { Array($0.utf8) }

    /// One thing wrong in what was right.
    mutating func damage(_ bytes: inout [UInt8]) {
        let place = below(bytes.count + 1)
        let rest = bytes.count - place
        let range = place..<place + below(min(rest, 12) + 1)
        switch below(10) {
        case 0 where rest > 0: bytes[place] = UInt8(below(256))
        case 1 where rest > 0: bytes[place] ^= 1 << below(8)
        case 2: bytes.removeSubrange(range)
        case 3: bytes.insert(contentsOf: bytes[range], at: place)
        case 4: bytes.insert(contentsOf: element(of: Self.tokens), at: place)
        case 5: bytes.replaceSubrange(range, with: element(of: Self.tokens))
        case 6: replaceValue(&bytes)
        case 7: bytes.removeSubrange(place...)
        case 8: bytes.insert(contentsOf: repeatElement(UInt8(below(256)), count: below(80)), at: place)
        default: replaceValue(&bytes)
        }
    }

    /// Between a ":" or "," and what ends the value: what stays JSON gets further.
    private mutating func replaceValue(_ bytes: inout [UInt8]) {
        let starts = bytes.indices.filter { bytes[$0] == UInt8(ascii: ":") || bytes[$0] == UInt8(ascii: ",") }
        guard !starts.isEmpty else { return }
        let start = element(of: starts) + 1
        let end = bytes[start...].firstIndex { ",}]".utf8.contains($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: element(of: Self.tokens))
    }
}

/// Messages of encoders: right ones, and ones with a few things wrong.
struct MessageMutator {
    var random: Xorshift
    private static let counts: MetricCounts = {
        var counts = MetricCounts()
        counts.answers = [.init(route: "getWriter", status: 200): 3]
        counts.durations["getWriter", default: .init()].add(0.25)
        (counts.framesTaken, counts.cpuSeconds) = (5, 1.5)
        return counts
    }()

    init(seed: UInt64) { random = Xorshift(seed: seed) }

    mutating func next(_ id: String) -> [UInt8] {
        // Without a claim a writer gets nowhere.
        if random.below(8) == 0 { return ControlMessage.claim(random.element(of: [.folder("mine"), .file("mine.wav"), .managed("output.wav"), .folder("")])).encoded }
        if random.below(60) == 0 { return long(id) }
        var bytes = random.element(of: Self.valid(id)).encoded
        for _ in 0..<random.below(4) { random.damage(&bytes) }
        return bytes
    }

    private static func valid(_ id: String) -> [ControlMessage] {
        var failed = GatewayScene.snapshot(id, .failed)
        failed.resource["failure"] = ["status": 500]
        let open = GatewayScene.snapshot(id)
        return [
            .snapshot(open), .snapshot(open), .snapshot(GatewayScene.snapshot(id, .configuring)), .snapshot(GatewayScene.snapshot(id, .finalizing)),
            .metrics(counts), .metrics(counts), .ping, .claim(.folder("mine")), .concluded(.closed), .unkeptRecord(failed), .discarded,
            .connection(unread: Array("GET /v1/writers/honest HTTP/1.1\r\nHost: a\r\n\r\n".utf8), passes: 1, slot: 0), .returned(unread: Array("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n".utf8), passes: 1, slot: 0),
            .released(slot: 0, isBroken: false), .tokens(.empty), .shutDown, .carrier(number: 3),
        ]
    }

    /// As long as a message may be, and as much to parse as fits.
    private mutating func long(_ id: String) -> [UInt8] {
        let filler = random.element(of: ["[", "0,", "{\"a\":", "\"x\",", "\u{8}", "\\u0008", " "])
        var record = GatewayScene.snapshot(id)
        record.resource["metadata"] = ["x": .string("FILL")]
        let text = String(decoding: ControlMessage.snapshot(record).encoded.dropFirst(), as: UTF8.self)
            .replacing("\"FILL\"", with: "[" + String(repeating: filler, count: (100_000 + random.below(96_000)) / filler.utf8.count) + "0]")
        return [ControlMessage.snapshot(record).encoded[0]] + Array(text.utf8)
    }

    /// What such an encoder leaves as its record.
    mutating func record(_ id: String) -> String {
        var record = GatewayScene.snapshot(id, random.element(of: WriterState.allCases))
        record.outputFiles = ["others/victim.wav", "../outside", "mine/a"]
        record.managedFile = "../honest/record.json"
        var bytes = record.json.encoded
        for _ in 0..<random.below(3) { random.damage(&bytes) }
        return String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    }
}
