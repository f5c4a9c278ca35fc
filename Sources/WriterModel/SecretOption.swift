import Bytewise

/// Which options hold secrets: they are neither shown nor logged.
public enum SecretOption {
    /// The place of a secret's value.
    public static let shown = "***"

    /// By its name, as libav's protocols, muxers and encoders call theirs. One too many costs a
    /// client the sight of what it sent; one too few gives a key away.
    public static func isSecret(_ name: String) -> Bool {
        let name = name.lowercasedASCII.parts(at: "-").joined(separator: "_")
        return names.contains(name) || prefixes.contains { name.begins(with: $0) } || parts.contains { name.holds($0) }
            || name.ends(with: "_key") || name.ends(with: "_iv")
    }

    private static let names: Set<String> = [
        "headers", "http_proxy", "iv", "key", "pass", "post_data", "rtmp_app", "rtmp_conn", "rtmp_pageurl",
        "rtmp_playpath", "rtmp_subscribe", "rtmp_tcurl", "user", "username",
    ]
    private static let prefixes = ["srtp_in", "srtp_out"]
    private static let parts = [
        "auth", "cookie", "credential", "passphrase", "password", "passwd", "secret", "signature", "streamid", "token",
    ]

    /// Options as they may be shown: without the values that are secret, URLs without theirs, and options
    /// within options the same.
    public static func redacted(_ options: [String: String]) -> [String: String] {
        let redaction = Redaction(destination: nil, options: [options])
        return options.reduce(into: [:]) { shown, option in
            shown[option.key] = isSecret(option.key) ? Self.shown : redaction.apply(to: option.value)
        }
    }

    private static let separators = Set(":;,&|[]\n".utf8)
    private static let quotes = Set("'\"".utf8)

    /// The options within an option, as libav's lists have them: "name=value:other='value, with: more'".
    static func pairs(in text: String) -> [(name: String, value: String)] {
        var pairs: [(String, String)] = []
        var rest = Array(text.utf8)[...]
        while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
            let name = rest[..<equals].reversed().prefix { !separators.contains($0) && !quotes.contains($0) && $0 != 0x20 }
            var value = rest[(equals + 1)...]
            if let quote = value.first, quotes.contains(quote) {
                value = value.dropFirst().prefix { $0 != quote }
            } else {
                value = value.prefix { !separators.contains($0) }
            }
            pairs.append((String(decoding: name.reversed(), as: UTF8.self), String(decoding: value, as: UTF8.self)))
            rest = rest[(equals + 1)...]
        }
        return pairs
    }
}
