/// Where one field's name and value lie in the head's bytes.
struct FieldLine: Sendable {
    private let nameStart: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    /// RFC 9112 §5: field-name ":" OWS field-value OWS. The line has no control bytes.
    init(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(HTTPParseError) {
        if bytes[line.lowerBound].isWhitespace { throw HTTPParseError(.foldedLine) }
        let token = ByteSet.token
        var colon = line.lowerBound
        while colon < line.upperBound, token.contains(bytes[colon]) { colon += 1 }
        guard colon < line.upperBound else { throw HTTPParseError(.missingColon) }
        guard bytes[colon] == UInt8(ascii: ":") else {
            throw HTTPParseError(bytes[colon].isWhitespace ? .whitespaceInFieldName : .badFieldName)
        }
        guard colon > line.lowerBound else { throw HTTPParseError(.badFieldName) }

        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start].isWhitespace { start += 1 }
        while end > start, bytes[end - 1].isWhitespace { end -= 1 }
        nameStart = UInt32(line.lowerBound)
        nameEnd = UInt32(colon)
        valueStart = UInt32(start)
        valueEnd = UInt32(end)
    }
}
