import Foundation
import Testing

extension EndToEnd {
    /// What writers leave in the folders of their tokens, however their encoders ended.
    @Suite struct TenantFileTests {
        private static let lines = ["a name=acme folder=acme/", "b name=beta folder=beta"]

        private static func file(_ name: String, overwrite: Bool = false) -> JSON {
            ["dst": .string("show/\(name).wav"), "overwrite": .bool(overwrite), "streams": [Tenants.audio], "open": true]
        }

        private static func list(_ name: String) -> JSON {
            [
                "dst": .string("\(name)/list.m3u8"), "streams": [Tenants.audio],
                "open": ["option": ["hls_time": "1", "hls_list_size": "0"]],
            ]
        }

        private static func files(_ folder: String, _ tenants: Tenants) -> [String] {
            let root = "\(tenants.server.outputFolder)/\(folder)"
            let found = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
            return found.filter { $0.hasSuffix(".wav") || $0.hasSuffix(".m3u8") || $0.hasSuffix(".ts") }.sorted()
        }

        /// Makes a writer with eight seconds of sound that has ended one way or the other.
        private func end(_ token: String, _ id: String, _ body: JSON, killed: Bool, _ tenants: Tenants) async throws {
            try await tenants.make(token, id, body)
            #expect(try await tenants.send(token, id, Data(repeating: id.utf8.last!, count: 128_000)).status == 200)
            if killed {
                let process = try #require(try await tenants.call(token, "GET", "/v1/writers/\(id)").json["encoder_pid"].int)
                kill(pid_t(process), SIGKILL)
                try await eventually("\(id) has failed") {
                    try await tenants.call(token, "GET", "/v1/writers/\(id)").json["state"] == "failed"
                }
            } else {
                let closed = try await tenants.call(token, "POST", "/v1/writers/\(id)/finalize")
                #expect(closed.json["state"] == "closed", "\(closed.text)")
            }
        }

        /// The writers `file` and `list` of both names, by what is on disk.
        private func check(file: String, list: String, killed: Bool, _ tenants: Tenants) async throws {
            let before = Self.files("beta", tenants)
            for token in ["a", "b"] {
                let output = try await tenants.call(token, "GET", "/v1/writers/\(file)/output")
                let folder = token == "a" ? "acme" : "beta"
                #expect(output.status == 200, "\(output.text.prefix(300))")
                #expect(try output.body == tenants.server.output("\(folder)/show/\(file).wav"))
                #expect(output.body.suffix(1_000).allSatisfy { $0 == file.utf8.last })
                if !killed { #expect(output.body.count == 128_114) }
                #expect(try await tenants.call(token, "GET", "/v1/writers/\(list)/output").status == 404)
            }
            let others = Self.files("acme", tenants).filter { !$0.hasPrefix("\(list)/") && $0 != "show/\(file).wav" }
            #expect(Self.files("acme", tenants).count { $0.hasPrefix("\(list)/list") } > 2)
            for id in [file, list] {
                let deleted = try await tenants.call("a", "DELETE", "/v1/writers/\(id)")
                #expect(deleted.isDeleted, "\(id): \(deleted.text)")
            }
            #expect(Self.files("acme", tenants) == others)
            #expect(Self.files("beta", tenants) == before)
        }

        @Test(arguments: [false, true]) func filesInTheFolderAreServedAndRemovedAfterTheEnd(killed: Bool) async throws {
            let folder = try TemporaryFolder()
            try await Tenants.run(Self.lines, in: folder) { tenants in
                for token in ["a", "b"] {
                    for name in ["f1", "f2"] { try await end(token, name, Self.file(name), killed: killed, tenants) }
                    for name in ["l1", "l2"] { try await end(token, name, Self.list(name), killed: killed, tenants) }
                }
                try await check(file: "f1", list: "l1", killed: killed, tenants)
            }
            try await Tenants.run(Self.lines, in: folder) { tenants in
                try await check(file: "f2", list: "l2", killed: killed, tenants)
            }
        }

        @Test func fileThatAnotherWriterOfTheNameHasReplacedIsLeft() async throws {
            let folder = try TemporaryFolder()
            try await Tenants.run(Self.lines, in: folder) { tenants in
                for id in ["f1", "f2"] { try await end("a", id, Self.file("take", overwrite: id == "f2"), killed: false, tenants) }
                try await end("b", "f1", Self.file("take"), killed: false, tenants)
            }
            try await Tenants.run(Self.lines, in: folder) { tenants in
                #expect(try await tenants.call("a", "GET", "/v1/writers/f1/output").json["detail"].string?.hasPrefix("show/take.wav is not the file") == true)
                let theirs = try await tenants.call("a", "GET", "/v1/writers/f2/output")
                #expect(theirs.body.last == UInt8(ascii: "2"))
                let deleted = try await tenants.call("a", "DELETE", "/v1/writers/f1")
                #expect(deleted.status == 200 && deleted.json["left"].array.compactMap(\.string) == ["show/take.wav"], "\(deleted.text)")
                #expect(try tenants.server.output("acme/show/take.wav") == theirs.body)
                #expect(try await tenants.call("b", "GET", "/v1/writers/f1/output").body == tenants.server.output("beta/show/take.wav"))
                #expect(try await tenants.call("a", "DELETE", "/v1/writers/f2").isDeleted)
                #expect(Self.files("acme", tenants) == [] && Self.files("beta", tenants) == ["show/take.wav"])
            }
        }
    }
}
