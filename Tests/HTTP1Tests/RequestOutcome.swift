import HTTP1

/// What came of parsing a head, with everything a head says, so that two runs can be compared.
enum RequestOutcome: Equatable {
    case needsMore
    case refused(HTTPParseError)
    case complete(HeadFacts)
}

struct HeadFacts: Equatable {
    let method: HTTPMethod
    let target: RequestTarget
    let version: HTTPVersion
    let framing: BodyFraming
    let expectsContinue: Bool
    let keepsAlive: Bool
    let fields: [[String]]
    let headBytes: Int

    init(_ head: RequestHead, headBytes: Int) {
        method = head.method
        target = head.target
        version = head.version
        framing = head.framing
        expectsContinue = head.expectsContinue
        keepsAlive = head.keepsAlive
        fields = head.allFields.map { [$0.name, $0.value] }
        self.headBytes = headBytes
    }
}

extension RequestOutcome {
    /// The outcome when `bytes` arrive in reads that end at `cuts`, the last of which is their end.
    init(_ bytes: [UInt8], cuts: some Sequence<Int>, limits: HTTPLimits = HTTPLimits()) {
        do throws(HTTPParseError) {
            self = try Self.parse(bytes, cuts: cuts, limits: limits)
        } catch {
            self = .refused(error)
        }
    }

    private static func parse(
        _ bytes: [UInt8], cuts: some Sequence<Int>, limits: HTTPLimits
    ) throws(HTTPParseError) -> RequestOutcome {
        var scanned = 0
        for cut in cuts {
            let result = try bytes.withUnsafeBufferPointer { bytes throws(HTTPParseError) in
                let arrived = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<cut]))
                return try RequestParser.parse(arrived, alreadyScanned: scanned, limits: limits)
            }
            if case .complete(let head, let headBytes) = result {
                return .complete(HeadFacts(head, headBytes: headBytes))
            }
            scanned = cut
        }
        return .needsMore
    }

    /// Whole, a byte at a time, and split at every position; nil when they do not agree.
    static func agreed(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) -> RequestOutcome? {
        let whole = RequestOutcome(bytes, cuts: [bytes.count], limits: limits)
        guard whole == RequestOutcome(bytes, cuts: 1...bytes.count, limits: limits) else { return nil }
        for split in 1...bytes.count {
            guard whole == RequestOutcome(bytes, cuts: [split, bytes.count], limits: limits) else { return nil }
        }
        return whole
    }

    static func agreed(_ text: String, limits: HTTPLimits = HTTPLimits()) -> RequestOutcome? {
        agreed([UInt8](text.utf8), limits: limits)
    }

    var facts: HeadFacts? {
        guard case .complete(let facts) = self else { return nil }
        return facts
    }
}

extension RequestHead {
    /// The head of a request that must be good.
    static func parsed(_ text: String) throws -> RequestHead {
        var text = text
        let result = try text.withUTF8 { try RequestParser.parse(UnsafeRawBufferPointer($0), limits: HTTPLimits()) }
        guard case .complete(let head, _) = result else { throw Incomplete() }
        return head
    }

    struct Incomplete: Error {}
}
