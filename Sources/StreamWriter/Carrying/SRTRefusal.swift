import Bytewise

/// Why a peer of SRT's refused the connection, by what libsrt logged.
enum SRTRefusal {
    /// SRT_REJ_BADSECRET
    case otherPassphrase
    /// SRT_REJ_UNSECURE
    case passphraseOfOne

    /// nil: it says nothing of that.
    init?(_ log: [String]) {
        if log.contains(where: { $0.holds("REJECT") && $0.holds("Incorrect passphrase") }) {
            self = .otherPassphrase
        } else if log.contains(where: { $0.holds("REJECT") && $0.holds("Password required or unexpected") }) {
            self = .passphraseOfOne
        } else {
            return nil
        }
    }

    /// What to say of it, and the parameter at fault. `url`: the peer's.
    func said(of url: String, _ options: [String: String]) -> (message: String, parameter: String) {
        let isOption = options["passphrase"] != nil
        let parameter = isOption ? "option.passphrase" : "dst"
        if case .otherPassphrase = self { return ("the peer refused the passphrase: it has another", parameter) }
        let isGiven = isOption || (url.cut(at: "?")?.after ?? "").parts(at: "&").contains { $0.begins(with: "passphrase=") }
        return isGiven
            ? ("the peer refused the connection: it has no passphrase, and was given one", parameter)
            : ("the peer refused the connection: it has a passphrase, and was given none; give the option passphrase", parameter)
    }
}
