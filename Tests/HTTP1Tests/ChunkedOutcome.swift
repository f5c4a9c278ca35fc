import HTTP1

/// What came of decoding a chunked body: the data, and how it ended.
struct ChunkedOutcome: Equatable {
    enum End: Equatable {
        case needsMore
        case refused(HTTPParseError)
        /// With how many bytes of the input the body took.
        case ended(consumed: Int)
    }

    private(set) var data: [UInt8] = []
    private(set) var end = End.needsMore

    /// The outcome when `bytes` arrive in reads that end at `cuts`, the last of which is their end.
    init(_ bytes: [UInt8], cuts: some Sequence<Int>, limits: HTTPLimits = HTTPLimits()) {
        var decoder = ChunkedDecoder(limits: limits)
        var position = 0
        for cut in cuts where end == .needsMore {
            do throws(HTTPParseError) {
                try decode(bytes, from: &position, to: cut, with: &decoder)
            } catch {
                end = .refused(error)
            }
        }
    }

    private mutating func decode(
        _ bytes: [UInt8], from position: inout Int, to cut: Int, with decoder: inout ChunkedDecoder
    ) throws(HTTPParseError) {
        while true {
            let start = position
            let step = try bytes.withUnsafeBufferPointer { bytes throws(HTTPParseError) in
                try decoder.next(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start..<cut])))
            }
            switch step {
            case .needsMore(let consumed):
                position += consumed
                precondition(position == cut, "framing left in the buffer")
                return
            case .data(let consumed, let length):
                position += consumed
                precondition(UInt64(length) == decoder.remainingInChunk)
                let taken = min(length, cut - position)
                if taken == 0 { return }
                data += bytes[position..<position + taken]
                decoder.consumedData(taken)
                position += taken
            case .end(let consumed):
                end = .ended(consumed: position + consumed)
                return
            }
        }
    }

    /// Whole, a byte at a time, and split at every position; nil when they do not agree.
    static func agreed(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) -> ChunkedOutcome? {
        let whole = ChunkedOutcome(bytes, cuts: [bytes.count], limits: limits)
        guard whole == ChunkedOutcome(bytes, cuts: 0...bytes.count, limits: limits) else { return nil }
        for split in bytes.indices {
            guard whole == ChunkedOutcome(bytes, cuts: [split, bytes.count], limits: limits) else { return nil }
        }
        return whole
    }

    static func agreed(_ text: String, limits: HTTPLimits = HTTPLimits()) -> ChunkedOutcome? {
        agreed([UInt8](text.utf8), limits: limits)
    }

    var text: String { String(decoding: data, as: UTF8.self) }
}
