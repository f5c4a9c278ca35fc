import APICore
import Gateway
import SystemIO
import Testing
import WriterModel

/// Pages of several nodes, as the nodes themselves make them, put together.
@Suite struct WriterMergeTests {
    private struct Cluster {
        private let nodes: [(name: NodeName, registry: Registry)]

        init(_ names: [String]) { nodes = names.map { (NodeName($0)!, Registry()) } }

        func add(_ id: String, at second: Int, on node: Int) {
            nodes[node].registry.restore(WriterID(id)!, createdAt: Timestamp(secondsSinceEpoch: Int64(second), nanoseconds: 0), .ended(.closed))
        }

        /// What `GET /v1/writers` with this query lists, each as "id@node".
        func page(_ query: String, bytesOfEach: Int = 0) throws -> (writers: [String], cursor: String?) {
            let list = try WriterList(head("GET", "/v1/writers" + query).target, scope: .node)
            let pages = try nodes.map { node in
                let page = WriterList.Page(list, of: node.registry, at: node.name, where: { _ in true }) { item in
                    [
                        "id": .string(item.writer.text), "state": "closed", "created_at": .string(item.createdAt.description),
                        "metadata": .string(String(repeating: "x", count: bytesOfEach)),
                    ]
                }
                return try WriterPage(page.whole, of: list, for: .anyone)
            }
            let merge = WriterMerge(pages, limit: list.limit)
            let writers = try merge.texts.map { text in
                let writer = try JSONParser.parse(Array(text)).objectValue
                return "\(writer?["id"]?.stringValue ?? "")@\(writer?["node"]?.stringValue ?? "")"
            }
            return (writers, merge.nextCursor)
        }

        /// All pages of so many.
        func all(limit: Int, bytesOfEach: Int = 0) throws -> (writers: [String], pages: Int) {
            var (writers, cursor) = try page("?limit=\(limit)", bytesOfEach: bytesOfEach)
            var pages = 1
            while let next = cursor {
                let (more, following) = try page("?limit=\(limit)&cursor=\(next)", bytesOfEach: bytesOfEach)
                #expect(!more.isEmpty && more.count <= limit)
                writers += more
                cursor = following
                pages += 1
            }
            return (writers, pages)
        }
    }

    /// a0 is the oldest; the nodes have them by turns, but for the last three.
    private static let mixed: Cluster = {
        let cluster = Cluster(["n2", "n1", "n3"])
        for index in 0..<10 { cluster.add("a\(index)", at: index, on: index > 6 ? 2 : index % 3) }
        return cluster
    }()

    private static let newestFirst = ["a9@n3", "a8@n3", "a7@n3", "a6@n2", "a5@n3", "a4@n1", "a3@n2", "a2@n3", "a1@n1", "a0@n2"]

    @Test(arguments: [1, 2, 3, 4, 9, 10, 11])
    func pagesTogetherAreAllNodesWritersNewestFirst(limit: Int) throws {
        let (writers, pages) = try Self.mixed.all(limit: limit)
        #expect(writers == Self.newestFirst)
        #expect(pages == (10 + limit - 1) / limit)
    }

    /// A client-chosen id may have been made on two nodes, and in one millisecond.
    @Test(arguments: [1, 2, 3, 4, 5])
    func oneIDOnSeveralNodesIsListedOnceForEach(limit: Int) throws {
        let cluster = Cluster(["n1", "n10", "n2"])
        for node in 0..<3 { cluster.add("same", at: 5, on: node) }
        cluster.add("same-x", at: 5, on: 0)
        cluster.add("before", at: 4, on: 1)
        #expect(try cluster.all(limit: limit).writers == ["same-x@n1", "same@n2", "same@n10", "same@n1", "before@n10"])
    }

