import Testing
import YAML

/// Expectations are those of the YAML 1.2 specification.
@Suite struct YAMLTests {
    /// A value as JSON would write it, with null bare.
    private static func shown(_ node: YAMLNode?) -> String {
        switch node?.content {
        case nil: "-"
        case .null: "null"
        case .scalar(let text): "'\(text)'"
        case .sequence(let items): "[" + items.map { shown($0) }.joined(separator: ", ") + "]"
        case .mapping(let members): "{" + members.map { shown($0.key) + ": " + shown($0.value) }.joined(separator: ", ") + "}"
        }
    }

    @Test(arguments: [
        ("", "-"), ("# only\n", "-"), ("---\n", "null"), ("a", "'a'"), ("a: 1", "{'a': '1'}"), ("a: # nothing\nb: ~", "{'a': null, 'b': null}"),
        ("a: 'it''s'\nb: \"x\\ty #\"", "{'a': 'it's', 'b': 'x\ty #'}"), ("a: [1, \"\", {b: c}]", "{'a': ['1', '', {'b': 'c'}]}"),
        ("a:\n- x # one\n- y#two\n", "{'a': ['x', 'y#two']}"), ("a: b c\n  d", "{'a': 'b c d'}"), ("a: |\n  b\n  c\n", "{'a': 'b\nc\n'}"),
        ("a: 1\na: 2", "{'a': '1', 'a': '2'}"), ("\u{FEFF}a: 1\r\nb: 2\r\n", "{'a': '1', 'b': '2'}"), ("k: rtmp://*.example.com/*", "{'k': 'rtmp://*.example.com/*'}"),
        ("a: \"null\"", "{'a': 'null'}"), ("a: \u{E9}\u{1F3AC}", "{'a': '\u{E9}\u{1F3AC}'}"),
    ])
    func valuesAreRead(text: String, as expected: String) throws {
        #expect(Self.shown(try YAMLReader.read(Array(text.utf8))) == expected)
    }

    @Test func everyValueHasItsPlace() throws {
        guard case .mapping(let members)? = try YAMLReader.read(Array("# c\na: 1\nbé:   [x, 2]\n".utf8))?.content else {
            Issue.record("no mapping")
            return
        }
        #expect(members.map(\.key.mark) == [YAMLMark(line: 2, column: 1), YAMLMark(line: 3, column: 1)])
        #expect(members.map(\.value.mark) == [YAMLMark(line: 2, column: 4), YAMLMark(line: 3, column: 7)])
        guard case .sequence(let items) = members[1].value.content else {
            Issue.record("no list")
            return
        }
        #expect(items.map(\.mark) == [YAMLMark(line: 3, column: 8), YAMLMark(line: 3, column: 11)])
    }

    @Test(arguments: [
        ("a: 1\n\tb: 2", 2, 1), ("a: [1, 2\nb: 3", 2, 2), ("a: \"x", 1, 6), ("a: b: c", 1, 5), ("a: 1\n b: 2", 2, 3),
        ("a: &x 1\nb: *x", 1, 4), ("b: *x", 1, 4), ("a: !!int 1", 1, 4), ("a: \"x\\0y\"", 1, 4), ("- \"\\u0000\"", 1, 3), ("\"a\\x00\": b", 1, 1), ("a: 1\n---\nb: 2", 2, 1), ("%a", 1, 3), ("a: @x", 1, 4),
    ])
    func whatIsNotTakenIsRefusedWithItsPlace(text: String, line: Int, column: Int) throws {
        let error = #expect(throws: YAMLFlaw.self) { try YAMLReader.read(Array(text.utf8)) }
        #expect(error?.mark.line == line, "\(error?.reason ?? "")")
        #expect(error?.mark.column == column, "\(error?.reason ?? "")")
    }

    @Test func deepNestingAndBytesThatAreNoTextAreRefused() {
        #expect(throws: YAMLFlaw.self) { try YAMLReader.read(Array(String(repeating: "[", count: 100_000).utf8)) }
        #expect(throws: YAMLFlaw.self) { try YAMLReader.read(Array("a: ".utf8) + [0xFF, 0xFE]) }
        #expect(throws: YAMLFlaw.self) { try YAMLReader.read(Array("a: ".utf8) + [0x00]) }
    }

    @Test(arguments: [
        "plain", "", " a # b ", "#", "\"x\"y #z", "null", "~", "yes", "a: b", "a:", "::1", "[::1]:80", "- x", "*", "&a", "!t", "%", "@x", "`", "'", "\\",
        "line\nbreak", "tab\there", "\u{1}\u{7F}\u{85}\u{2028}\u{FEFF}", "\u{E9}\u{1F3AC}", "rtmp://*.h/*", "0x10", "1e3", "a,b", "{", "]", "?", "? a", "-", "---", "...", "é",
    ])
    func textThatIsWrittenIsReadBack(_ text: String) throws {
        guard case .mapping(let members)? = try YAMLReader.read(Array("a: \(YAMLText.scalar(text))  # c\n".utf8))?.content else {
            Issue.record("no mapping")
            return
        }
        guard case .scalar(let read) = members[0].value.content else {
            Issue.record("no scalar: \(YAMLText.scalar(text))")
            return
        }
        #expect(Array(read.utf8) == Array(text.utf8))
    }
}
