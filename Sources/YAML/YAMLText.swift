import Bytewise

/// Text as a scalar of YAML.
public enum YAMLText {
    /// Plain where no reader takes it for something else, in double quotation marks otherwise.
    public static func scalar(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:@".utf8)
    /// What some reader takes for no text.
    private static let words: [String] = ["null", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"]

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return (first.isASCIILetter || first.isASCIIDigit || first == UInt8(ascii: "/")) && last != UInt8(ascii: ":")
            && text.utf8.allSatisfy { plain.contains($0) } && !words.contains { $0.isSame(as: text.lowercasedASCII) }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                if isShown(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    result += (scalar.value > 0xFFFF ? "\\U" : "\\u") + String(repeating: "0", count: (scalar.value > 0xFFFF ? 8 : 4) - digits.utf8.count) + digits
                }
            }
        }
        return result + "\""
    }

    /// YAML 1.1's c-printable, without what ends a line.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
