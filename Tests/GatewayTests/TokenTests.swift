import APICore
import Gateway
import HTTPServer
import SystemIO
import Testing
import WriterModel

/// Tells by a request's field whose it is.
@Suite struct TokenTests {
    private static let salt = (0..<32).map { UInt8($0) }

    private static func authenticator(_ text: String) throws -> TokenAuthenticator {
        TokenAuthenticator(try Array(text.utf8).withUnsafeBytes { try TokenLines($0, salt: salt) }.table)
    }

    private func principal(_ field: String, _ text: String = "one\ntwo\n") throws -> Principal {
        try Self.authenticator(text).identify(try head("GET", "/", "Authorization: \(field)"))
    }

    /// The digests are Python's hashlib's.
    @Test(arguments: [
        ("correct-horse", "5e9df1e8c1718702c62d5742f784c9bc"),
        (String(repeating: "a", count: 100), "d3569616c88d444f88d6039de82880fe"),
    ])
    func aTokenIsKnownByItsSaltedDigest(token: String, digest: String) {
        let bytes = stride(from: 0, to: 32, by: 2).map { index in
            let start = digest.index(digest.startIndex, offsetBy: index)
            return UInt8(digest[start...].prefix(2), radix: 16)!
        }
        let expected = bytes.withUnsafeBytes { TokenHash($0) }
        #expect(Array(token.utf8).withUnsafeBytes { BearerToken.hash($0, salt: Self.salt) } == expected)
    }

    @Test func noTableHoldsATokenInClear() throws {
        let table = try Array("correct-horse-battery name=acme\n".utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }.table
        let message = ControlMessage.tokens(table).encoded
        let token = Array("correct-horse-battery".utf8)
        for length in 6...token.count {
            let part = Array(token[..<length])
            #expect(!message.indices.contains { message[$0...].starts(with: part) })
        }
    }

    @Test(arguments: ["Bearer one", "bearer two", "BEARER  one", "bEaReR one", "Bearer one ", "Bearer one\t"])
    func aValidTokenPasses(field: String) throws {
        #expect(try principal(field).scopes == .all)
    }

    @Test(arguments: [
        "Bearer", "Bearer on", "Bearer onee", "Basic one", "one", "Bearer one two", "", "Bearer ONE", "Bearer\tone",
        "Bearerone", "Bearer: one", "Bearer \"one\"", "Bearer one,two", "Bearer one;", "Beare one", "\"Bearer\" one",
        "Bearer one\u{A0}", "Bearer \u{FEFF}one", "Bearer %6Fne", "Basic one, Bearer one", "Token one", "Bearer =one",
    ])
    func anythingElseIsUnauthorized(field: String) throws {
        let found = try #require(problem { _ = try principal(field) })
        #expect(found.code == .unauthorized)
        // RFC 9110 §11.6.1: a 401 names the scheme.
        #expect(Response.problem(found).field("WWW-Authenticate") == "Bearer realm=\"penstock\"")
        #expect(!found.detail.contains("one\""))
    }

    @Test func aTokenOfAnyLengthIsComparedWhole() throws {
        let long = String(repeating: "x", count: BearerToken.maxBytes)
        let text = "\(long)\n"
        #expect(try principal("Bearer \(long)", text).name == nil)
        for other in [String(long.dropLast()), long + "x", String(long.dropLast()) + "y", "y" + long.dropFirst()] {
            #expect(problem { _ = try principal("Bearer \(other)", text) }?.code == .unauthorized)
        }
    }

    @Test func twoAuthorizationFieldsAreRefusedWhicheverIsValid() throws {
        let authenticator = try Self.authenticator("one\n")
        for fields in [["Bearer one", "Bearer one"], ["Bearer one", "Bearer x"], ["Bearer x", "Bearer one"], ["", "Bearer one"]] {
            let request = try head("GET", "/", "Authorization: \(fields[0])", "authorization: \(fields[1])")
            #expect(problem { _ = try authenticator.identify(request) }?.code == .unauthorized)
        }
    }

    @Test func withoutTokensEverybodyPassesAndWithNoneNobody() throws {
        let request = try head("GET", "/")
        let authenticator = TokenAuthenticator(nil)
        #expect(try authenticator.identify(request) == .anyone)
        authenticator.replace(with: .empty)
        #expect(problem { _ = try authenticator.identify(request) }?.code == .unauthorized)
        let shown = try head("GET", "/", "Authorization: Bearer \u{0}".replacing("\u{0}", with: "x"))
        #expect(problem { _ = try authenticator.identify(shown) }?.code == .unauthorized)
    }

