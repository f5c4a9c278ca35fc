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

    static func check(_ option: [String: String], to plan: DestinationPlan) throws(Problem) {
        try checkSRTP(option, to: plan)
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
