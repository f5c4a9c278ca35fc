import Bytewise
import Testing

@Suite struct RelativePathTests {
    private func fault(_ bytes: some Sequence<UInt8>) -> RelativePath.Fault? {
        do throws(RelativePath.Fault) {
            _ = try RelativePath(bytes: bytes)
            return nil
        } catch {
            return error
        }
    }

    /// A mark combines with the character before it, for Swift; the kernel reads a "/" and a name.
    @Test(arguments: ["..", "../x", "a/..", "a/../b", "../\u{301}x", "a/../\u{338}/x", "..//x", "./../x", "../\u{200D}x"])
    func whatLeadsUpIsFoundByBytes(text: String) { #expect(fault(text.utf8) == .leadsUp) }

    @Test(arguments: ["/", "/x", "/\u{301}x", "//x"])
    func whatIsAbsoluteIsFoundByBytes(text: String) { #expect(fault(text.utf8) == .isAbsolute) }

    /// Two dots and a mark are a name like any other.
    @Test(arguments: ["..\u{301}", "..\u{301}/x", "...", ".. ", "\u{2024}\u{2024}/x", "a..b"])
    func namesThatOnlyLookSoAreNames(text: String) throws { #expect(try RelativePath(text).text == text) }

    @Test func whatTheKernelCouldNotBeGivenWholeIsRefused() {
        #expect(fault("a\0b".utf8) == .holdsNUL)
        #expect(fault([0x61, 0xC3]) == .isNotUTF8)
        // The overlong form of "/" and a surrogate.
        #expect(fault([0xC0, 0xAF]) == .isNotUTF8)
        #expect(fault([0xED, 0xA0, 0x80]) == .isNotUTF8)
    }

    /// Canonically equivalent (UAX #15), or the same but for case: other bytes, other names.
    @Test(arguments: [
        ("K0.ts", "\u{212A}0.ts"), ("é", "e\u{301}"), ("Å", "\u{212B}"), ("한", "\u{1112}\u{1161}\u{11AB}"), ("a;b", "a\u{37E}b"),
        ("a`b", "a\u{1FEF}b"), ("x.ts", "X.ts"), ("ß", "ss"),
    ])
    func namesOfOtherBytesAreOtherNames(one: String, other: String) throws {
        let (one, other) = (try RelativePath(one), try RelativePath(other))
        #expect(one != other)
        #expect(Set([one, other]).count == 2)
        #expect(one < other || other < one)
        #expect(other.relative(to: one) == nil)
    }

    @Test func emptyNamesAndDotsAreLeftOut() throws {
        #expect(try RelativePath("a//./b/") == RelativePath("a/b"))
        #expect(try RelativePath("").isItself)
        #expect(try RelativePath("./.").text == ".")
    }

    @Test func aPathIsTakenApartAndPutTogether() throws {
        let path = try RelativePath("a/b/c")
        #expect(path.parent.text == "a/b")
        #expect(path.name?.text == "c")
        #expect(try path.relative(to: RelativePath("a"))?.text == "b/c")
        #expect(try path.relative(to: RelativePath("a/bb")) == nil)
        #expect(try path.relative(to: RelativePath("b")) == nil)
        #expect(try RelativePath("a") + RelativePath("b/c") == path)
        #expect(path.relative(to: .itself) == path)
    }

    @Test(arguments: [(".penstock-x", true), (".PenStock-", true), (".penstock", false), ("x.penstock-y", false), (".pen\u{17F}toc\u{212A}-x", true), ("\u{2024}penstock-x", false)])
    func namesOfTheServersOwnAreKnown(name: String, isReserved: Bool) throws {
        #expect(try RelativePath(name).name?.isReserved == isReserved)
    }
}
