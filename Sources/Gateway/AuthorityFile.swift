import Bytewise
import SystemIO

/// The operator's file of authorities (`--ca-file`), as far as the gateway looks into it.
public enum AuthorityFile {
    /// What is wrong with it; nil: there are certificates in it.
    public static func flaw(of path: String) -> String? {
        do throws(SystemError) {
            let text = String(decoding: try File.read(path), as: UTF8.self)
            return text.holds("-----BEGIN CERTIFICATE-----") ? nil : "\(path) has no certificate in it; it is a file of PEM, as openssl writes it"
        } catch {
            return error.description
        }
    }
}
