/// A response (RFC 9112) to a GET, as its bytes come: the client's side. A value, without I/O.
public struct ResponseReader: Sendable {
    public enum Failure: Error, Sendable, Equatable {
        /// It is no HTTP/1.1 response.
        case malformed
        /// Its heads, or its body, have more bytes than are taken; or too many interim responses came.
        case tooLong
        /// The connection ended first.
        case cut
    }

    private enum Phase {
        case head
        case length(left: UInt64)
        case chunked(ChunkedDecoder)
        /// RFC 9112 §6.3: with neither a length nor chunks the body ends with the connection.
        case untilEnd
        case whole
    }

    private static let maxInterimHeads = 8

    private let limits: HTTPLimits
    private let maxBodyBytes: Int
    private var phase = Phase.head
    /// Of the head, as far as it has come.
    private var pending: [UInt8] = []
    /// Of interim responses.
    private var interimHeads = (count: 0, bytes: 0)
    /// nil before the head is there.
    public private(set) var status: HTTPStatus?
    public private(set) var body: [UInt8] = []

    public init(limits: HTTPLimits = HTTPLimits(), maxBodyBytes: Int) {
        self.limits = limits
        self.maxBodyBytes = maxBodyBytes
    }

    public var isWhole: Bool { if case .whole = phase { true } else { false } }

    /// Takes the next bytes of the connection. What follows the response is ignored.
    public mutating func take(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard case .head = phase else { return try takeBody(bytes) }
        pending += bytes
        // Interim responses come before the one that is meant (RFC 9110 §15.2).
        var start = 0
        while case .head = phase {
            guard let headBytes = try parseHead(from: start) else { return pending.removeFirst(start) }
            start += headBytes
        }
        let rest = pending
        pending = []
        let taken = rest.withUnsafeBytes { rest in
            Result { () throws(Failure) in try takeBody(rest.slice(start..<rest.count)) }
        }
        try taken.get()
    }

    /// The connection has ended.
    public mutating func end() throws(Failure) {
        switch phase {
        case .untilEnd, .whole: phase = .whole
        case .head, .length, .chunked: throw .cut
        }
    }

    private mutating func takeBody(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        switch phase {
        case .head, .whole: break
        case .untilEnd: try append(bytes)
        case .length(let left):
            let count = Int(min(UInt64(bytes.count), left))
            try append(bytes.slice(0..<count))
            phase = left == UInt64(count) ? .whole : .length(left: left - UInt64(count))
        case .chunked(let decoder): try takeChunks(bytes, decoder)
        }
    }

    private mutating func takeChunks(_ bytes: UnsafeRawBufferPointer, _ decoder: ChunkedDecoder) throws(Failure) {
        var decoder = decoder
        var position = 0
        while true {
            let step: ChunkedDecoder.Step
            do throws(HTTPParseError) {
                step = try decoder.next(bytes.slice(position..<bytes.count))
            } catch {
                throw .malformed
            }
            switch step {
            case .needsMore: return phase = .chunked(decoder)
            case .end: return phase = .whole
            case .data(let consumed, let length):
                let start = position + consumed
                let count = min(length, bytes.count - start)
                try append(bytes.slice(start..<start + count))
                decoder.consumedData(count)
                position = start + count
                if position == bytes.count { return phase = .chunked(decoder) }
            }
        }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard bytes.count <= maxBodyBytes - body.count else { throw .tooLong }
        body += bytes
    }
}

// The head.
extension ResponseReader {
    /// Its bytes, once it is there; the phase is the body's then, unless the response is an interim one.
    private mutating func parseHead(from start: Int) throws(Failure) -> Int? {
        let (limits, pending) = (limits, pending)
        // All heads of a response together are no longer than one may be.
        let end = min(pending.count, start + limits.maxHeadBytes - interimHeads.bytes)
        let parsed = pending.withUnsafeBytes { bytes in
            Result { () throws(Failure) in
                do throws(HTTPParseError) {
                    return try Self.parse(bytes.slice(start..<end), limits)
                } catch {
                    throw .malformed
                }
            }
        }
        guard let head = try parsed.get() else {
            if end - start >= limits.maxHeadBytes - interimHeads.bytes { throw .tooLong }
            return nil
        }
        guard let status = head.status, let phase = head.phase else { throw .malformed }
        if case .length(let length) = phase, length > UInt64(maxBodyBytes) { throw .tooLong }
        if status.code >= 200 {
            self.status = status
            if case .length(left: 0) = phase { self.phase = .whole } else { self.phase = phase }
        } else {
            interimHeads = (interimHeads.count + 1, interimHeads.bytes + head.bytes)
            if interimHeads.count > Self.maxInterimHeads { throw .tooLong }
        }
        return head.bytes
    }

    /// nil: it has not come whole. `status` and `phase` are nil where the head makes no sense.
    private static func parse(
        _ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits
    ) throws(HTTPParseError) -> (status: HTTPStatus?, phase: Phase?, bytes: Int)? {
        var lines = LineReader(bytes)
        guard let statusLine = try lines.next(before: bytes.count) else { return nil }
        let status = status(bytes.slice(statusLine))
        var framing = ResponseFraming()
        while let line = try lines.next(before: bytes.count) {
            if line.isEmpty {
                let isWithoutBody = status.map { $0.code < 200 || $0 == .noContent || $0 == .notModified } ?? false
                return (status, isWithoutBody ? .length(left: 0) : framing.phase(limits), lines.position)
            }
            let field = try FieldLine(line, in: bytes)
            framing.take(bytes.slice(field.name), bytes.slice(field.value))
        }
        return nil
    }

    /// RFC 9112 §4: "HTTP/1.1 200 OK"; what stands behind the code is for people.
    private static func status(_ line: UnsafeRawBufferPointer) -> HTTPStatus? {
        guard line.count >= 12, line.slice(0..<7).elementsEqual("HTTP/1.".utf8), line[7].decimalDigit != nil, line[8] == .space,
            line.count == 12 || line[12] == .space, let code = line.slice(9..<12).decimalNumber, code >= 100
        else { return nil }
        return HTTPStatus(code: Int(code))
    }

    /// RFC 9112 §6.3, of what says where the body ends.
    private struct ResponseFraming {
        private var length: UInt64?
        private var isChunked = false
        private var isFlawed = false

        mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
            if name.equalsIgnoringCase("content-length") {
                isFlawed = isFlawed || length != nil || value.decimalNumber == nil
                length = value.decimalNumber
            } else if name.equalsIgnoringCase("transfer-encoding") {
                isFlawed = isFlawed || isChunked || !value.equalsIgnoringCase("chunked")
                isChunked = true
            }
        }

        func phase(_ limits: HTTPLimits) -> Phase? {
            if isFlawed || isChunked && length != nil { return nil }
            return isChunked ? .chunked(ChunkedDecoder(limits: limits)) : length.map(Phase.length) ?? .untilEnd
        }
    }
}
