import Bytewise

/// A line of a file with eight digits of a checksum, a tab, and text that has no line's end. What can be told of it
/// is whether it is whole, whatever became of the file.
enum CheckedLine {
    static func bytes(of text: [UInt8]) -> [UInt8] {
        text.withUnsafeBytes(Checksum.text) + [UInt8(ascii: "\t")] + text + [UInt8(ascii: "\n")]
    }

    /// nil: it is damaged. Without the line's end.
    static func text(of line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard line.count > 9, line[8] == UInt8(ascii: "\t") else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: line[9...])
        return Checksum.text(of: text).elementsEqual(line[..<8]) ? text : nil
    }

    // MARK: With fields, with tabs between

    static func bytes(of fields: [String]) -> [UInt8] { bytes(of: Array(fields.map(escaped).joined(separator: "\t").utf8)) }

    static func fields(of line: UnsafeRawBufferPointer) -> [String]? {
        text(of: line)?.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map { unescaped($0) }
    }

    private static func escaped(_ field: String) -> String {
        if !field.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") }) { return field }
        return String(
            decoding: field.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "\\"): Array("\\\\".utf8)
                case UInt8(ascii: "\n"): Array("\\n".utf8)
                case UInt8(ascii: "\t"): Array("\\t".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
    }

    private static func unescaped(_ field: Slice<UnsafeRawBufferPointer>) -> String {
        if !field.contains(UInt8(ascii: "\\")) { return String(decoding: field, as: UTF8.self) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in field {
            if isEscaped {
                bytes.append(byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte == UInt8(ascii: "t") ? UInt8(ascii: "\t") : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// CRC-32 (ISO 3309), as gzip's.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let table = table
        return ~bytes.reduce(UInt32.max) { sum, byte in sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)] }
    }

    /// Eight hexadecimal digits.
    static func text(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        let sum = of(bytes)
        return (0..<8).map { digits[Int(sum >> UInt32(28 - 4 * $0) & 15)] }
    }
}
