import Bytewise
import Testing

@Suite struct ByteTextTests {
    @Test func equalIsWhatHasTheSameBytes() {
        #expect("K" == "\u{212A}", "what Swift says")
        #expect(!"K".isSame(as: "\u{212A}"))
        #expect(!"é".isSame(as: "e\u{301}"))
        #expect("e\u{301}".isSame(as: "e\u{301}"))
        #expect(ByteKey("K") != ByteKey("\u{212A}"))
        #expect(Set<ByteKey>(["K", "\u{212A}", "k", "K"]).count == 3)
        #expect(ByteKey("a") < ByteKey("b"))
    }

    @Test func marksDoNotHideWhatTheyFollow() {
        #expect("/\u{301}x".begins(with: "/"))
        #expect("http:/\u{301}/x".begins(with: "http:/"))
        #expect("x.tmp\u{301}".holds(".tmp"))
        #expect(!"x.tmp\u{301}".ends(with: ".tmp"))
        #expect("a/\u{301}b".parts(at: "/") == ["a", "\u{301}b"])
        #expect("a?\u{338}b".cut(at: "?")?.after == "\u{338}b")
        #expect("a=\u{338}b".holds("="))
        #expect("a=\u{338}b".until("=") == "a")
    }

    @Test func whatIsLongIsShortenedBetweenCharacters() {
        #expect("abcdef".shortened(to: 6) == "abcdef" && "abcdefg".shortened(to: 6) == "abcdef…")
        // Two bytes each.
        #expect("éé".shortened(to: 3) == "é…")
        #expect("abcdefgh".shortenedWithin(to: 8) == "abcdefgh" && "abcdefghi".shortenedWithin(to: 8) == "abcd…fghi")
        #expect("ééééé".shortenedWithin(to: 6) == "é…é")
    }

    @Test func carriageReturnAndLineFeedAreTwoBytes() {
        #expect("a\r\nb".holds("\n"))
        #expect("a\r\nb".words(at: ["\r", "\n"]) == ["a", "b"])
        #expect("a\r\nb".parts(at: "\n") == ["a\r", "b"])
    }

    @Test func partsAreCutAsAsked() {
        #expect("a//b/".parts(at: "/") == ["a", "", "b", ""])
        #expect("a//b/".parts(at: "/", omittingEmpty: true) == ["a", "b"])
        #expect("a:b:c".parts(at: ":", most: 2) == ["a", "b:c"])
        #expect("".parts(at: "/") == [""])
        #expect("a@b@c".cutAtLast("@")?.before == "a@b")
        #expect("abc".cut(at: "x") == nil)
        #expect("abcabd".holds("abd"))
        #expect(!"aab".holds("abb"))
        #expect("abc".without(prefix: "ab") == "c")
        #expect("abc".without(prefix: "b") == nil)
    }

    @Test func onlyASCIIIsMadeSmall() {
        #expect("\u{212A}".lowercased() == "k", "what Swift says")
        #expect("A\u{212A}Z".lowercasedASCII.isSame(as: "a\u{212A}z"))
        #expect("\u{130}".lowercasedASCII.isSame(as: "\u{130}"))
    }
}
