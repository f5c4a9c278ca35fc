/// What a client would take as the content of a response: its Accept fields (RFC 9110 §12.5.1).
public struct AcceptedMedia: Sendable {
    /// A media range with its weight in thousandths.
    private struct Range {
        /// In lower case: "text/plain", "text/*" or "*/*".
        let name: [UInt8]
        let weight: Int
    }

    private let ranges: [Range]

    /// `fields` are the values of all Accept fields. What is no media range in them is passed over.
    public init(_ fields: [String]) {
        ranges = fields.flatMap { Self.parts(Array($0.utf8), at: UInt8(ascii: ",")) }.compactMap(Self.range)
    }

    /// How much the client wants the type, written in lower case: from 0, not at all, to 1000. The most specific range
    /// counts; without any, all is welcome.
    public func weight(of type: StaticString) -> Int {
        if ranges.isEmpty { return 1_000 }
        let exact = type.withUTF8Buffer { Array($0) }
        let ofMain = Array(exact.prefix { $0 != UInt8(ascii: "/") }) + Array("/*".utf8)
        for name in [exact, ofMain, Array("*/*".utf8)] {
            if let weight = ranges.lazy.filter({ $0.name == name }).map(\.weight).max() { return weight }
        }
        return 0
    }

    private static func range(_ element: [UInt8]) -> Range? {
        let parts = parts(element, at: UInt8(ascii: ";")).map(trimmed)
        guard let name = parts.first, name.count(where: { $0 == UInt8(ascii: "/") }) == 1 else { return nil }
        var weight = 1_000
        for part in parts.dropFirst() where !part.isEmpty {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let value = Array(part[(equals + 1)...])
            if part[..<equals].elementsEqual("q".utf8) {
                guard let given = thousandths(value) else { return nil }
                weight = given
                // What follows the weight is no parameter of the type.
                break
            }
            // All text here is UTF-8, and no other parameter is one of a type that is sent.
            guard part[..<equals].elementsEqual("charset".utf8), ["utf-8", "\"utf-8\""].contains(where: { value.elementsEqual($0.utf8) }) else { return nil }
        }
        return Range(name: name, weight: weight)
    }

    /// `0.5` as 500: RFC 9110 §12.4.2.
    private static func thousandths(_ value: [UInt8]) -> Int? {
        guard let first = value.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1"), value.count <= 5 else { return nil }
        if value.count > 1 && value[1] != UInt8(ascii: ".") { return nil }
        var sum = Int(first - UInt8(ascii: "0")) * 1_000
        for (digit, unit) in zip(value.dropFirst(2), [100, 10, 1]) {
            guard (0x30...0x39).contains(digit) else { return nil }
            sum += Int(digit - 0x30) * unit
        }
        return sum <= 1_000 ? sum : nil
    }

    /// What stands between the separators; those in quotes separate nothing.
    private static func parts(_ bytes: [UInt8], at separator: UInt8) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var isQuoted = false
        var isEscaped = false
        for byte in bytes {
            if byte == separator && !isQuoted {
                parts.append([])
                continue
            }
            if byte == UInt8(ascii: "\"") && !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && !isEscaped && byte == UInt8(ascii: "\\")
            parts[parts.count - 1].append(byte)
        }
        return parts
    }

    /// In lower case, without the white space around it.
    private static func trimmed(_ part: [UInt8]) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let start = part.firstIndex { !isSpace($0) } ?? part.endIndex
        let end = part.lastIndex { !isSpace($0) } ?? start - 1
        return part[start..<max(start, end + 1)].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
}
