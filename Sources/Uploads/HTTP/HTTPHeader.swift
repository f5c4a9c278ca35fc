import Bytewise
import Stores

/// A header that the caller adds to a request. Its value may be a key, so nothing shows it.
package struct HTTPHeader: Sendable, Equatable {
    package let name: String
    package let value: Secret

    /// What the transfer itself sends: two of them would contradict each other.
    private static let ownNames = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Refuses a name that is no token (RFC 9110, 5.6.2), one that the transfer itself sends, and a value with control characters.
    package init(_ name: String, _ value: String) throws(UploadError) {
        try self.init(checking: name, value)
        if Self.ownNames.contains(where: { $0.isSame(as: name.lowercasedASCII) }) {
            throw UploadError(.invalid, "header \(name)", "the transfer sends this header itself; leave it out")
        }
    }

    /// Of this module's own headers.
    init(checking name: String, _ value: String) throws(UploadError) {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
            throw UploadError(.invalid, "header \"\(name.shortened(to: 60).sanitised)\"", "a header's name is letters, digits and any of !#$%&'*+-.^_`|~")
        }
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw UploadError(.invalid, "header \(name)", "its value has a control character in it")
        }
        (self.name, self.value) = (name, Secret(value.trimmedASCII))
    }

    static func isTokenByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// As libcurl takes it: a header without a value ends in a semicolon, or it would mean that there is none.
    var line: String { value.revealed.isEmpty ? "\(name);" : "\(name): \(value.revealed)" }

    /// Whether it describes the body, and so goes along wherever the body does.
    var isOfTheBody: Bool {
        let name = name.lowercasedASCII
        return name.begins(with: "content-") || name.isSame(as: "cache-control")
    }
}
