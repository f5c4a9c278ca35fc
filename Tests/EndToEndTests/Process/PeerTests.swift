import Foundation
import Testing

extension EndToEnd {
    /// Several nodes: lists of all their writers, and requests that reached another than they were for.
    @Suite struct PeerTests {
        private static let open: JSON = ["format": "wav", "streams": [Tenants.audio], "open": true]

        private struct Node: Sendable {
            let name: String
            let port: Int

            var place: String { "\(name)=http://127.0.0.1:\(port)" }
        }

        private static func list(_ server: PenstockServer, _ query: String = "", headers: [String] = []) async throws -> JSON {
            let response = try await server.curl("GET", "/v1/writers" + query, headers: headers)
            try #require(response.status == 200, "\(response.text)")
            return response.json
        }

        private static func ids(_ list: JSON) -> [String] { list["writers"].array.compactMap(\.["id"].string) }

        private static func peers(_ nodes: Node...) -> [String] { ["--peers", nodes.map(\.place).joined(separator: ",")] }

        /// For nodes that respond all.
        private static let patient = ["--peer-timeout", "30"]

        /// Runs n1, which knows n2 and n3.
        private static func withThree(_ options: [String] = [], _ body: ([PenstockServer]) async throws -> Void) async throws {
            try await withServer(["--node", "n2"] + options) { second in
                try await withServer(["--node", "n3"] + options) { third in
                    let peers = Self.peers(Node(name: "n2", port: second.port), Node(name: "n3", port: third.port)) + Self.patient
                    try await withServer(["--node", "n1"] + peers + options) { first in try await body([first, second, third]) }
                }
            }
        }

        @Test func aListHasTheWritersOfAllNodesInPages() async throws {
            try await Self.withThree { nodes in
                var made: [String] = []
                for index in 0..<7 {
                    let id = try await nodes[index % 3].createWriter(Self.open)
                    if index < 4 { try await nodes[index % 3].finalize(id) }
                    made.insert(id, at: 0)
                }
                let all = try await Self.list(nodes[0])
                #expect(Self.ids(all) == made)
                #expect(all["writers"].array.allSatisfy { $0["id"].string?.hasPrefix(($0["node"].string ?? "?") + "-w_") == true })
                #expect(all["partial"] == .null && all["next_cursor"] == .null && all["node"] == .null)
                var (paged, cursor) = ([String](), String?.some(""))
                while let last = cursor {
                    let page = try await Self.list(nodes[0], "?limit=2" + (last.isEmpty ? "" : "&cursor=\(last)"))
                    paged += Self.ids(page)
                    cursor = page["next_cursor"].string
                }
                #expect(paged == made)
                #expect(Self.ids(try await Self.list(nodes[0], "?state=closed")) == Array(made.suffix(4)))
                let own = try await Self.list(nodes[0], "?scope=node")
                #expect(own["node"] == "n1" && Self.ids(own) == made.filter { $0.hasPrefix("n1-") })
                // n2 knows of no others.
                #expect(Self.ids(try await Self.list(nodes[1])) == made.filter { $0.hasPrefix("n2-") })
                let metrics = try Exposition(try await nodes[0].curl("GET", "/metrics").text)
                #expect(metrics["penstock_peer_requests_total", ["result": "ok"]] == 12)
            }
        }