    @Test func whoATokenIsFollowsFromItsLine() throws {
        let text = """
            all
            viewer read
            w name=acme
            r name=acme scope=read
            ww name=acme scope=write
            boss name=acme scope=admin
            root scope=admin

            """
        let expected: [(String, String?, TokenScopes, Bool)] = [
            ("all", nil, [.read, .write, .admin], true), ("viewer", nil, .read, true), ("w", "acme", [.read, .write], false),
            ("r", "acme", .read, false), ("ww", "acme", [.read, .write], false), ("boss", "acme", [.read, .write, .admin], true),
            ("root", nil, [.read, .write, .admin], true),
        ]
        for (token, name, scopes, seesAll) in expected {
            let principal = try principal("Bearer \(token)", text)
            #expect(principal.name == name && principal.scopes == scopes && principal.seesAll == seesAll, "\(token)")
        }
    }

    @Test func aTokenThatMayOnlyReadDoesNotWrite() throws {
        let text = "all\nviewer  read # dashboards\nboth read,write\nonly write\n"
        for (token, mayRead, mayWrite) in [("all", true, true), ("viewer", true, false), ("both", true, true), ("only", false, true)] {
            let principal = try principal("Bearer \(token)", text)
            #expect(problem { try principal.require(.read) }?.code == (mayRead ? nil : .insufficientScope))
            #expect(problem { try principal.require(.write) }?.code == (mayWrite ? nil : .insufficientScope))
        }
    }

    @Test func aTableArrivesAsItWasAndNoDamagedOneDoes() throws {
        let text = "one\ntwo name=acme\nthree name=acme scope=read\nfour name=b\nfive scope=admin name=ops\n"
        let table = try Array(text.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }.table
        let bytes = ControlMessage.tokens(table).encoded
        #expect(ControlMessage(bytes) == .tokens(table))
        #expect(bytes.count == table.encodedBytes + 1)
        for length in 0..<bytes.count {
            // Cut between two groups it is whole, only smaller.
            guard case .tokens(let cut)? = ControlMessage(Array(bytes[..<length])) else { continue }
            #expect(cut.groups.count < table.groups.count && Array(table.groups.prefix(cut.groups.count)) == cut.groups)
        }
        #expect(ControlMessage(bytes + [0]) == nil)
    }

    @Test func anEncoderIsToldOfWhatReachesItsWriterAlone() throws {
        let text = "one\ntwo name=acme\nthree name=acme scope=read\nfour name=beta\nfive scope=admin name=ops\nsix read\n"
        let lines = try Array(text.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }
        for (owner, known) in [("acme", "one two three five six"), ("beta", "one four five six"), ("ops", "one five six"), (nil, "one five six")] {
            let authenticator = TokenAuthenticator(lines.table(reaching: owner))
            let passing = try ["one", "two", "three", "four", "five", "six"].filter { token in
                let request = try head("GET", "/", "Authorization: Bearer \(token)")
                return problem { _ = try authenticator.identify(request) } == nil
            }
            #expect(passing.joined(separator: " ") == known, "\(owner ?? "")")
        }
    }

    @Test func tenThousandTokensFitAMessageWhoeversTheyAre() throws {
        let texts = ["", " read", " name=acme", " name=acme scope=read"].map { rest in
            (0..<10_000).map { "token-\($0)\(rest)\n" }.joined()
        }
        for text in texts {
            let lines = try Array(text.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }
            let message = ControlMessage.tokens(lines.table(reaching: "acme")).encoded
            #expect(message.count <= MessageSocket.maxMessageBytes)
            let authenticator = TokenAuthenticator(lines.table(reaching: "acme"))
            for token in ["token-0", "token-4999", "token-9999"] {
                #expect(problem { _ = try authenticator.identify(try head("GET", "/", "Authorization: Bearer \(token)")) } == nil)
            }
        }
        let tooMany = (0..<13_000).map { "token-\($0)\n" }.joined()
        #expect(throws: TokenLine.Flaw.self) { try Array(tooMany.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) } }
        // Of names of their own, any number.
        let apart = (0..<12_000).map { "token-\($0) name=n\($0)\n" }.joined()
        let lines = try Array(apart.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }
        #expect(lines.table(reaching: "n7").encodedBytes < 100)
    }

    @Test func aPrincipalWhoseLineHasChangedHasNoLimits() throws {
        func lines(_ text: String) throws -> TokenLines {
            try Array(text.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }
        }
        let principal = try principal("Bearer one", "one name=acme folder=acme\n")
        #expect(try lines("one name=acme folder=acme2\n").limits(of: principal)?.folder == "acme2")
        for text in ["two\n", "one\n", "one name=beta folder=beta\n", "one name=acme scope=read\n"] {
            #expect(try lines(text).limits(of: principal) == nil)
        }
    }
}
