import APICore
import Gateway
import SystemIO
import Testing
import WriterModel

/// Every owner has writers and keys of its own.
@Suite struct RegistryOwnerTests {
    private let registry = Registry()
    private let now = Timestamp(secondsSinceEpoch: 99, nanoseconds: 0)
    private let id = WriterID("x")!

    private func link(_ writer: WriterID) throws -> EncoderLink {
        let (first, second) = try DescriptorPair.messageSockets().split()
        _ = Descriptor(owning: second)
        return try EncoderLink(writer: writer, socket: MessageSocket(owning: first))
    }

    @Test func twoOwnersHaveTheSameIDApart() throws {
        for owner in ["acme", "beta", nil] {
            guard case .added = registry.add(try link(id.owned(by: owner)), createdAt: now, limit: 9) else {
                return #expect(Bool(false))
            }
        }
        registry.end(id.owned(by: "acme"), Registry.End(state: .closed, at: now, bytes: 0))
        guard case .ended? = registry[id.owned(by: "acme")], case .live? = registry[id.owned(by: "beta")], case .live? = registry[id]
        else { return #expect(Bool(false)) }
        #expect(Set(registry.named("x").map(\.owner)) == ["acme", "beta"])
        registry.remove(id.owned(by: "acme"))
        #expect(registry.named("x").map(\.owner) == ["beta"])
        #expect(registry[id.owned(by: "gamma")] == nil)
    }

    @Test func anOwnersLimitCountsItsOwnLiveWriters() throws {
        func add(_ name: String, _ owner: String?, _ limit: Int?) throws -> Registry.Admission {
            registry.add(try link(WriterID(name)!.owned(by: owner)), createdAt: now, limit: 100, ofOwner: limit)
        }
        for index in 0..<5 { _ = try add("b\(index)", "beta", nil) }
        for index in 0..<3 { guard case .added = try add("a\(index)", "acme", 3) else { return #expect(Bool(false)) } }
        guard case .ownerFull(3) = try add("a9", "acme", 3) else { return #expect(Bool(false)) }
        guard case .alreadyThere = try add("a1", "acme", 3) else { return #expect(Bool(false)) }
        // Of another token of the name, which has more.
        guard case .added = try add("a9", "acme", 4) else { return #expect(Bool(false)) }
        registry.end(WriterID("a0")!.owned(by: "acme"), Registry.End(state: .closed, at: now, bytes: 0))
        registry.end(WriterID("a0")!.owned(by: "acme"), Registry.End(state: .closed, at: now, bytes: 0))
        registry.remove(WriterID("a1")!.owned(by: "acme"))
        guard case .added = try add("a7", "acme", 3) else { return #expect(Bool(false)) }
        guard case .ownerFull = try add("a8", "acme", 3) else { return #expect(Bool(false)) }
        #expect(registry.liveCount == 8)
    }

    @Test func oneKeyIsEachOwnersOwn() {
        #expect(registry.claim(key: "k", for: id.owned(by: "acme")) == nil)
        #expect(registry.claim(key: "k", for: id.owned(by: "beta")) == nil)
        #expect(registry.claim(key: "k", for: WriterID("y")!.owned(by: "acme")) == id.owned(by: "acme"))
        registry.remove(id.owned(by: "acme"))
        #expect(registry.claim(key: "k", for: WriterID("y")!.owned(by: "acme")) == nil)
        #expect(registry.claim(key: "k", for: WriterID("z")!.owned(by: "beta")) == id.owned(by: "beta"))
    }

    @Test func pagesOfEveryOwnersWritersLeaveNoneOutAtOneMoment() throws {
        for owner in ["a", "b", "c", nil] { registry.restore(id.owned(by: owner), createdAt: now, .ended(.closed)) }
        var seen: [String] = []
        var cursor = ""
        while seen.count < 9 {
            let request = try head("GET", "/v1/writers?limit=1\(cursor)")
            let body = try WriterList.Page(WriterList(request.target), of: registry, where: { _ in true }) { ["key": .string($0.writer.key)] }
            var bytes: [UInt8] = []
            while let piece = body.next() { bytes += piece }
            let page = try JSONParser.parse(bytes).objectValue
            seen += page?["writers"]?.arrayValue?.compactMap { $0.objectValue?["key"]?.stringValue } ?? []
            guard let next = page?["next_cursor"]?.stringValue else { break }
            cursor = "&cursor=\(next)"
        }
        #expect(seen.sorted() == ["a.x", "b.x", "c.x", "x"])
    }

    @Test(arguments: ["", ".", ".x", "x.", "a.b.c", "a..b", "a/b", "\u{e9}.x", "a.x\u{301}", "..", String(repeating: "n", count: 65) + ".x"])
    func whatIsNoKeyIsNone(text: String) { #expect(WriterID(key: text) == nil) }

    @Test func aKeyIsReadAsItWasWritten() {
        for writer in [id, id.owned(by: "acme")] { #expect(WriterID(key: writer.key) == writer) }
        #expect(WriterID("acme.x") == nil)
        #expect(WriterID(key: "acme.x") != WriterID(key: "x"))
    }
}
