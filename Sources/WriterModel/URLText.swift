/// URLs within texts that others wrote: options of options, libav's log, a destination that is none.
public enum URLText {
    /// What ends a URL within a text.
    private static let delimiters = Set(" \t\r\n|\"'<>`".utf8)
    /// At its end these are the sentence's.
    private static let punctuation = Set(".,:;)]}".utf8)

    /// The URLs in a text, each as a range of its bytes.
    static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = 0
        while let colon = next("://", in: bytes, from: index) {
            index = colon + 3
            var start = colon
            while start > (ranges.last?.upperBound ?? 0), isSchemeByte(bytes[start - 1]) { start -= 1 }
            // A scheme begins with a letter (RFC 3986 §3.1); what stands before it is other text.
            while start < colon, !isLetter(bytes[start]) { start += 1 }
            if start == colon { continue }
            var end = index
            while end < bytes.count, !delimiters.contains(bytes[end]) { end += 1 }
            while end > index, punctuation.contains(bytes[end - 1]) { end -= 1 }
            ranges.append(start..<end)
            index = end
        }
        return ranges
    }

    /// The URLs in a text.
    static func urls(in text: String) -> [String] {
        let bytes = Array(text.utf8)
        return ranges(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// The text with its URLs as others may see them.
    public static func redacted(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let ranges = ranges(in: bytes)
        if ranges.isEmpty { return text }
        var result: [UInt8] = []
        var position = 0
        for range in ranges {
            result += bytes[position..<range.lowerBound]
            let url = String(decoding: bytes[range], as: UTF8.self)
            result += (URLParts(url)?.redacted ?? SecretOption.shown).utf8
            position = range.upperBound
        }
        return String(decoding: result + bytes[position...], as: UTF8.self)
    }

    /// A destination as others may see it. What begins like a URL and is none ("rtmp:host/app") is not shown.
    public static func redacted(destination: String) -> String {
        if let parts = URLParts(destination) { return parts.redacted }
        let shown = redacted(destination)
        guard shown == destination, let colon = destination.utf8.firstIndex(of: UInt8(ascii: ":")),
            let first = destination.utf8.first, isLetter(first), destination.utf8[..<colon].allSatisfy(isSchemeByte)
        else { return shown }
        return destination[...colon] + SecretOption.shown
    }

    private static func next(_ text: StaticString, in bytes: [UInt8], from start: Int) -> Int? {
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        var index = start
        while index + wanted.count <= bytes.count {
            if bytes[index] == wanted[0], bytes[index..<(index + wanted.count)].elementsEqual(wanted) { return index }
            index += 1
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }
}
