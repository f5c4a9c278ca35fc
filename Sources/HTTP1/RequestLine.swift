struct RequestLine {
    let method: HTTPMethod
    let target: RequestTarget
    let version: HTTPVersion

    /// RFC 9112 §3: method SP request-target SP HTTP-version.
    ///
    /// Also takes the beginning of a line that goes on past `maxRequestLineBytes`, and then always throws.
    init(_ line: UnsafeRawBufferPointer, limits: HTTPLimits) throws(HTTPParseError) {
        let methodEnd = try Self.methodEnd(line, limits: limits)
        let targetStart = methodEnd + 1
        var targetEnd = targetStart
        while targetEnd < line.count, line[targetEnd] != .space { targetEnd += 1 }
        guard targetEnd - targetStart <= limits.maxTargetBytes else {
            throw HTTPParseError(.targetTooLong, limit: limits.maxTargetBytes)
        }
        guard targetEnd < line.count else { throw HTTPParseError(.malformedRequestLine) }

        // The version before the method, so that HTTP/2's "PRI * HTTP/2.0" is told what is wrong.
        version = try HTTPVersion(line.slice(targetEnd + 1..<line.count))
        guard let method = HTTPMethod(line.slice(0..<methodEnd)) else { throw HTTPParseError(.unknownMethod) }
        guard method != .connect else { throw HTTPParseError(.connectRefused) }
        self.method = method
        target = try RequestTarget(line.slice(targetStart..<targetEnd), method: method)
    }

    private static func methodEnd(
        _ line: UnsafeRawBufferPointer, limits: HTTPLimits
    ) throws(HTTPParseError) -> Int {
        let token = ByteSet.token
        var end = 0
        while end < line.count, token.contains(line[end]) {
            end += 1
            guard end <= limits.maxMethodBytes else { throw HTTPParseError(.unknownMethod) }
        }
        guard end > 0, end < line.count, line[end] == .space else { throw HTTPParseError(.malformedRequestLine) }
        return end
    }
}