    /// A node ends its page at a mebibyte: what other nodes have behind that comes with the next page.
    @Test func aPageThatOneNodeCutEndsThere() throws {
        let cluster = Cluster(["n1", "n2"])
        for index in 0..<30 { cluster.add("a\(index)", at: index, on: index % 3 == 0 ? 1 : 0) }
        let (writers, pages) = try cluster.all(limit: 1_000, bytesOfEach: 200_000)
        #expect(writers.map { String($0.prefix { $0 != "@" }) } == (0..<30).reversed().map { "a\($0)" })
        #expect(pages > 1)
    }

    /// A day of segments is half a megabyte of names; a page with several such was more than another node takes.
    @Test(arguments: [("?scope=node", "n1", false), ("?scope=node", nil, true), ("", "n1", true)] as [(String, String?, Bool)])
    func longListsOfFilesAreLeftOutAmongSeveralNodes(query: String, node: String?, hasFiles: Bool) throws {
        let registry = Registry()
        registry.restore(WriterID("hls")!, createdAt: Timestamp(secondsSinceEpoch: 1, nanoseconds: 0), .ended(.closed))
        let files = JSONValue.array((0..<20_000).map { .string("show/segment\($0).ts") })
        let list = try WriterList(head("GET", "/v1/writers" + query).target)
        let page = WriterList.Page(list, of: registry, at: node.flatMap(NodeName.init), where: { _ in true }) { item in
            ["id": "hls", "created_at": .string(item.createdAt.description), "result": ["files": files, "bytes_written": 7]]
        }
        let writer = try JSONParser.parse(page.whole).objectValue?["writers"]?.arrayValue?.first?.objectValue
        #expect(writer?["result"]?.objectValue?["bytes_written"] == 7)
        #expect((writer?["result"]?.objectValue?["files"] != nil) == hasFiles)
    }

    @Test func aPageOfNothingIsTheEnd() throws {
        #expect(try Cluster(["n1", "n2"]).page("").writers == [])
        #expect(try Cluster(["n1", "n2"]).page("").cursor == nil)
    }

    private static func page(_ text: String, query: String = "", for caller: Principal = .anyone) throws -> WriterPage {
        try WriterPage(Array(text.utf8), of: WriterList(head("GET", "/v1/writers" + query).target), for: caller)
    }

