import Foundation
import Gateway
import Testing

/// Which secrets a file has, and what they sign.
@Suite struct WebhookSecretTests {
    private static let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    private func secrets(_ text: String) throws -> WebhookSecrets { try Array(text.utf8).withUnsafeBytes { try WebhookSecrets($0) } }

    private func flaw(_ text: String) -> WebhookSecrets.Flaw? {
        do {
            _ = try secrets(text)
            return nil
        } catch { return error as? WebhookSecrets.Flaw }
    }

    /// The vector of the standard's own libraries.
    @Test func aMessageIsSignedAsTheStandardsLibrariesDo() throws {
        let signature = try secrets("# of tests\n\n\(Self.key)\n").signature(
            for: nil, id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: #"{"test": 2432232314}"#)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func everySecretOfAKindSignsAndAnOwnersStandsBeforeTheOthers() throws {
        func signatures(_ text: String, for owner: String?) throws -> [Substring] {
            try secrets(text).signature(for: owner, id: "msg_1", timestamp: 1, body: "{}").split(separator: " ")
        }
        let one = try signatures(Self.key, for: nil), two = try signatures(Self.other, for: nil)
        #expect(try signatures("\(Self.key)\n\(Self.other)", for: nil) == one + two)
        let tenants = "\(Self.key)\r\n\(Self.other) name=acme # theirs\r\n"
        #expect(try signatures(tenants, for: nil) == one)
        #expect(try signatures(tenants, for: "acme") == two)
        #expect(try signatures(tenants, for: "other") == one)
    }

    @Test(arguments: [
        ("", 1), ("whsec_\n", 1), ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 1), ("\n\(key)\nwhsec_c2hvcnQ=\n", 3), ("\(key) x\n", 1), ("\(key) name=\n", 1),
        ("\(key) name=a b\n", 1), ("\(key) name=a\n", 2), ("whsec_!\(String(repeating: "A", count: 40))\n", 1), ("whsec_\(String(repeating: "A", count: 100))\n", 1),
    ])
    func whatIsNoSecretIsAFlawOfItsLine(text: String, line: Int) {
        let flaw = flaw(text)
        #expect(flaw?.line == line, "\(text)")
        #expect(flaw?.reason.contains("MfKQ") != true)
    }

    @Test func nothingShowsThem() throws {
        let secrets = try secrets(Self.key)
        var shown = ""
        dump(secrets, to: &shown)
        #expect(!shown.contains("24") && "\(secrets)" == "secrets")
    }
}
