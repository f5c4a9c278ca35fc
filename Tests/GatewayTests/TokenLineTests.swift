import Gateway
import Testing
import WriterModel

/// What a line of the token file says.
@Suite struct TokenLineTests {
    private static let salt = [UInt8](repeating: 7, count: 32)

    private func lines(_ text: String) throws -> TokenLines {
        try Array(text.utf8).withUnsafeBytes { try TokenLines($0, salt: Self.salt) }
    }

    private func flaw(_ text: String) -> TokenLine.Flaw? {
        do {
            _ = try lines(text)
            return nil
        } catch { return error as? TokenLine.Flaw }
    }

    @Test func commentsEmptyLinesAndIndentsDoNotCount() throws {
        let read = try lines("# ours\n\none\n  two  # the second\r\n\tthree\n#four\n \t\r\nfive\tread\t#x\n")
        #expect(read.lines.map(\.number) == [3, 4, 5, 8])
        #expect(read.lines.map(\.scopes) == [.all, .all, .all, .read])
    }

    @Test func everyKeyIsRead() throws {
        let text = "t name=acme scope=write folder=acme/live/ max-writers=20 max-output-bytes=1048576 allow-output=rtmp://live.acme.com/* allow-output=srt://10.0.0.1:9000\n"
        let line = try #require(try lines(text).lines.first)
        #expect(line.name == "acme" && line.scopes == [.read, .write])
        #expect(line.limits.folder == "acme/live")
        #expect(line.limits.maxWriters == 20 && line.limits.maxOutputBytes == 1_048_576)
        #expect(line.limits.outputPatterns == ["rtmp://live.acme.com/*", "srt://10.0.0.1:9000"])
        #expect(try lines("t name=a allow-output=\n").lines[0].limits.outputPatterns == [])
        // A name has the stores that its line names; who sees every writer has all, but where its line names some.
        for (line, stores) in [
            ("t", nil), ("t name=a", []), ("t name=a allow-store=x allow-store=y-2", ["x", "y-2"]), ("t name=a allow-store=", []), ("t name=o scope=admin", nil),
            ("t name=o scope=admin allow-store=x", ["x"]), ("t allow-store=x", ["x"]),
        ] as [(String, [String]?)] {
            #expect(try lines(line + "\n").lines[0].limits.stores == stores, "\(line)")
        }
        let callbacks = try lines("t name=a allow-callback=https://a.example.com/* allow-callback=http://10.0.0.1\nu name=b allow-callback=\n").lines
        #expect(callbacks.map(\.limits.callbackPatterns) == [["https://a.example.com/*", "http://10.0.0.1"], []])
        #expect(flaw("t name=a allow-callback=rtmp://h/*\n") != nil && flaw("t name=a allow-callback= allow-callback=https://h/*\n") != nil)
    }

    @Test(arguments: [
        "name=", "name=a.b", "name=a/b", "name=\(String(repeating: "n", count: 65))", "name=é", "name=a name=b", "scope=", "scope=root",
        "scope=read,write", "scope=READ", "read scope=read", "scope=read read", "admin", "Read", "folder=", "folder=/", "folder=/abs",
        "folder=..", "folder=a/../b", "folder=a/./b", "folder=a//b", "folder=./a", "folder=\(String(repeating: "f", count: 201))",
        "folder=a/b//", "folder=.penstock-x", "folder=a/.PENSTOCK-", "allow-output= allow-output=", "allow-output=rtmp://h/* allow-output=", "allow-output= allow-output=rtmp://h/*", "max-writers=", "max-writers=0", "max-writers=-1", "max-writers=+1", "max-writers=1.5", "max-writers=99999999999999999999",
        "max-output-bytes=1048575", "max-output-bytes=1M", "allow-output=rtmp", "allow-output=file:///etc/*", "allow-output=/etc", "Name=a", "key=x", "=x", "=",
        "NAME=acme", "max-writers=1 max-writers=1", "folder=a folder=b", "name=a\u{85}", "folder=a\u{7F}", "name=a second-token",
    ])
    func aLineThatCanNotBeMeantIsRefusedByItsNumber(rest: String) throws {
        let found = try #require(flaw("fine\n# one\ns3cret-token \(rest)\nalso-fine name=b\n"))
        #expect(found.line == 3)
        #expect(!found.reason.isEmpty && !found.reason.contains("s3cret-token") && !found.reason.contains("second-token"))
    }

    @Test(arguments: ["name=acme s3cret-token", "scope=write name=acme", "folder=x s3cret-token", "a\u{1}b", "\u{7F}", "a\rb"])
    func aLineWithoutATokenAtItsStartIsRefused(line: String) throws {
        let found = try #require(flaw("\(line)\n"))
        #expect(found.line == 1 && !found.reason.contains("s3cret"))
    }

    @Test func bytesThatAreNoTextAreRefusedBehindATokenAndNotInIt() throws {
        #expect(flaw("\u{e9}-token\n") == nil)
        #expect([UInt8]("t name=".utf8 + [0xFF, 0x0A]).withUnsafeBytes { bytes in (try? TokenLines(bytes, salt: Self.salt)) == nil })
        #expect([UInt8]([0xFF, 0xFE, 0x0A]).withUnsafeBytes { bytes in (try? TokenLines(bytes, salt: Self.salt)) != nil })
    }

    @Test func aTokenOnTwoLinesThatDifferIsRefused() throws {
        for text in [
            "t\nt read\n", "t read\nt\n", "t read\nt write\n", "t\nt name=a\n", "t name=a\nt name=b\n", "t name=a\nt\n",
            "t max-writers=1\nt max-writers=2\n",
        ] {
            #expect(flaw(text)?.line == 2, "\(text)")
        }
        #expect(try lines("t read\nu\nt scope=read\n").lines.map(\.scopes) == [.read, .all])
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstToken() throws {
        #expect(try lines("\u{FEFF}t read\n").lines == lines("t read\n").lines)
    }

    @Test func foldersOfTwoNamesLieApart() throws {
        for text in [
            "t name=a folder=x\nu name=b folder=x/\n", "t name=a folder=x\nu name=b folder=x/y\n", "t name=a folder=x/y/z\nu name=b folder=x\n",
            "t name=a folder=x\nv name=a folder=x/a\nu name=b folder=x/z\n", "t folder=x\nu name=b folder=x/y\n",
        ] { #expect(flaw(text) != nil, "\(text)") }
        for text in [
            "t name=a folder=x\nu name=b folder=xy\n", "t name=a folder=x\nu name=a folder=x/y\n", "t name=a folder=x-1\nu name=b folder=x/y\nv name=c folder=x.y\n",
            // Two names for the kernel.
            "t name=a folder=\u{e9}\nu name=b folder=e\u{301}\n", "t name=a folder=K\nu name=b folder=\u{212A}\n",
        ] { #expect(flaw(text) == nil, "\(text)") }
    }

    /// A line counts with its newline: no part of "T read" is "T".
    @Test func aLineThatIsCutAnywhereIsNoLine() throws {
        let whole = "first name=acme scope=read\nthe-token read\nlast name=b\n"
        let full = try lines(whole).lines
        let bytes = Array(whole.utf8)
        for length in 0...bytes.count {
            let cut = try bytes[..<length].withUnsafeBytes { try TokenLines($0, salt: Self.salt) }
            #expect(cut.lines == Array(full.prefix(cut.lines.count)))
            #expect(cut.lines.count == bytes[..<length].count { $0 == 0x0A })
            #expect(cut.endsWithinLine == (length > 0 && bytes[length - 1] != 0x0A))
        }
    }
}
