import Glibc
import HTTP1
import Testing

/// Millions of nearly valid inputs, the same ones in every run. `PENSTOCK_FUZZ_INPUTS` says how many.
@Suite struct FuzzTests {
    private static let inputs: Int = {
        #if DEBUG
            let usual = 20_000
        #else
            let usual = 300_000
        #endif
        return getenv("PENSTOCK_FUZZ_INPUTS").flatMap { Int(String(cString: $0)) } ?? usual
    }()

    @Test func requestHeadHasOneOutcomeHoweverItIsCut() {
        var mutator = Mutator(seeds: Self.heads, tokens: Self.headTokens, seed: 0x9E37_79B9_7F4A_7C15)
        var tally = Tally()
        for index in 0..<Self.inputs / 2 {
            let (bytes, cuts) = mutator.next()
            let limits = index % 4 == 0 ? Self.smallLimits : HTTPLimits()
            let whole = RequestOutcome(bytes, cuts: [bytes.count], limits: limits)
            expectSame(whole, RequestOutcome(bytes, cuts: cuts, limits: limits), bytes)
            if index % 8 == 0 {
                expectSame(whole, RequestOutcome(bytes, cuts: 0...bytes.count, limits: limits), bytes)
            }
            switch whole {
            case .complete(let facts):
                tally.accepted += 1
                if let defect = facts.defect(in: bytes) { Issue.record("\(defect): \(Self.text(bytes))") }
            case .refused: tally.refused += 1
            case .needsMore: tally.unfinished += 1
            }
        }
        tally.report("request heads")
    }

    @Test func chunkedBodyHasOneOutcomeHoweverItIsCut() {
        var mutator = Mutator(seeds: Self.bodies, tokens: Self.bodyTokens, seed: 0xD1B5_4A32_D192_ED03)
        var tally = Tally()
        for index in 0..<Self.inputs / 2 {
            let (bytes, cuts) = mutator.next()
            let limits = index % 4 == 0 ? Self.smallLimits : HTTPLimits()
            let whole = ChunkedOutcome(bytes, cuts: [bytes.count], limits: limits)
            expectSame(whole, ChunkedOutcome(bytes, cuts: cuts, limits: limits), bytes)
            if index % 8 == 0 {
                expectSame(whole, ChunkedOutcome(bytes, cuts: 0...bytes.count, limits: limits), bytes)
            }
            switch whole.end {
            case .ended: tally.accepted += 1
            case .refused: tally.refused += 1
            case .needsMore: tally.unfinished += 1
            }
        }
        tally.report("chunked bodies")
    }

    private func expectSame<Outcome: Equatable>(_ whole: Outcome, _ cut: Outcome, _ bytes: [UInt8]) {
        if whole != cut { Issue.record("\(whole) whole, \(cut) cut: \(Self.text(bytes))") }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

/// Inputs that are all refused at once, or all accepted, would test little.
private struct Tally {
    var accepted = 0
    var refused = 0
    var unfinished = 0

    func report(_ what: String) {
        let total = accepted + refused + unfinished
        print("fuzz: \(total) \(what): \(accepted) accepted, \(refused) refused, \(unfinished) unfinished")
        for part in [accepted, refused, unfinished] { #expect(total < 100 || part > total / 50) }
    }
}

extension HeadFacts {
    /// What an accepted head may never hold, worked out from its bytes and not by the parser.
    fileprivate func defect(in bytes: [UInt8]) -> String? {
        let head = bytes.prefix(headBytes)
        guard head.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return "no empty line at the end" }
        let lines = head.split(separator: UInt8(ascii: "\n"))
        guard lines.allSatisfy({ $0.last == UInt8(ascii: "\r") }) else { return "a bare LF" }
        let content = lines.map { $0.dropLast() }.filter { !$0.isEmpty }
        guard content.count == fields.count + 1 else { return "lines that are no fields" }
        for byte in content.joined() where byte < 32 && byte != 9 || byte == 127 { return "a control byte" }
        for (line, field) in zip(content.dropFirst(), fields) {
            guard line.starts(with: "\(field[0]):".utf8) else { return "another name" }
            if let edge = field[1].utf8.first, edge == 32 || edge == 9 { return "whitespace around a value" }
        }
        for segment in target.segments where [".", ".."].contains(segment) || segment.utf8.contains(0) {
            return "a climbing path"
        }
        return framingDefect
    }

    private var framingDefect: String? {
        let values = { name in fields.filter { $0[0].lowercased() == name }.map { $0[1] } }
        let hosts = values("host").count
        if hosts > 1 || hosts == 0 && version == .http11 { return "\(hosts) hosts" }
        switch (framing, values("content-length"), values("transfer-encoding")) {
        case (.none, [], []): return nil
        case (.length(let length), let lengths, []):
            return lengths.count == 1 && UInt64(lengths[0]) == length ? nil : "another length"
        case (.chunked, [], let codings):
            let names = codings.joined(separator: ",").lowercased().filter { !", \t".contains($0) }
            return names == "chunked" ? nil : "another coding"
        default: return "fields that contradict the framing"
        }
    }
}