    /// A writer as pages have it, made on the first of 2026.
    private static func writer(_ id: String, at time: String = "00:00:00.000", on node: String = "n1") -> String {
        #"{"id":"\#(id)","created_at":"2026-01-01T\#(time)Z","node":"\#(node)"}"#
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"writers":[]}"#, #"{"writers":[],"node":"-"}"#, #"{"writers":{},"node":"n1"}"#,
        // Pages that would go on for ever.
        #"{"writers":[],"node":"n1","next_cursor":"x"}"#,
        #"{"writers":[{"id":"a"}],"node":"n1"}"#, #"{"writers":[{"id":"a","created_at":"yesterday","node":"n1"}],"node":"n1"}"#,
        #"{"writers":[{"id":"a/b","created_at":"2026-01-01T00:00:00.000Z","node":"n1"}],"node":"n1"}"#,
        // Another node's.
        #"{"writers":[{"id":"a","created_at":"2026-01-01T00:00:00.000Z","node":"n2"}],"node":"n1"}"#,
        // In no order.
        #"{"writers":[{"id":"a","created_at":"2026-01-01T00:00:00.000Z","node":"n1"},{"id":"b","created_at":"2026-01-01T00:00:00.000Z","node":"n1"}],"node":"n1"}"#,
        // Not JSON.
        #"{"writers":[{"id":"a","created_at":"2026-01-01T00:00:00.000Z","node":"n1",}],"node":"n1"}"#,
    ])
    func whatIsNoPageIsRefused(text: String) {
        #expect(throws: WriterPage.Unusable.self) { try Self.page(text) }
    }

    /// A body of commas took a thousand times its bytes.
    @Test func aPageHasNoMoreThanWasAskedFor() throws {
        let two = #"{"node":"n1","writers":[\#(Self.writer("b")),\#(Self.writer("a"))]}"#
        #expect(try Self.page(two, query: "?limit=2").entries.count == 2)
        #expect(throws: WriterPage.Unusable.self) { try Self.page(two, query: "?limit=1") }
        let commas = String(repeating: ",", count: 1_000)
        #expect(throws: WriterPage.Unusable.self) { try Self.page(#"{"node":"n1","writers":[\#(commas)]}"#, query: "?limit=1000") }
        let members = (0..<100).map { #","m\#($0)":0"# }.joined()
        #expect(throws: WriterPage.Unusable.self) { try Self.page(#"{"node":"n1","writers":[]\#(members)}"#) }
        let values = String(repeating: "0,", count: 1_000)
        #expect(throws: WriterPage.Unusable.self) { try Self.page(#"{"node":[\#(values)0],"writers":[]}"#) }
    }

    /// A node that sent its first page again and again made a list without an end, and hid the others.
    @Test func aPageComesAfterItsCursor() throws {
        let body = #"{"node":"n1","writers":[\#(Self.writer("b")),\#(Self.writer("a"))],"next_cursor":"2026-01-01T00:00:00.000Z~a"}"#
        func entries(_ cursor: String) throws -> Int { try Self.page(body, query: "?cursor=" + cursor).entries.count }
        #expect(try entries("2026-01-01T00:00:00.001Z~a") == 2)
        #expect(try entries("2026-01-01T00:00:00.000Z~c") == 2)
        // b on a node with a greater name, which comes first.
        #expect(try entries("2026-01-01T00:00:00.000Z~b~n2") == 2)
        for cursor in ["2026-01-01T00:00:00.000Z~b", "2026-01-01T00:00:00.000Z~b~n1", "2026-01-01T00:00:00.000Z~a", "2025-12-31T00:00:00.000Z~z"] {
            #expect(throws: WriterPage.Unusable.self) { try entries(cursor) }
        }
    }

    @Test(arguments: ["5", "null", "[]", "\"\"", "\"z\"", "\"2026-01-01T00:00:00.002Z~a\"", "\"2026-01-01T00:00:00.001Z~a\""])
    func aPageThatDoesNotGoOnIsRefused(cursor: String) {
        let body = #"{"node":"n1","writers":[\#(Self.writer("a"))],"next_cursor":\#(cursor)}"#
        #expect(throws: WriterPage.Unusable.self) { try Self.page(body, query: "?cursor=2026-01-01T00:00:00.001Z~a") }
    }

    /// A tenant's own name is in no writer that it sees, and in every cursor.
    @Test func aCursorIsTheSameWhereverThePageWasMade() throws {
        let text = #"{"writers":[{"id":"a","created_at":"2026-01-01T00:00:00.000Z","node":"n1"}],"node":"n1"}"#
        let tenant = Principal(name: "acme", scopes: [.read], token: nil)
        #expect(try Self.page(text, for: tenant).entries[0].position.key == "acme.a")
        let named = #"{"writers":[{"id":"a","created_at":"2026-01-01T00:00:00.000Z","name":"acme","node":"n1"}],"node":"n1"}"#
        #expect(try Self.page(named).entries[0].position.key == "acme.a")
    }

    @Test func anotherNodeIsAskedForTheSame() throws {
        let split = try head("GET", "/v1/writers?cursor=2026-01-01T00:00:00.0%0D%0AZ~acme.a").target
        #expect(throws: Problem.self) { try WriterList(split) }
        let usable = try head("GET", "/v1/writers?state=open&limit=7&cursor=2026-01-01T00:00:00.000Z~acme.a~n1&name=acme").target
        #expect(
            try WriterList(usable).target(ofNode: "acme")
                == "/v1/writers?scope=node&limit=7&state=open&cursor=2026-01-01T00%3A00%3A00.000Z~acme.a~n1&name=acme")
    }
}
