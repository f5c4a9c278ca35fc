/// Which options hold secrets: they are neither shown nor logged.
public enum SecretOption {
    /// The place of a secret's value.
    public static let shown = "***"

    /// By its name, as libav's protocols, muxers and encoders call theirs. One too many costs a
    /// client the sight of what it sent; one too few gives a key away.
    public static func isSecret(_ name: String) -> Bool {
        let name = String(name.lowercased().map { $0 == "-" ? "_" : $0 })
        return names.contains(name) || prefixes.contains { name.hasPrefix($0) } || parts.contains { name.contains($0) }
            || name.hasSuffix("_key") || name.hasSuffix("_iv")
    }

    private static let names: Set<String> = [
        "headers", "http_proxy", "iv", "key", "pass", "post_data", "rtmp_app", "rtmp_conn", "rtmp_pageurl",
        "rtmp_playpath", "rtmp_subscribe", "rtmp_tcurl", "user", "username",
    ]
    private static let prefixes = ["srtp_in", "srtp_out"]
    private static let parts = [
        "auth", "cookie", "credential", "passphrase", "password", "passwd", "secret", "signature", "streamid", "token",
    ]

    /// Options as they may be shown: without the values that are secret, and URLs without theirs.
    public static func redacted(_ options: [String: String]) -> [String: String] {
        var options = options
        for (name, value) in options {
            options[name] = isSecret(name) ? shown : URLParts(value)?.redacted ?? value
        }
        return options
    }
}
