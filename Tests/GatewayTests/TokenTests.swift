import APICore
import Gateway
import HTTPServer
import SystemIO
import Testing
import WriterModel

@Suite struct TokenTests {
    private let folder = TemporaryFolder()

    @Test func tokensAreReadALine() throws {
        folder.write("tokens", "# ours\n\none\n  two  # the second\r\n\tthree\n#four\n")
        #expect(try TokenFile(path: folder.path + "/tokens").read() == ["one", "two", "three"])
    }

    @Test func aTokenThatMayOnlyReadDoesNotWrite() throws {
        folder.write("tokens", "all\nviewer  read # dashboards\nboth read,write\n")
        let lines = try TokenFile(path: folder.path + "/tokens").read()
        #expect(lines == ["all", "viewer read", "both read,write"])
        let authenticator = TokenAuthenticator(tokens: lines)
        for (token, mayWrite) in [("all", true), ("viewer", false), ("both", true)] {
            let request = try head("GET", "/", "Authorization: Bearer \(token)")
            #expect(problem { try authenticator.check(request, for: .read) } == nil)
            let refusal = problem { try authenticator.check(request, for: .write) }
            #expect(refusal?.code == (mayWrite ? nil : .insufficientScope))
        }
    }

    @Test func aScopeThatDoesNotExistIsRefused() {
        folder.write("tokens", "one\ntwo admin\n")
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: folder.path + "/tokens").read() }
    }

    @Test func aFileWithoutTokensIsNotAnOpenDoor() throws {
        folder.write("tokens", "# none yet\n\n")
        let file = TokenFile(path: folder.path + "/tokens")
        #expect(throws: TokenFile.Unusable.self) { try file.read() }
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: folder.path + "/missing").read() }
    }

    @Test func moreTokensThanFitAMessageAreRefused() {
        folder.write("tokens", String(repeating: "0123456789abcdef\n", count: TokenFile.maxBytes / 17 + 1))
        #expect(throws: TokenFile.Unusable.self) { try TokenFile(path: folder.path + "/tokens").read() }
    }

    @Test func aChangedFileIsReadAgainAndOnlyThen() throws {
        folder.write("tokens", "one\n")
        let file = TokenFile(path: folder.path + "/tokens")
        #expect(try file.read() == ["one"])
        #expect(try file.readIfChanged() == nil)
        folder.write("tokens", "one\ntwo\n")
        #expect(try file.readIfChanged() == ["one", "two"])
        folder.write("tokens", "")
        #expect(throws: TokenFile.Unusable.self) { try file.readIfChanged() }
        #expect(try file.readIfChanged() == nil)
        folder.write("tokens", "three\n")
        #expect(try file.readIfChanged() == ["three"])
    }

    @Test func aFileThatCouldNotBeReadIsReadAgain() throws {
        folder.write("tokens", "one\n")
        let file = TokenFile(path: folder.path + "/tokens")
        _ = try file.read()
        // There is something, and it can't be read: as when no descriptor is left.
        try Directory(path: folder.path).removeFile("tokens")
        try Directory(path: folder.path).makeSubdirectory("tokens")
        for _ in 0..<2 { #expect(throws: TokenFile.Unusable.self) { try file.readIfChanged() } }
    }

    @Test(arguments: ["Bearer one", "bearer two", "BEARER  one", "Bearer one "])
    func aValidTokenPasses(field: String) throws {
        let request = try head("GET", "/", "Authorization: \(field)")
        #expect(problem { try TokenAuthenticator(tokens: ["one", "two"]).check(request, for: .write) } == nil)
    }

    @Test(arguments: ["Bearer", "Bearer on", "Bearer onee", "Basic one", "one", "Bearer one two", "", "Bearer ONE"])
    func anythingElseIsUnauthorized(field: String) throws {
        let request = try head("GET", "/", "Authorization: \(field)")
        let found = try #require(problem { try TokenAuthenticator(tokens: ["one", "two"]).check(request, for: .write) })
        #expect(found.code == .unauthorized)
        // RFC 9110 §11.6.1: a 401 names the scheme.
        #expect(Response.problem(found).field("WWW-Authenticate") == "Bearer realm=\"penstock\"")
    }

    @Test func withoutTokensEverybodyPassesAndWithNoneNobody() throws {
        let request = try head("GET", "/")
        let authenticator = TokenAuthenticator(tokens: nil)
        #expect(problem { try authenticator.check(request, for: .write) } == nil)
        authenticator.replace(with: [])
        #expect(problem { try authenticator.check(request, for: .write) }?.code == .unauthorized)
    }
}
