/// A request's head: one copy of its bytes, and where the fields lie in them. Strings are made when asked for.
public struct RequestHead: Sendable {
    public let method: HTTPMethod
    public let target: RequestTarget
    public let version: HTTPVersion
    public let framing: BodyFraming
    /// The client waits for `100 Continue` before it sends the body.
    public let expectsContinue: Bool
    /// The connection may carry another request after this one.
    public let keepsAlive: Bool

    private let bytes: [UInt8]
    private let lines: [FieldLine]

    init(_ requestLine: RequestLine, control: MessageControl, bytes: [UInt8], lines: [FieldLine]) {
        method = requestLine.method
        target = requestLine.target
        version = requestLine.version
        framing = control.framing
        expectsContinue = control.expectsContinue
        keepsAlive = control.keepsAlive
        self.bytes = bytes
        self.lines = lines
    }

    /// The first value of the field, without the whitespace around it. Bytes that are not UTF-8 are replaced.
    public func field(_ name: String) -> String? {
        bytes.withUnsafeBytes { bytes in
            lines.first { bytes.slice($0.name).equalsIgnoringCase(name) }
                .map { String(decoding: bytes.slice($0.value), as: UTF8.self) }
        }
    }

    /// The values of all lines of the field, in order; a comma-separated line stays one value.
    public func fields(_ name: String) -> [String] {
        bytes.withUnsafeBytes { bytes in
            lines.filter { bytes.slice($0.name).equalsIgnoringCase(name) }
                .map { String(decoding: bytes.slice($0.value), as: UTF8.self) }
        }
    }

    /// Gives the bytes of the field's first value, without a copy of them, and whether there is another one;
    /// nil without the field.
    public func withField<R>(_ name: String, _ body: (_ value: UnsafeRawBufferPointer, _ isOnly: Bool) -> R) -> R? {
        bytes.withUnsafeBytes { bytes in
            var found: FieldLine?
            for line in lines where bytes.slice(line.name).equalsIgnoringCase(name) {
                if let found { return body(bytes.slice(found.value), false) }
                found = line
            }
            return found.map { body(bytes.slice($0.value), true) }
        }
    }

    public func hasField(_ name: String) -> Bool {
        bytes.withUnsafeBytes { bytes in
            lines.contains { bytes.slice($0.name).equalsIgnoringCase(name) }
        }
    }

    /// Whether the first value of the field is `value` in any case.
    public func field(_ name: String, equalsIgnoringCase value: String) -> Bool {
        bytes.withUnsafeBytes { bytes in
            lines.first { bytes.slice($0.name).equalsIgnoringCase(name) }
                .map { bytes.slice($0.value).equalsIgnoringCase(value) } ?? false
        }
    }

    /// A number that tells the credentials of Authorization from others in this process, and tells nothing of
    /// them; nil when there are none. Of the last word alone: one token may stand behind "Bearer" in any case
    /// and behind any number of spaces.
    public var credentialHash: Int? {
        bytes.withUnsafeBytes { bytes in
            lines.first { bytes.slice($0.name).equalsIgnoringCase("Authorization") }.map { line in
                let value = bytes.slice(line.value)
                let end = value.lastIndex { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                var hasher = Hasher()
                hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: value[(end.map { $0 + 1 } ?? value.startIndex)...]))
                return hasher.finalize()
            }
        }
    }

    public var allFields: [(name: String, value: String)] {
        bytes.withUnsafeBytes { bytes in
            lines.map {
                (
                    String(decoding: bytes.slice($0.name), as: UTF8.self),
                    String(decoding: bytes.slice($0.value), as: UTF8.self)
                )
            }
        }
    }

    /// Whom the request is for: the target's own authority, else Host (RFC 9112 §3.2.2).
    public var authority: String? { target.authority ?? field("Host") }
}
