import APICore
import Gateway
import Synchronization
import SystemIO
import Testing
import WriterModel

@Suite struct WriterListTests {
    private let registry = Registry()

    /// w00 is the oldest; w03 and w04 are of the same moment; every third has failed.
    init() {
        for index in 0..<10 {
            let name = "w0\(index)"
            let moment = Timestamp(secondsSinceEpoch: Int64(index == 4 ? 3 : index), nanoseconds: 0)
            registry.restore(WriterID(name)!, createdAt: moment, .ended(index % 3 == 0 ? .failed : .closed))
        }
    }

    private func page(_ query: String) throws -> (ids: [String], cursor: String?) {
        let request = try head("GET", "/v1/writers" + query)
        _ = try Route.match(request)
        let list = try WriterList(request.target)
        let body = WriterList.Page(list, of: registry, where: { _ in true }) { item in
            guard case .ended(let state) = item.entry else { return nil }
            return ["id": .string(item.writer.text), "state": .string(state.rawValue)]
        }
        var bytes: [UInt8] = []
        while let piece = body.next() { bytes += piece }
        let page = try JSONParser.parse(bytes).objectValue
        let ids = page?["writers"]?.arrayValue?.compactMap { $0.objectValue?["id"]?.stringValue } ?? []
        return (ids, page?["next_cursor"]?.stringValue)
    }

    @Test func newestIsFirst() throws {
        let (ids, cursor) = try page("")
        #expect(ids == ["w09", "w08", "w07", "w06", "w05", "w04", "w03", "w02", "w01", "w00"])
        #expect(cursor == nil)
    }

    @Test(arguments: [1, 2, 3, 7, 9, 10, 11])
    func pagesTogetherAreTheWhole(limit: Int) throws {
        var (ids, cursor) = try page("?limit=\(limit)")
        #expect(ids.count == min(limit, 10))
        while let next = cursor {
            let (more, following) = try page("?limit=\(limit)&cursor=\(next)")
            #expect(!more.isEmpty)
            ids += more
            cursor = following
        }
        #expect(ids == (try page("").ids))
    }

    @Test func aStateIsPickedBeforePagesAreCut() throws {
        let (ids, cursor) = try page("?state=failed&limit=3")
        #expect(ids == ["w09", "w06", "w03"])
        #expect(try page("?state=failed&limit=3&cursor=\(cursor ?? "")").ids == ["w00"])
        #expect(try page("?state=open").ids.isEmpty)
    }

    @Test(arguments: [
        "?limit=0", "?limit=1001", "?limit=x", "?limit=%2B5", "?limit=", "?state=done", "?state=", "?cursor=x",
        "?limit=5&limit=6", "?scope=all", "?cursor=2026-01-01T00:00:00.000Z~a~-", "?state=open&state=failed",
    ])
    func aParameterThatCanNotBeUsedIsNamed(query: String) {
        let found = problem { _ = try page(query) }
        #expect(found?.code == .invalidParameter)
        #expect(found?.parameter == String(query.dropFirst().prefix { $0 != "=" }))
    }

    @Test func anUnknownParameterIsNotIgnored() {
        let found = problem { _ = try page("?sort=name") }
        #expect(found?.code == .unknownParameter)
        #expect(found?.supported == ["cursor", "format", "limit", "name", "scope", "state"])
    }

    @Test func liveWritersAreBoundedAndEndedOnesDoNotCount() throws {
        func link(_ name: String) throws -> EncoderLink {
            let (first, second) = try DescriptorPair.messageSockets().split()
            _ = Descriptor(owning: second)
            return try EncoderLink(writer: WriterID(name)!, socket: MessageSocket(owning: first))
        }
        let now = Timestamp(secondsSinceEpoch: 99, nanoseconds: 0)
        guard case .added = registry.add(try link("a"), createdAt: now, limit: 1) else { return #expect(Bool(false)) }
        guard case .full = registry.add(try link("b"), createdAt: now, limit: 1) else { return #expect(Bool(false)) }
        guard case .alreadyThere = registry.add(try link("a"), createdAt: now, limit: 9) else { return #expect(Bool(false)) }
        registry.end(WriterID("a")!, Registry.End(state: .closed, at: now, bytes: 0))
        registry.end(WriterID("a")!, Registry.End(state: .closed, at: now, bytes: 0))
        guard case .added = registry.add(try link("b"), createdAt: now, limit: 1) else { return #expect(Bool(false)) }
        registry.remove(WriterID("b")!)
        registry.remove(WriterID("b")!)
        #expect(registry.liveCount == 0)
    }

    /// Each of twelve lists that no client read was whole in memory.
    @Test func aListIsMadeAsItIsTaken() throws {
        let read = Mutex(0)
        for index in 0..<5_000 {
            let moment = Timestamp(secondsSinceEpoch: Int64((index * 7_919) % 5_000), nanoseconds: 0)
            registry.restore(WriterID("many\(index)")!, createdAt: moment, .ended(.closed))
        }
        let long = JSONValue.string(String(repeating: "x", count: 10_000))
        let body = try WriterList.Page(
            WriterList(try head("GET", "/v1/writers?limit=1000").target), of: registry, where: { _ in true }
        ) { item in
            read.withLock { $0 += 1 }
            return ["id": .string(item.writer.text), "metadata": long]
        }
        var bytes = try #require(body.next())
        #expect(read.withLock { $0 } == 4)
        #expect(bytes.count < 64 * 1_024)
        while let piece = body.next() {
            #expect(piece.count < 64 * 1_024)
            bytes += piece
        }
        #expect(try JSONParser.parse(bytes).objectValue?["writers"]?.arrayValue?.count == 1_000)
    }
}
