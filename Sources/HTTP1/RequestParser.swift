public enum RequestParseResult: Sendable {
    case needsMore
    /// `headBytes` counts what the head took of the buffer, from its first byte to the body's first.
    case complete(RequestHead, headBytes: Int)
}

/// RFC 9112 request heads: a pure function over the caller's bytes. Not yet, done, or an error.
///
/// The answer depends on the bytes alone, never on how they arrived: whatever is refused is refused at the byte
/// that decides it.
public enum RequestParser {
    /// Parses the head at the start of `bytes`.
    ///
    /// `alreadyScanned` is how many of the bytes an earlier call has answered `.needsMore` for. With it, a head
    /// that comes a byte at a time is looked at again only when a line ends.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, alreadyScanned: Int = 0, limits: HTTPLimits
    ) throws(HTTPParseError) -> RequestParseResult {
        if alreadyScanned > 0, !mayDecide(bytes, alreadyScanned: alreadyScanned, limits: limits) {
            return .needsMore
        }
        let window = bytes.slice(0..<min(bytes.count, limits.maxHeadBytes))
        if let result = try parse(window: window, limits: limits) { return result }
        guard window.count < limits.maxHeadBytes else {
            throw HTTPParseError(.headTooLarge, limit: limits.maxHeadBytes)
        }
        return .needsMore
    }

    private static func parse(
        window: UnsafeRawBufferPointer, limits: HTTPLimits
    ) throws(HTTPParseError) -> RequestParseResult? {
        var lines = LineReader(window)
        guard let requestLine = try requestLine(&lines, window: window, limits: limits) else { return nil }
        var fields: [FieldLine] = []
        fields.reserveCapacity(16)
        while let line = try lines.next(before: window.count) {
            if line.isEmpty {
                let bytes = window.slice(0..<lines.position)
                let control = try MessageControl(fields, in: bytes, version: requestLine.version)
                let head = RequestHead(requestLine, control: control, bytes: [UInt8](bytes), lines: fields)
                return .complete(head, headBytes: bytes.count)
            }
            fields.append(try FieldLine(line, in: window))
            guard fields.count <= limits.maxFieldCount else {
                throw HTTPParseError(.tooManyFields, limit: limits.maxFieldCount)
            }
        }
        return nil
    }

    private static func requestLine(
        _ lines: inout LineReader, window: UnsafeRawBufferPointer, limits: HTTPLimits
    ) throws(HTTPParseError) -> RequestLine? {
        for _ in 0...limits.maxLeadingEmptyLines {
            let start = lines.position
            let longestEnd = start + limits.maxRequestLineBytes + 2
            if let line = try lines.next(before: min(longestEnd, window.count)) {
                if line.isEmpty { continue }  // RFC 9112 §2.2
                return try RequestLine(window.slice(line), limits: limits)
            }
            guard window.count >= longestEnd else { return nil }
            return try RequestLine(window.slice(start..<longestEnd), limits: limits)
        }
        throw HTTPParseError(.tooManyEmptyLines, limit: limits.maxLeadingEmptyLines)
    }

    /// Whether the bytes after `alreadyScanned` can change the answer: a line ends, a byte is refused, or a limit
    /// is reached.
    private static func mayDecide(
        _ bytes: UnsafeRawBufferPointer, alreadyScanned: Int, limits: HTTPLimits
    ) -> Bool {
        let endsWithCR = bytes[alreadyScanned - 1] == .cr
        if bytes.firstControl(from: endsWithCR ? alreadyScanned - 1 : alreadyScanned) != nil { return true }
        let earliest = limits.maxRequestLineBytes + 2
        let latest = earliest + 2 * limits.maxLeadingEmptyLines
        if alreadyScanned < latest, bytes.count >= earliest { return true }
        return bytes.count >= limits.maxHeadBytes
    }
}
