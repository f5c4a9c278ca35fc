import Bytewise

extension URLParts {
    /// What the URL names, in one spelling of the many that it has (RFC 3986 §6.2.2, §6.2.3): small letters, no default port, no
    /// escapes that need not be, no fragment; without the user. nil: it names a connection, of which there may be several.
    public var place: String? {
        let known = URLScheme.named(scheme)
        if known?.makesConnections == true { return nil }
        let host = host.lowercasedASCII
        let port = port.map { $0.isEmpty ? nil : $0 } ?? nil
        let number = port.flatMap(Int.init).map { "\($0)" } ?? port ?? known?.defaultPort.map { "\($0)" } ?? ""
        let target = rest.until("#")
        let path = Self.plain(path: target.until("?"))
        let query = known?.query(target.cut(at: "?")?.after ?? "") ?? ""
        return "\(scheme)://\(host.without(suffix: ".") ?? host):\(number)\(path)\(query.isEmpty ? "" : "?\(query)")"
    }

    private static func plain(path: String) -> String {
        var names: [String] = []
        let given = plain(escapes: path).parts(at: "/").dropFirst()
        for (index, name) in given.enumerated() {
            let isLast = index == given.count - 1
            if name.isSame(as: "..") { _ = names.popLast() } else if !name.isSame(as: ".") {
                names.append(name)
                continue
            }
            if isLast { names.append("") }
        }
        return "/" + names.joined(separator: "/")
    }

    /// Letters, digits, "-", ".", "_" and "~" as they are, the others' digits in capitals.
    private static func plain(escapes text: String) -> String {
        var (plain, bytes): ([UInt8], [UInt8]) = ([], Array(text.utf8))
        bytes.reverse()
        while let byte = bytes.popLast() {
            let digits = String(decoding: bytes.suffix(2).reversed(), as: UTF8.self)
            guard byte == UInt8(ascii: "%"), digits.utf8.count == 2, digits.utf8.allSatisfy({ $0.isASCIIDigit || (0x61...0x66).contains($0 | 0x20) }),
                let value = UInt8(digits, radix: 16)
            else {
                plain.append(byte)
                continue
            }
            bytes.removeLast(2)
            let isPlain = value.isASCIILetter || value.isASCIIDigit || "-._~".utf8.contains(value)
            plain += isPlain ? [value] : [byte] + digits.utf8.map { $0.isASCIILetter ? $0 & ~0x20 : $0 }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
