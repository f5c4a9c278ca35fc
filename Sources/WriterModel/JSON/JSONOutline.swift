/// Where the parts of a JSON text lie, by its brackets, commas and quotes alone: what a part holds is for its
/// parser to judge. A long text is taken apart so without being in memory as values, and what is counted bounds the parts.
public enum JSONOutline {
    /// The members of an object; nil: the text is none, or has more than `most`.
    public static func members(of text: ArraySlice<UInt8>, most: Int) -> [(name: String, value: ArraySlice<UInt8>)]? {
        guard let parts = parts(of: text, within: (UInt8(ascii: "{"), UInt8(ascii: "}")), most: most) else { return nil }
        var members: [(name: String, value: ArraySlice<UInt8>)] = []
        for part in parts {
            guard let colon = separator(UInt8(ascii: ":"), in: part),
                let name = (try? JSONParser.parse(Array(part[..<colon]), mostValues: 1))?.stringValue
            else { return nil }
            members.append((name, trimmed(part[(colon + 1)...])))
        }
        return members
    }

    /// The elements of an array; nil: the text is none, or has more than `most`.
    public static func elements(of text: ArraySlice<UInt8>, most: Int) -> [ArraySlice<UInt8>]? {
        parts(of: text, within: (UInt8(ascii: "["), UInt8(ascii: "]")), most: most)
    }

    private static func parts(of text: ArraySlice<UInt8>, within brackets: (UInt8, UInt8), most: Int) -> [ArraySlice<UInt8>]? {
        let text = trimmed(text)
        guard text.count >= 2, text.first == brackets.0, text.last == brackets.1 else { return nil }
        var rest = trimmed(text.dropFirst().dropLast())
        if rest.isEmpty { return [] }
        var parts: [ArraySlice<UInt8>] = []
        while parts.count < most {
            let comma = separator(UInt8(ascii: ","), in: rest)
            let part = trimmed(rest[..<(comma ?? rest.endIndex)])
            if part.isEmpty { return nil }
            parts.append(part)
            guard let comma else { return parts }
            rest = rest[(comma + 1)...]
        }
        return nil
    }

    /// The first that stands in no string and in no brackets.
    private static func separator(_ wanted: UInt8, in text: ArraySlice<UInt8>) -> Int? {
        var depth = 0
        var isInString = false
        var isEscaped = false
        for index in text.indices {
            let byte = text[index]
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            if depth == 0 && byte == wanted { return index }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        return nil
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while let first = text.first, isSpace(first) { text = text.dropFirst() }
        while let last = text.last, isSpace(last) { text = text.dropLast() }
        return text
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
