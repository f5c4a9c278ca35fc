public struct ResponseHead: Sendable {
    public var status: HTTPStatus
    /// In the order they are sent.
    public var fields: [(name: String, value: String)]

    public init(status: HTTPStatus, fields: [(name: String, value: String)] = []) {
        self.status = status
        self.fields = fields
    }

    /// The first value of the field.
    public func field(_ name: String) -> String? {
        fields.first { Self.isSame($0.name, name) }?.value
    }

    /// Replaces every line of the field with one.
    public mutating func set(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }

    public mutating func add(_ name: String, _ value: String) {
        fields.append((name, value))
    }

    public mutating func remove(_ name: String) {
        fields.removeAll { Self.isSame($0.name, name) }
    }

    /// Appends the status line, the fields and the empty line.
    ///
    /// A value comes from anywhere, so a CR, LF or NUL in it is sent as a space (RFC 9110 §5.5) and can not start
    /// another field. A name comes from the program, and must be a token.
    public func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "HTTP/1.1 ".utf8)
        Self.append(decimal: status.code, to: &bytes)
        bytes.append(.space)
        bytes.append(contentsOf: status.reasonPhrase.utf8)
        Self.appendCRLF(to: &bytes)
        for (name, value) in fields {
            precondition(Self.isToken(name), "a field name is a token")
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(.space)
            Self.append(value: value, to: &bytes)
            Self.appendCRLF(to: &bytes)
        }
        Self.appendCRLF(to: &bytes)
    }

    private static func append(value: String, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: value.utf8)
        for index in start..<bytes.count where bytes[index] == .cr || bytes[index] == .lf || bytes[index] == 0 {
            bytes[index] = .space
        }
    }

    private static func append(decimal code: Int, to bytes: inout [UInt8]) {
        for digit in [code / 100, code / 10 % 10, code % 10] { bytes.append(0x30 + UInt8(digit)) }
    }

    private static func appendCRLF(to bytes: inout [UInt8]) {
        bytes.append(.cr)
        bytes.append(.lf)
    }

    private static func isToken(_ name: String) -> Bool {
        let token = ByteSet.token
        return !name.isEmpty && name.utf8.allSatisfy { token.contains($0) }
    }

    private static func isSame(_ name: String, _ other: String) -> Bool {
        var name = name
        return name.withUTF8 { UnsafeRawBufferPointer($0).equalsIgnoringCase(other) }
    }
}
