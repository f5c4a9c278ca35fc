import Bytewise
import WriterModel

/// Options that ask for encryption and that libav leaves aside, or cuts, without a word.
enum EncryptionJudge {
    /// By the option that says with what: the one without which it does nothing, and what that must be.
    private static let partners: [String: (name: String, value: String)] = [
        "encryption_key": ("encryption_scheme", "cenc-aes-ctr"), "encryption_kid": ("encryption_scheme", "cenc-aes-ctr"),
        "hls_enc_key": ("hls_enc", "1"), "hls_enc_iv": ("hls_enc", "1"),
    ]

    /// libav reads this many bytes, whatever there are.
    private static let keyBytes = 16

    /// What libsrt takes of a passphrase, in bytes.
    private static let passphraseBytes = 10...79

    /// Of a URL's query, which libav reads as it stands.
    static func check(url: String) throws(Problem) {
        guard let parts = URLParts(url), parts.scheme.isSame(as: "srt") else { return }
        for item in (parts.query ?? "").parts(at: "&") {
            if let passphrase = item.without(prefix: "passphrase=") { try check(passphrase: passphrase, parameter: "dst") }
        }
    }

    private static func check(passphrase: String, parameter: String) throws(Problem) {
        let count = passphrase.utf8.count
        guard !passphraseBytes.contains(count) else { return }
        let place = parameter.isSame(as: "dst") ? "The passphrase in dst" : "The option passphrase"
        throw Problem(
            .invalidParameter, "\(place) has \(count) bytes; SRT takes from \(passphraseBytes.lowerBound) to \(passphraseBytes.upperBound).", parameter: parameter)
    }

    static func check(_ option: [String: String], to plan: DestinationPlan) throws(Problem) {
        try checkSRTP(option, to: plan)
        if case .url(let url) = plan, URLParts(url)?.scheme.isSame(as: "srt") == true, let passphrase = option["passphrase"] {
            try check(passphrase: passphrase, parameter: "option.passphrase")
        }
        for name in option.keys.sorted() {
            if let partner = partners[name], isOff(option[partner.name]) {
                throw Problem(
                    .invalidParameter,
                    "The option \(name) encrypts nothing without \(partner.name). Say \"\(partner.name)\": \"\(partner.value)\" as well, or leave both out.",
                    parameter: "option.\(name)")
            }
            guard ["hls_enc_key", "hls_enc_iv"].contains(name), let count = option[name]?.utf8.count, count != keyBytes else { continue }
            throw Problem(
                .invalidParameter, "The option \(name) has \(count) bytes and must have \(keyBytes): it is taken as it stands, not as hexadecimal digits.",
                parameter: "option.\(name)")
        }
    }

    /// Without a key libav sends plain RTP.
    private static func checkSRTP(_ option: [String: String], to plan: DestinationPlan) throws(Problem) {
        guard case .url(let url) = plan, URLParts(url)?.scheme.isSame(as: "srtp") == true else { return }
        for (name, what) in [("srtp_out_suite", "AES_CM_128_HMAC_SHA1_80"), ("srtp_out_params", "30 bytes of key and salt in base64")]
        where option[name]?.isEmpty ?? true {
            throw Problem(
                .invalidParameter, "srtp:// encrypts nothing without the option \(name) (\(what)). Give it, or write to rtp://.",
                parameter: "option.\(name)")
        }
    }

    private static func isOff(_ value: String?) -> Bool {
        guard let value else { return true }
        return ["", "0", "false", "n", "no", "none", "disable", "disabled", "off"].contains(value)
    }
}
