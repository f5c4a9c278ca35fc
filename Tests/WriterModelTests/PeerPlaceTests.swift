import Testing
import WriterModel

@Suite struct PeerPlaceTests {
    private static func shown(_ place: PeerPlace) -> String {
        switch place {
        case .node(let name, let host): "\(name) at \(host)"
        case .name(let host): "all of \(host)"
        }
    }

    @Test(arguments: [
        ("dns:penstock-headless:8080", ["all of penstock-headless:8080"]),
        ("n1=http://10.0.0.11:8080,n2=http://node-2.example.com/", ["n1 at 10.0.0.11:8080", "n2 at node-2.example.com:80"]),
        ("n1=http://[::1]:8080,dns:[fd00::1]:81", ["n1 at [::1]:8080", "all of [fd00::1]:81"]),
    ])
    func placesAreNamesAndHosts(text: String, places: [String]) throws {
        #expect(try PeerPlace.list(text).map(Self.shown) == places)
    }

    @Test(arguments: [
        "", "n1", "n1=", "n1=10.0.0.1:8080", "n1=http://", "n1=http://a:0", "n1=http://a:+80", "n1=http://a:65536", "n1=http://a:8080/v1", "n1=http://user@a:8080",
        "n1=http://a b:80", "n1=http://a:80,", "-n=http://a:80", "dns:a", "dns::80", "dns:a:b:80", "dns:[a]:80", "n1=http://a:80,n1=http://b:80",
    ])
    func whatIsNoPlaceIsRefused(text: String) {
        #expect(throws: PeerPlace.Flaw.self) { try PeerPlace.list(text) }
    }

    @Test(arguments: ["n2=http://u:s3cret@h:1", "n1=https://s3cret@h", "n2=http://u:s3cret,x@h:1", "dns:s3cret@h:1"])
    func aPasswordIsNotRepeated(text: String) {
        let flaw = #expect(throws: PeerPlace.Flaw.self) { try PeerPlace.list(text) }
        #expect(flaw?.reason.contains("s3cret") == false && flaw?.reason.contains("password") == true, "\(flaw?.reason ?? "")")
    }

    @Test func httpsIsRefusedByName() {
        let flaw = #expect(throws: PeerPlace.Flaw.self) { try PeerPlace.list("n1=https://a:80") }
        #expect(flaw?.reason.contains("plain HTTP") == true)
    }

    @Test func thereAreNoMoreThanListsCanAsk() throws {
        func text(_ count: Int) -> String { (0..<count).map { "n\($0)=http://h\($0):80" }.joined(separator: ",") }
        #expect(try PeerPlace.list(text(32)).count == 32)
        #expect(throws: PeerPlace.Flaw.self) { try PeerPlace.list("dns:a:1", after: try PeerPlace.list(text(32))) }
        #expect(throws: PeerPlace.Flaw.self) { try PeerPlace.list(text(33)) }
    }

    @Test(arguments: [
        ("n1-w_0123456789abcdefghijklmn", "n1"), ("penstock-0-w_zzzzzzzzzzzzzzzzzzzzzzzz", "penstock-0"),
        ("w_0123456789abcdefghijklmn", nil), ("n1-w_0123456789abcdefghijklm", nil), ("n1-w_0123456789ABCDEFGHIJKLMN", nil),
        ("n1-x_0123456789abcdefghijklmn", nil), ("_n-w_0123456789abcdefghijklmn", nil), ("talk-7", nil),
    ] as [(String, String?)])
    func anIDNamesTheNodeThatMadeIt(id: String, node: String?) throws {
        #expect(try #require(WriterID(id)).node?.text == node)
    }

    @Test func anIDThatANodeMakesNamesIt() throws {
        let node = try #require(NodeName("penstock-0"))
        #expect(WriterID.random(of: node).node == node)
    }
}

@Suite struct JSONOutlineTests {
    private static func text(_ slice: ArraySlice<UInt8>) -> String { String(decoding: slice, as: UTF8.self) }

    @Test func partsAreFoundWhateverIsInThem() throws {
        let text = Array(#" { "writers" : [ {"a":"},]\"["} , [1,[2]], "," ,3 ] , "n\u0065xt":"x:y" } "#.utf8)
        let members = try #require(JSONOutline.members(of: text[...], most: 4))
        #expect(members.map(\.name) == ["writers", "next"])
        #expect(Self.text(members[1].value) == #""x:y""#)
        let elements = try #require(JSONOutline.elements(of: members[0].value, most: 4))
        #expect(elements.map(Self.text) == [#"{"a":"},]\"["}"#, "[1,[2]]", #"",""#, "3"])
    }

    @Test(arguments: ["{}", " [ ] "])
    func whatIsEmptyHasNoParts(text: String) {
        let bytes = Array(text.utf8)
        #expect(JSONOutline.members(of: bytes[...], most: 4)?.count ?? JSONOutline.elements(of: bytes[...], most: 4)?.count == 0)
    }

    @Test(arguments: ["", "[", "{", "{\"a\"}", "{a:1}", "{1:2}", "x", "[1}", "[,]", "[1,]", "[,1]", "[1, ,2]", "{,}", "{[1,1]:2}"])
    func whatHasNoSuchPartsIsTold(text: String) {
        let bytes = Array(text.utf8)
        #expect(JSONOutline.members(of: bytes[...], most: 4) == nil)
        #expect(JSONOutline.elements(of: bytes[...], most: 4) == nil)
    }

    /// A megabyte of commas took gigabytes.
    @Test func partsBeyondTheMostAreNotTaken() {
        let array = Array("[1,2,3,4]".utf8)
        #expect(JSONOutline.elements(of: array[...], most: 4)?.count == 4)
        #expect(JSONOutline.elements(of: array[...], most: 3) == nil)
        let object = Array(#"{"a":1,"b":2}"#.utf8)
        #expect(JSONOutline.members(of: object[...], most: 2)?.count == 2)
        #expect(JSONOutline.members(of: object[...], most: 1) == nil)
    }
}
