import Gateway
import Testing
import WriterModel

/// Tokens of a configuration file say what lines of a token file say.
@Suite struct TokenEntryTests {
    private func line(_ fields: [(String, String)]) throws -> TokenLine? {
        var entry = TokenEntry(line: 3)
        for (name, value) in fields { try entry.take(name, value) }
        return entry.finished
    }

    @Test func everyFieldIsRead() throws {
        let line = try #require(try line([
            ("name", "acme"), ("token", "t"), ("scope", "write"), ("folder", "a b/live/"), ("max-writers", "20"), ("max-output-bytes", "1048576"), ("allow-output", "rtmp://h/*"),
            ("allow-output", "srt://10.0.0.1:9000"), ("allow-store", "archive"), ("allow-store", "b-2"),
        ]))
        #expect(line.number == 3 && line.name == "acme" && line.scopes == [.read, .write])
        #expect(line.limits.folder == "a b/live" && line.limits.maxWriters == 20 && line.limits.maxOutputBytes == 1_048_576)
        #expect(line.limits.outputPatterns == ["rtmp://h/*", "srt://10.0.0.1:9000"])
        #expect(line.limits.stores == ["archive", "b-2"])
        #expect(TokenEntry.fields == ["token", "name", "scope", "folder", "max-writers", "max-output-bytes", "allow-output", "allow-store", "allow-callback"])
    }

    @Test func scopesWithoutOneAreThoseOfALine() throws {
        #expect(try line([("token", "t")])?.scopes == .all)
        #expect(try line([("token", "t"), ("name", "a")])?.scopes == [.read, .write])
        #expect(try line([("name", "a")]) == nil)
    }

    @Test(arguments: [
        [("token", "")], [("token", "a b")], [("token", "a"), ("token", "b")], [("name", "a.b")], [("name", "a"), ("name", "a")], [("scope", "root")], [("folder", "../x")], [("folder", "a\u{1}")],
        [("max-writers", "0")], [("max-output-bytes", "1")], [("allow-output", "x")], [("allow-output", ""), ("allow-output", "rtmp://h/*")],
        [("allow-store", "A")], [("allow-store", "a b")], [("allow-store", ""), ("allow-store", "a")], [("token", String(repeating: "t", count: 4_097))],
    ])
    func whatALineMayNotSayAnEntryMayNot(fields: [(String, String)]) throws {
        let error = #expect(throws: TokenLine.Flaw.self) { try line(fields) }
        #expect(error?.line == 3 && error?.reason.contains("=") == false)
    }

    @Test func entriesAreHeldAgainstEachOther() throws {
        func lines(_ entries: [[(String, String)]]) throws -> TokenLines { try TokenLines(configured: try entries.compactMap { try line($0) }) }
        #expect(try lines([[("token", "a")], [("token", "a")]]).lines.count == 1)
        #expect(throws: TokenLine.Flaw.self) { try lines([[("token", "a")], [("token", "a"), ("scope", "read")]]) }
        #expect(throws: TokenLine.Flaw.self) { try lines([[("token", "a"), ("name", "x"), ("folder", "f")], [("token", "b"), ("name", "y"), ("folder", "f/g")]]) }
        #expect(try lines([[("token", "a")]]) == lines([[("token", "a")]]))
        #expect(try lines([[("token", "a")]]) != lines([[("token", "b")]]))
    }
}