        @Test func nodesWithoutAListAreNamedInTime() async throws {
            let (silent, elsewhere) = (try TrapPort(.tcp), try TrapPort(.tcp))
            let closed = try LoopbackPort.free().number
            let moved = try await ScriptedNode("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(elsewhere.port)/v1/writers\r\nContent-Length: 0\r\n\r\n")
            let wrong = try await ScriptedNode("HTTP/1.1 200 OK\r\n\r\n{\"writers\":[],\"node\":\"n9\"}")
            let endless = try await ScriptedNode("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "{", count: 3 << 20))
            let peers = Self.peers(
                Node(name: "closed", port: closed), Node(name: "endless", port: endless.port), Node(name: "moved", port: moved.port),
                Node(name: "silent", port: silent.port), Node(name: "wrong", port: wrong.port))
            try await withServer(["--node", "n1", "--peer-timeout", "4"] + peers) { server in
                let id = try await server.createWriter(Self.open)
                let began = ContinuousClock.now
                let list = try await Self.list(server, headers: ["Authorization: Bearer a-secret", "X-Request-Id: of-the-list"])
                // Ten seconds after the timeout nothing is waited for in any case.
                #expect(ContinuousClock.now - began < .seconds(13))
                #expect(Self.ids(list) == [id])
                let reasons = list["partial"].array.map { "\($0["node"].string ?? ""): \($0["reason"].string ?? "")" }
                #expect(reasons == ["closed: unreachable", "endless: unusable", "moved: refused", "silent: timeout", "wrong: unusable"])
                #expect(elsewhere.visits() == 0)
                let sent = try await moved.request()
                #expect(sent.contains("GET /v1/writers?scope=node&limit=100 HTTP/1.1\r\n"))
                #expect(sent.contains("Authorization: Bearer a-secret\r\n") && sent.contains("X-Request-Id: of-the-list\r\n"))
                // One node alone asks no other.
                _ = try await Self.list(server, "?scope=node")
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                let counts = ["ok", "timeout", "unreachable", "refused", "unusable", "busy"].map { metrics["penstock_peer_requests_total", ["result": $0]] }
                #expect(counts == [0, 1, 1, 1, 2, 0])
            }
        }

        @Test func aTenantSeesItsOwnOnEveryNode() async throws {
            let folder = try TemporaryFolder()
            try Data("acme-token name=acme\nother-token name=other\nboss-token scope=admin\n".utf8).write(to: URL(fileURLWithPath: folder / "tokens"))
            try await Self.withThree(["--token-file", folder / "tokens"]) { nodes in
                for (index, token) in ["acme-token", "acme-token", "other-token"].enumerated() {
                    let made = try await nodes[index].curl("PUT", "/v1/writers/a\(index)", headers: Tenants.field(token), body: .json(Self.open))
                    try #require(made.status == 201, "\(made.text)")
                }
                #expect(Self.ids(try await Self.list(nodes[0], headers: Tenants.field("acme-token"))) == ["a1", "a0"])
                #expect(Self.ids(try await Self.list(nodes[0], "?limit=1", headers: Tenants.field("acme-token"))) == ["a1"])
                #expect(Self.ids(try await Self.list(nodes[0], headers: Tenants.field("other-token"))) == ["a2"])
                let all = try await Self.list(nodes[0], headers: Tenants.field("boss-token"))
                #expect(all["writers"].array.map { "\($0["name"].string ?? "") \($0["id"].string ?? "")" } == ["other a2", "acme a1", "acme a0"])
                #expect(Self.ids(try await Self.list(nodes[0], "?name=acme", headers: Tenants.field("boss-token"))) == ["a1", "a0"])
                #expect(try await nodes[0].curl("GET", "/v1/writers", headers: Tenants.field("no-token")).status == 401)
                #expect(try await nodes[0].curl("GET", "/v1/writers?name=other", headers: Tenants.field("acme-token")).status == 403)
            }
        }

        @Test func aRequestForAnotherNodesWriterIsMisdirected() async throws {
            let far = "n2-w_0123456789abcdefghijklmn"
            let peers = Self.peers(Node(name: "n1", port: 1), Node(name: "n2", port: 2))
            try await withServer(["--node", "n1"] + peers) { server in
                for (method, path) in [("GET", ""), ("DELETE", ""), ("PUT", ""), ("POST", "/finalize"), ("HEAD", "/streams/0/chunks"), ("GET", "/output")] {
                    let response = try await server.curl(method, "/v1/writers/\(far)\(path)")
                    #expect(response.status == 421, "\(method) \(path)")
                    if method != "HEAD" { #expect(response.problem == "wrong-node" && response.json["node"] == "n2", "\(response.text)") }
                }
                // Of this node, of one that is not known, of a client's.
                for id in ["n1-w_0123456789abcdefghijklmn", "n3-w_0123456789abcdefghijklmn", "n2-talk"] {
                    #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404, "\(id)")
                }
                #expect(try await server.curl("PUT", "/v1/writers/n2-talk", body: .json(Self.open)).status == 201)
            }
        }

        @Test func aMisdirectedBodyIsNotAskedFor() async throws {
            let far = "/v1/writers/n2-w_0123456789abcdefghijklmn/streams/0/chunks"
            try await withServer(["--node", "n1"] + Self.peers(Node(name: "n2", port: 2))) { server in
                let waiting = try RawConnection(port: server.port)
                try await waiting.send("POST \(far) HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\nExpect: 100-continue\r\n\r\n")
                // The first response is the last: no 100 came before it.
                #expect(try await waiting.readToEnd().hasPrefix("HTTP/1.1 421 Misdirected Request\r\n"))
                let kept = try RawConnection(port: server.port)
                #expect(try await kept.request("POST", far, body: Data(count: 1_000)).status == 421)
                #expect(try await kept.request("GET", "/v1/writers").status == 200)
            }
        }

        /// 127.0.0.1 is a name that has one address.
        @Test func aNodeThatANameLeadsToSaysHowItIsCalled() async throws {
            try await withServer(["--node", "n2"]) { second in
                let id = try await second.createWriter(Self.open)
                try await withServer(["--node", "n1", "--peers", "dns:127.0.0.1:\(second.port)"] + Self.patient) { first in
                    try await eventually("n2 is known") { try await first.curl("GET", "/v1/writers/\(id)").status == 421 }
                    #expect(Self.ids(try await Self.list(first)) == [id])
                    second.process.signal(SIGUSR1)
                    try await eventually("n2 is drained") { try await second.curl("GET", "/readyz").json["live_writers"] == 1 }
                    #expect(try await second.curl("GET", "/readyz").json["node"] == "n2")
                    #expect(Self.ids(try await Self.list(first)) == [id])
                }
            }
        }

        /// The list said that it was whole, and the log nothing.
        @Test func aNameWithoutAnAddressIsInTheListAndInTheLog() async throws {
            try await withServer(["--node", "n1", "--peers", "dns:nodes.invalid:8080"]) { server in
                let id = try await server.createWriter(Self.open)
                let list = try await Self.list(server)
                #expect(Self.ids(list) == [id])
                let missing = list["partial"].array
                #expect(missing.count == 1 && missing.first?["place"] == "nodes.invalid:8080" && missing.first?["node"] == .null, "\(list)")
                #expect(missing.first?["reason"] == "unresolved", "\(list)")
                let line = await server.log.line(containing: "a name of other nodes has no address", within: 40)
                #expect(line?.contains("WARNING") == true && line?.contains("nodes.invalid:8080") == true)
            }
        }

        @Test func aNodeThatIsMissingAndBackIsInTheLogOnceEach() async throws {
            let folder = try TemporaryFolder()
            let port = try LoopbackPort.free().number
            let refusing = try await ScriptedNode("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            let peers = Self.peers(Node(name: "n2", port: port), Node(name: "n3", port: refusing.port))
            try await withServer(["--node", "n1"] + peers + Self.patient) { first in
                for _ in 0..<3 { _ = try await Self.list(first) }
                let dead = await first.log.line(containing: "node=n2", within: 20)
                #expect(dead?.contains("WARNING") == true && dead?.contains("reason=unreachable") == true, "\(first.log.text)")
                let refused = await first.log.line(containing: "node=n3", within: 20)
                #expect(refused?.contains("WARNING") == true && refused?.contains("status=401") == true, "\(first.log.text)")
                try await withServer(["--node", "n2", "--port", "\(port)"], in: folder) { _ in
                    for _ in 0..<3 { _ = try await Self.list(first) }
                    #expect(await first.log.line(containing: "another node is in lists again", within: 20)?.contains("INFO") == true)
                }
                #expect(first.log.text.components(separatedBy: "node=n2").count == 3, "\(first.log.text)")
                #expect(first.log.text.components(separatedBy: "node=n3").count == 2, "\(first.log.text)")
            }
        }

        @Test(arguments: [
            (["--peers", "n2=http://a:1"], "peers needs node"), (["--node", "n1", "--peers", "n2=https://a:1"], "nodes speak plain HTTP"),
            (["--node", "n1", "--peers", "a:1"], "--peers has a:1 and must be dns:NAME:PORT"),
        ])
        func placesThatAreNoneAreRefused(arguments: [String], reason: String) async throws {
            let found = try await Tool.run(Repository.programs + "/penstock", ["serve", "--port", "0"] + arguments)
            #expect(found.end != .exited(0) && found.errors.contains(reason), "\(found.errors)")
        }
    }
}

/// A node that gives every request the same response.
private final class ScriptedNode: Sendable {
    let port: Int
    private let peer: Peer
    private let folder: TemporaryFolder

    init(_ response: String) async throws {
        folder = try TemporaryFolder()
        try Data(response.utf8).write(to: URL(fileURLWithPath: folder / "response"))
        let peer = try Peer("python3", [Repository.root + "/Tests/Tools/scripted-node.py", folder / "response"])
        self.peer = peer
        try await eventually("a scripted node") { peer.output.hasSuffix("\n") }
        guard let port = Int(peer.output.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw HarnessError(peer.errors) }
        self.port = port
    }

    /// What it was sent.
    func request() async throws -> String {
        try await eventually("a request") { self.peer.output.contains("\r\n\r\n") }
        return peer.output
    }
}
