/// A chunked body (RFC 9112 §7.1), as its bytes come. It never sees the data: it says how much there is, and the
/// caller takes it from wherever it is and reports back.
///
/// After an error the decoder and its connection can not be used further.
public struct ChunkedDecoder: Sendable {
    public enum Step: Equatable, Sendable {
        /// All bytes were framing.
        case needsMore(consumed: Int)
        /// After `consumed` bytes of framing come `length` bytes of data, the rest of this chunk. They may be more
        /// than the buffer has.
        case data(consumed: Int, length: Int)
        /// The body ended with these bytes; what follows is the next request.
        case end(consumed: Int)
    }

    private enum State { case line, data, dataCR, dataLF, trailers, ended }

    private let limits: HTTPLimits
    private var state = State.line
    private var line = ChunkLine()
    private var trailers = TrailerSection()
    /// The data of the current chunk that the caller has not yet taken.
    public private(set) var remainingInChunk: UInt64 = 0

    public init(limits: HTTPLimits) {
        self.limits = limits
    }

    public mutating func next(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> Step {
        var consumed = 0
        while true {
            if state == .data { return .data(consumed: consumed, length: Int(remainingInChunk)) }
            if state == .ended { return .end(consumed: consumed) }
            guard consumed < bytes.count else { return .needsMore(consumed: consumed) }
            try take(bytes[consumed])
            consumed += 1
        }
    }

    /// The caller took `count` bytes of the current chunk's data.
    public mutating func consumedData(_ count: Int) {
        precondition(count >= 0 && UInt64(count) <= remainingInChunk, "more than the chunk holds")
        remainingInChunk -= UInt64(count)
        if state == .data, remainingInChunk == 0 { state = .dataCR }
    }

    private mutating func take(_ byte: UInt8) throws(HTTPParseError) {
        switch state {
        case .line:
            if try line.take(byte, limits: limits) { endLine() }
        case .dataCR:
            guard byte == .cr else { throw HTTPParseError(.missingChunkEnd) }
            state = .dataLF
        case .dataLF:
            guard byte == .lf else { throw HTTPParseError(.missingChunkEnd) }
            state = .line
        case .trailers:
            if try trailers.take(byte, limits: limits) { state = .ended }
        case .data, .ended:
            preconditionFailure("not framing")
        }
    }

    private mutating func endLine() {
        remainingInChunk = line.size
        state = line.size == 0 ? .trailers : .data
        line.restart()
    }
}
