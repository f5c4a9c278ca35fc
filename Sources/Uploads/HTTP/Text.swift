import Bytewise

extension StringProtocol {
    /// On one line: what a terminal, a log or JSON would not show as it is becomes a space, and of several spaces one is left.
    var sanitised: String {
        var scalars = String.UnicodeScalarView()
        var isAtSpace = true
        for scalar in unicodeScalars {
            let isShown = !scalar.properties.isWhitespace && !Self.isHidden(scalar)
            if !isShown && isAtSpace { continue }
            scalars.append(isShown ? scalar : " ")
            isAtSpace = !isShown
        }
        return String(scalars).trimmedASCII
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// Without spaces and tabs at both ends.
    var trimmedASCII: String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        let start = utf8.drop(while: isBlank)
        return String(decoding: Array(start.reversed().drop(while: isBlank).reversed()), as: UTF8.self)
    }

    /// With another text wherever `part` stands in it, by bytes.
    func replacing(bytes part: String, with other: String) -> String {
        let wanted = Array(part.utf8)
        guard !wanted.isEmpty, holds(part) else { return String(self) }
        var result: [UInt8] = []
        var rest = Array(utf8)[...]
        while !rest.isEmpty {
            if rest.starts(with: wanted) {
                result += other.utf8
                rest = rest.dropFirst(wanted.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Percent-encoded but for the unreserved characters (RFC 3986, 2.3), and the slash where `keepingSlash`.
    func percentEncoded(keepingSlash: Bool = false) -> String {
        var result: [UInt8] = []
        for byte in utf8 {
            if byte.isASCIILetter || byte.isASCIIDigit || "-._~".utf8.contains(byte) || keepingSlash && byte == 0x2F {
                result.append(byte)
            } else {
                result += [0x25, Hex.upper[Int(byte >> 4)], Hex.upper[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

enum Hex {
    static let upper = Array("0123456789ABCDEF".utf8)
    static let lower = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [lower[Int($0 >> 4)], lower[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// nil: it is none.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.compactMap { byte in lower.firstIndex(of: byte.lowercasedASCII).map(UInt8.init) }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
