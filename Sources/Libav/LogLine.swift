/// A line of libav's log without what only the process itself can use.
package enum LogLine {
    /// More digits than a number of 32 bits has, such as a codec's tag, make a pointer.
    private static let leastDigits = 9

    /// "[aac @ 0x55…] [Eval @ 0x7f…] text" as "[aac] [Eval] text", and a pointer by itself as "0x…":
    /// addresses tell of nothing but where this process has its memory.
    package static func withoutAddresses(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard let end = numberEnd(bytes, index) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let isContext = result.last(where: { $0 != UInt8(ascii: " ") }) == UInt8(ascii: "@")
            // A line that was cut may have been cut within it.
            if isContext {
                while let last = result.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "@") { result.removeLast() }
            } else if end - index >= 2 + leastDigits || end == bytes.count {
                result += "0x…".utf8
            } else {
                result += bytes[index..<end]
            }
            index = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Where a hexadecimal number that begins here ends; nil when none does.
    private static func numberEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard bytes[start] == UInt8(ascii: "0"), start + 1 < bytes.count, bytes[start + 1] | 0x20 == UInt8(ascii: "x"),
            start == 0 || !isDigit(bytes[start - 1])
        else { return nil }
        var end = start + 2
        while end < bytes.count, isDigit(bytes[end]) { end += 1 }
        return end == start + 2 ? nil : end
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }
}
