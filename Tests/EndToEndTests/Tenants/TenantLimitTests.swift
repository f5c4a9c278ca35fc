import Foundation
import Testing

extension EndToEnd {
    /// What a line of the token file bounds.
    @Suite struct TenantLimitTests {
        @Test func liveWritersOfANameAreCountedTogetherAndEndedOnesNot() async throws {
            try await Tenants.run(["a name=acme max-writers=2", "more name=acme max-writers=3", "b name=beta"]) { tenants in
                try await tenants.make("a", "w0")
                try await tenants.make("more", "w1")
                for _ in 0..<3 { #expect(try await tenants.call("b", "POST", "/v1/writers", Tenants.open).status == 201) }
                let full = try await tenants.call("a", "PUT", "/v1/writers/w2", Tenants.open)
                #expect(full.status == 429 && full.problem == "too-many-writers", "\(full.text)")
                #expect(full.json["limit"] == 2 && full["Retry-After"] != nil)
                #expect(try await tenants.call("a", "POST", "/v1/writers", Tenants.open).status == 429)
                let encode = "/v1/encode?format=wav&sample_rate=8000&num_channels=1&sample_format=s16"
                #expect(try await tenants.server.curl("POST", encode, headers: Tenants.field("a"), body: .bytes(Data(count: 16))).status == 429)
                // What is there is found again, also with a key.
                #expect(try await tenants.call("a", "PUT", "/v1/writers/w0", Tenants.open).status == 200)
                try await tenants.make("more", "w2")
                #expect(try await tenants.call("more", "PUT", "/v1/writers/w3", Tenants.open).status == 429)
                for id in ["w0", "w1"] { #expect(try await tenants.call("a", "POST", "/v1/writers/\(id)/finalize").status == 200) }
                try await tenants.make("a", "w4")
                #expect(try await tenants.call("a", "PUT", "/v1/writers/w5", Tenants.open).status == 429)
                #expect(try await tenants.call("a", "DELETE", "/v1/writers/w4").isDeleted)
                try await tenants.make("a", "w5")
            }
        }

        /// Each follows the live output, or keeps an idle connection: neither locks the writer against its owner.
        @Test(arguments: ["/output", ""])
        func aReaderWithManyConnectionsLeavesTheOwnerRoom(path: String) async throws {
            try await Tenants.run(["owner", "reader read"], options: ["--max-connections", "600"]) { tenants in
                // What is written of it can be followed at once.
                try await tenants.make("owner", "w", ["format": "s16le", "streams": [Tenants.audio], "open": true])
                try #require(try await tenants.send("owner", "w", Data(count: 1_600)).status == 200)
                try #require(try await tenants.call("owner", "POST", "/v1/writers/w/flush").status == 200)
                var held: [RawConnection] = []
                // Three quarters, and more descriptors than an encoder has if each took one more.
                for _ in 0..<450 {
                    let client = try RawConnection(port: tenants.server.port)
                    try await client.send(RawConnection.head("GET", "/v1/writers/w\(path)", headers: Tenants.field("reader")))
                    #expect(try await client.head().status == 200)
                    held.append(client)
                }
                let next = try RawConnection(port: tenants.server.port)
                try await next.send(RawConnection.head("GET", "/v1/writers/w\(path)", headers: Tenants.field("reader")))
                let answer = try await next.head()
                if path.isEmpty {
                    // In the place of one of its idle ones.
                    #expect(answer.status == 200)
                } else {
                    let problem = try await next.withBody(answer, to: "GET").problem
                    #expect(answer.status == 429 && problem == "too-many-connections")
                    #expect(answer["Connection"] == "close")
                }
                #expect(try await tenants.send("owner", "w", Data(count: 1_600)).status == 200)
                #expect(try await tenants.call("owner", "GET", "/v1/writers/w").status == 200)
                #expect(try await tenants.call("owner", "POST", "/v1/writers/w/finalize").json["streams"][0]["frames"] == 1_600)
                #expect(try await tenants.call("owner", "DELETE", "/v1/writers/w").isDeleted)
                withExtendedLifetime(held) {}
            }
        }

        @Test func serversOwnLimitTellsANameNothingOfOthers() async throws {
            try await Tenants.run(["a name=acme", "b name=beta", "all"], options: ["--max-writers", "2"]) { tenants in
                try await tenants.make("b", "x")
                try await tenants.make("b", "y")
                let full = try await tenants.call("a", "PUT", "/v1/writers/x", Tenants.open)
                #expect(full.status == 503 && !full.text.contains("2 writers") && !full.text.contains("--max-writers"), "\(full.text)")
                #expect(try await tenants.call("all", "PUT", "/v1/writers/x", Tenants.open).text.contains("--max-writers"))
            }
        }

        @Test func refusalsNameTheLineOrTheServerAsItIs() async throws {
            let lines = ["a name=acme allow-output=rtmp://live.acme.com/* max-output-bytes=1048576", "b name=beta allow-output=", "c"]
            try await Tenants.run(lines, options: ["--allow-output", "rtmp://h/*", "--max-output-bytes", "2097152"]) { tenants in
                for (token, says) in [("a", "none of this token's allow-output="), ("b", "this token's allow-output= allows no URL"), ("c", "none of its --allow-output patterns")] {
                    let answer = try await tenants.call(token, "POST", "/v1/writers", ["dst": "rtmp://other/app", "streams": [Tenants.audio]])
                    #expect(answer.status == 403 && answer.json["detail"].string?.contains(says) == true, "\(answer.text)")
                }
                for (token, limit, says) in [("a", 1_048_576, "max-output-bytes= of this token"), ("c", 2_097_152, "(--max-output-bytes)")] {
                    try await tenants.make(token, "full")
                    let answer = try await tenants.send(token, "full", Data(count: 3 << 20))
                    #expect(answer.status == 507 && answer.problem == "output-limit", "\(answer.text)")
                    #expect(answer.json["limit"].int == limit && answer.json["detail"].string?.contains(says) == true, "\(answer.text)")
                    let failure = try await tenants.call(token, "GET", "/v1/writers/full?name=" + (token == "a" ? "acme" : "")).json["failure"]
                    #expect(failure["limit"].int == limit)
                }
            }
        }

        @Test func pathsLieBelowTheFolderOfTheToken() async throws {
            let lines = ["a name=acme folder=acme/", "a2 name=acme folder=elsewhere/deep", "b name=beta folder=beta", "all"]
            try await Tenants.run(lines) { tenants in
                let server = tenants.server
                func output(_ dst: String) -> JSON {
                    ["dst": .string(dst), "streams": [Tenants.audio], "open": true]
                }
                try await tenants.make("a", "x", output("show/take.wav"))
                try await tenants.make("a2", "y", output("show/take.wav"))
                try await tenants.make("b", "x", output("show/take.wav"))
                for (token, id) in [("a", "x"), ("a2", "y"), ("b", "x")] {
                    #expect(try await tenants.call(token, "GET", "/v1/writers/\(id)").json["dst"] == "show/take.wav")
                    #expect(try await tenants.send(token, id, Data(repeating: UInt8(id.utf8.first!), count: 800)).status == 200)
                    let closed = try await tenants.call(token, "POST", "/v1/writers/\(id)/finalize")
                    #expect(closed.json["state"] == "closed", "\(closed.text)")
                    #expect(try await tenants.call(token, "GET", "/v1/writers/\(id)/output").body.suffix(800).allSatisfy { $0 == id.utf8.first })
                }
                for folder in ["acme", "elsewhere/deep", "beta"] { #expect(try server.output("\(folder)/show/take.wav").count == 914) }
                // The same name of another folder is free, the own one is not.
                #expect(try await tenants.call("a", "PUT", "/v1/writers/z", output("show/take.wav")).problem == "destination-exists")
                for dst in ["../beta/show/take.wav", "/etc/x.wav", "show/../../beta/x.wav", "./x.wav", "..", "show/..", "..\u{301}/x.wav/..", "file:x.wav"] {
                    let refused = try await tenants.call("a", "PUT", "/v1/writers/z", output(dst))
                    #expect(refused.status == 403 || refused.status == 422, "\(dst): \(refused.text)")
                }
                // DELETE takes the own file away, and no other name's.
                #expect(try await tenants.call("a", "DELETE", "/v1/writers/x").isDeleted)
                #expect(throws: (any Error).self) { try server.output("acme/show/take.wav") }
                #expect(try server.output("beta/show/take.wav").count == 914)
            }
        }

        @Test func filesThatAMuxerMakesLieBelowTheFolderToo() async throws {
            try await Tenants.run(["a name=acme folder=acme", "b name=beta folder=beta"]) { tenants in
                let hls: JSON = [
                    "dst": "live/list.m3u8", "streams": [Tenants.audio], "open": ["option": ["hls_time": "1", "hls_list_size": "0"]],
                ]
                try await tenants.make("a", "x", hls)
                try await tenants.make("b", "x", hls)
                for token in ["a", "b"] {
                    #expect(try await tenants.send(token, "x", Data(count: 80_000)).status == 200)
                    let closed = try await tenants.call(token, "POST", "/v1/writers/x/finalize")
                    let files = closed.json["result"]["files"].array.compactMap(\.string)
                    #expect(files.contains("live/list.m3u8") && files.count > 2 && files.allSatisfy { $0.hasPrefix("live/") }, "\(closed.text)")
                }
                let found = FileManager.default.enumerator(atPath: tenants.server.outputFolder)?.allObjects as? [String] ?? []
                #expect(found.allSatisfy { $0.hasPrefix("acme") || $0.hasPrefix("beta") })
                #expect(try await tenants.call("a", "DELETE", "/v1/writers/x").isDeleted)
                let left = FileManager.default.enumerator(atPath: tenants.server.outputFolder)?.allObjects as? [String] ?? []
                #expect(!left.contains { $0.hasPrefix("acme/") && $0.contains(".") } && left.contains("beta/live/list.m3u8"))
            }
        }

        @Test func outputIsBoundedByTheSmallerOfLineAndServer() async throws {
            let lines = ["a name=acme max-output-bytes=1048576", "b name=beta max-output-bytes=1073741824", "c name=gamma"]
            try await Tenants.run(lines, options: ["--max-output-bytes", "2097152"]) { tenants in
                for (token, bytes, isTaken) in [("a", 900_000, true), ("a", 1_200_000, false), ("b", 1_900_000, true), ("b", 2_300_000, false), ("c", 2_300_000, false)] {
                    let id = "\(token)-\(bytes)"
                    try await tenants.make(token, id, ["format": "s16le", "streams": [Tenants.audio], "open": true])
                    let sent = try await tenants.send(token, id, Data(count: bytes))
                    let closed = try await tenants.call(token, "POST", "/v1/writers/\(id)/finalize")
                    #expect((sent.status == 200 && closed.status == 200) == isTaken, "\(id): \(sent.text) \(closed.text)")
                    if !isTaken { #expect(sent.problem == "output-limit" || closed.problem == "output-limit" || closed.json["failure"]["status"] == 507) }
                }
            }
        }

        @Test func urlPatternsOfALineStandInTheServersStead() async throws {
            let lines = [
                "a name=acme allow-output=udp://127.0.0.1:5004 allow-output=udp://127.0.0.1:5006", "b name=beta", "none name=gamma allow-output=",
            ]
            try await Tenants.run(lines, options: ["--allow-output", "udp://127.0.0.1:5008"]) { (tenants) async throws -> Void in
                func status(_ token: String, _ port: Int) async throws -> Int {
                    let body: JSON = ["dst": .string("udp://127.0.0.1:\(port)"), "format": "mpegts", "streams": [["type": "audio", "sample_rate": 48_000, "num_channels": 1, "encoder": "mp2"]]]
                    return try await tenants.call(token, "POST", "/v1/writers?dry_run=true", body).status
                }
                for (token, ports) in [("a", [5_004, 5_006]), ("b", [5_008]), ("none", [])] {
                    for port in [5_004, 5_006, 5_008, 5_010] {
                        #expect(try await status(token, port) == (ports.contains(port) ? 200 : 403), "\(token) \(port)")
                    }
                }
            }
        }
    }
}
