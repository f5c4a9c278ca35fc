/// The framing around chunks that are sent (RFC 9112 §7.1).
public enum ChunkedEncoder {
    /// Follows a chunk's data.
    public static let chunkEnd: [UInt8] = [.cr, .lf]
    /// The last chunk, and no trailers. Follows the last data chunk's `chunkEnd`.
    public static let terminator: [UInt8] = [UInt8]("0\r\n\r\n".utf8)

    /// The line before `size` bytes of data. An empty chunk would end the body, so `size` is at least 1.
    public static func header(size: Int) -> [UInt8] {
        var header: [UInt8] = []
        appendHeader(size: size, to: &header)
        return header
    }

    public static func appendHeader(size: Int, to bytes: inout [UInt8]) {
        precondition(size > 0, "an empty chunk ends the body")
        let significantBits = Int.bitWidth - size.leadingZeroBitCount
        for digit in (0..<(significantBits + 3) / 4).reversed() {
            bytes.append(hexDigits[size >> (4 * digit) & 0xF])
        }
        bytes.append(.cr)
        bytes.append(.lf)
    }

    private static let hexDigits = [UInt8]("0123456789abcdef".utf8)
}
