import APICore
import Testing

@Suite struct TextTableTests {
    private static func table(_ rows: [[String]], wraps: Bool = false, width: Int = 40) -> [String] {
        var table = TextTable(["ID", "STATE", "DST"], wrapsLast: wraps)
        for row in rows { table.add(row) }
        return table.lines(width: width)
    }

    @Test func columnsBeginUnderTheirHeadings() {
        #expect(
            Self.table([["a", "open", "x.mp4"], ["long-id", "", "y"]]) == [
                "ID       STATE  DST", "a        open   x.mp4", "long-id         y",
            ])
    }

    @Test func columnWithNothingInItIsLeftOut() {
        #expect(Self.table([["a", "", "x"]]) == ["ID  DST", "a   x"])
    }

    @Test func lastColumnIsCutOrGoesOnBelow() {
        let long = "one two three four five six seven eight"
        #expect(Self.table([["a", "b", long]], width: 28) == ["ID  STATE  DST", "a   b      one two three fo…"])
        #expect(Self.table([["a", "b", long]], wraps: true, width: 28) == [
            "ID  STATE  DST", "a   b      one two three", "           four five six", "           seven eight",
        ])
        #expect(Self.table([["a", "b", String(repeating: "x", count: 40)]], wraps: true, width: 28).dropFirst().map(\.count) == [28, 28, 17])
    }

    /// Each of these takes two columns of a terminal, or none.
    @Test func widthIsThatOfTheTerminal() {
        #expect(TerminalText.width("日本") == 4 && TerminalText.width("e\u{301}") == 1 && TerminalText.width("\u{1F3AC}") == 2)
        #expect(Self.table([["日本", "x", "1"], ["abcd", "x", "2"]]) == ["ID    STATE  DST", "日本  x      1", "abcd  x      2"])
        #expect(TerminalText.cut("日本語", to: 4) == "日…" && TerminalText.cut("日本", to: 4) == "日本")
    }

    @Test(arguments: [
        ("\u{1B}[2J\u{1B}]0;owned\u{7}", #"\x1b[2J\x1b]0;owned\x07"#), ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{9B}31m\u{7F}", #"\x9b31m\x7f"#),
        ("a\u{202E}b\u{2066}c\u{200F}", #"a\u202eb\u2066c\u200f"#), ("a\u{2028}b\u{FEFF}", #"a\u2028b\ufeff"#), ("\u{E0041}", #"\U000e0041"#),
        ("a\u{A0}b", "a b"), ("é日", "é日"),
    ])
    func whatATerminalWouldActOnIsEscaped(text: String, shown: String) {
        #expect(TerminalText.harmless(text) == shown)
    }

    @Test func marksDoNotPileUp() {
        let piled = "a" + String(repeating: "\u{301}", count: 100)
        #expect(TerminalText.harmless(piled).unicodeScalars.count { $0 == "\u{301}" } == 4)
    }

    /// Of all characters there are.
    @Test func noScalarOfUnicodeComesOutAsAControl() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for shown in TerminalText.harmless(String(Character(scalar))).unicodeScalars {
                let isHarmful = shown.value < 0x20 || (0x7F...0x9F).contains(shown.value) || shown.properties.isBidiControl || shown.properties.isDefaultIgnorableCodePoint && shown.properties.generalCategory == .format
                if isHarmful { Issue.record("U+\(String(value, radix: 16))") }
            }
        }
    }
}
