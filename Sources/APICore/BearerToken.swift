import Crypto
import HTTP1
import WriterModel

/// A token as it is presented: hashed where it lies, and copied nowhere.
public enum BearerToken {
    /// Of a token, in a request or a token file.
    public static let maxBytes = 4 * 1_024

    private static let scheme = Array("bearer".utf8)

    public enum Presented: Sendable, Equatable {
        case hash(TokenHash)
        case absent, repeated, malformed, tooLong
    }

    /// Of the request's Authorization field: "Bearer", in any case, one space or more (RFC 9110
    /// §11.4), and the token.
    public static func hash(in head: RequestHead, salt: [UInt8]) -> Presented {
        head.withField("Authorization") { value, isOnly in
            guard isOnly else { return .repeated }
            guard value.count > scheme.count,
                zip(value, scheme).allSatisfy({ $0 | 0x20 == $1 })
            else { return .malformed }
            let spaces = value[scheme.count...].prefix { $0 == UInt8(ascii: " ") }
            let token = UnsafeRawBufferPointer(rebasing: value[spaces.endIndex...])
            guard !spaces.isEmpty, isToken(token) else { return .malformed }
            return token.count <= maxBytes ? .hash(hash(token, salt: salt)) : .tooLong
        } ?? .absent
    }

    /// Visible characters, of ASCII or not: what can stand behind "Bearer " in a field.
    public static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    public static func hash(_ token: UnsafeRawBufferPointer, salt: [UInt8]) -> TokenHash {
        var function = SHA256()
        salt.withUnsafeBytes { function.update(bufferPointer: $0) }
        function.update(bufferPointer: token)
        return function.finalize().withUnsafeBytes { TokenHash($0) }
    }
}
