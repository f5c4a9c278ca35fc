/// A response's head as the bytes it is sent in.
///
/// A value comes from anywhere, so a CR, LF or NUL in it is sent as a space (RFC 9110 §5.5) and can not start
/// another field. A name comes from the program, and must be a token.
public struct ResponseHead: Sendable {
    private var bytes: [UInt8] = []

    /// `capacity` is what it may grow to, with the body behind it, without being moved.
    public init(status: HTTPStatus, capacity: Int = 512) {
        bytes.reserveCapacity(capacity)
        append("HTTP/1.1 ")
        for digit in [status.code / 100, status.code / 10 % 10, status.code % 10] { bytes.append(0x30 + UInt8(digit)) }
        bytes.append(.space)
        append(status.reasonPhrase)
        endLine()
    }

    /// Fields are sent in the order they are added.
    public mutating func add(_ name: String, _ value: String) {
        let token = ByteSet.token
        precondition(!name.isEmpty && name.utf8.allSatisfy { token.contains($0) }, "a field name is a token")
        append(name)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(.space)
        let start = bytes.count
        append(value)
        for index in start..<bytes.count where bytes[index] == .cr || bytes[index] == .lf || bytes[index] == 0 {
            bytes[index] = .space
        }
        endLine()
    }

    /// The whole head, its empty line, and `body`.
    public consuming func encoded(followedBy body: [UInt8] = []) -> [UInt8] {
        endLine()
        bytes += body
        return bytes
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    private mutating func endLine() {
        bytes.append(.cr)
        bytes.append(.lf)
    }
}
