import Foundation
import Testing

extension EndToEnd {
    /// Outputs of one writer that are files and folders, in any position.
    @Suite struct SeveralFilesTests {
        private static let outputs: JSON = [
            ["name": "record", "dst": "a/a.mp4"], ["name": "web", "dst": "hls/live.m3u8", "option": ["hls_time": "0.8", "hls_list_size": "0"]],
            ["name": "copy", "dst": "b/b.mkv"], ["name": "kept", "format": "mpegts"],
        ]

        private func create(_ outputs: JSON, on server: PenstockServer) async throws -> String {
            try await server.createWriter(["outputs": outputs, "streams": [Pictures.stream(gop: 20)], "open": true])
        }

        private func output(_ name: String, of writer: JSON) throws -> JSON {
            try #require(writer["outputs"].array.first { $0["name"] == .string(name) })
        }

        /// What a writer makes of the pictures that has this output alone.
        private func alone(_ output: JSON, _ pictures: Pictures, on server: PenstockServer) async throws -> Data {
            let id = try await create([output], on: server)
            try await server.sendChunk(pictures.data, to: id, stream: 0)
            try await server.finalize(id)
            return try await server.curl("GET", "/v1/writers/\(id)/output").body
        }

        private func names(in server: PenstockServer) throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: server.outputFolder).sorted()
        }

        private func digest(_ bytes: Data) async throws -> String {
            let folder = try TemporaryFolder()
            try bytes.write(to: URL(fileURLWithPath: folder / "x"))
            return String(decoding: try await Tool.run("sha256sum", [folder / "x"]).output.prefix(64), as: UTF8.self)
        }

        @Test func eachIsWhatAWriterOfItsOwnMakesAndIsReadByItsName() async throws {
            let pictures = Pictures(60)
            try await withServer { server in
                let id = try await create(Self.outputs, on: server)
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                let closed = try await server.finalize(id)
                let segments = ["hls/live.m3u8", "hls/live0.ts", "hls/live1.ts", "hls/live2.ts"]
                #expect(try names(in: server) == ["a", "a/a.mp4", "b", "b/b.mkv", "hls"] + segments)
                #expect(try output("web", of: closed)["files"].array.compactMap(\.string) == segments)
                #expect(try await Pictures.decoded(server.outputFolder + "/hls/live.m3u8") == pictures.frames)
                for (name, path) in [("record", "a/a.mp4"), ("copy", "b/b.mkv"), ("kept", nil)] {
                    let shown = try output(name, of: closed)
                    let read = try await server.curl("GET", try #require(shown["output"].string))
                    #expect(read.status == 200 && shown["output"].string == "/v1/writers/\(id)/outputs/\(name)")
                    if let path { #expect(try server.output(path) == read.body) }
                    #expect(shown["bytes"].int == read.body.count && shown["state"] == "closed")
                    #expect(try await shown["verified"]["sha256"].string == digest(read.body))
                    if name != "kept" { #expect(shown["verified"]["streams"][0]["packets"] == 60) }
                    let folder = try TemporaryFolder()
                    try read.body.write(to: URL(fileURLWithPath: folder / "read"))
                    #expect(try await Pictures.decoded(folder / "read") == pictures.frames, "\(name)")
                    let part = try await server.curl("GET", "/v1/writers/\(id)/outputs/\(name)", headers: ["Range: bytes=10-19"])
                    #expect(part.status == 206 && part.body == read.body[10..<20])
                }
                let alone = try await alone(["name": "x", "dst": "alone.mp4"], pictures, on: server)
                #expect(try server.output("a/a.mp4") == alone)
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").body == alone)
                #expect(try await server.curl("GET", "/v1/writers/\(id)").json == closed)
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(deleted.json["removed_count"] == 6 && (deleted.json["managed_output_bytes"].int ?? 0) > 1_000, "\(deleted.text)")
                #expect(try names(in: server) == ["alone.mp4"])
            }
        }

        @Test func namesThatAreNoFilesOfTheServersSayWhy() async throws {
            let silent = try TrapPort(.tcp)
            try await withServer(["--allow-output", "rtmp://127.0.0.1:*/*"]) { server in
                let sent: JSON = [
                    "name": "live", "dst": .string("rtmp://127.0.0.1:\(silent.port)/a/b"), "on_failure": "continue", "when_slow": "drop",
                ]
                let id = try await create([Self.outputs[0], Self.outputs[1], sent, Self.outputs[3]], on: server)
                for isEnded in [false, true] {
                    let unknown = try await server.curl("GET", "/v1/writers/\(id)/outputs/other")
                    #expect(unknown.status == 404 && unknown.json["supported"] == ["record", "web", "live", "kept"], "\(unknown.text)")
                    for name in ["web", "live"] {
                        let refused = try await server.curl("GET", "/v1/writers/\(id)/outputs/\(name)")
                        #expect(refused.status == 404 && refused.json["detail"].string?.hasPrefix("The output \(name) can't be read here: it is ") == true, "\(refused.text)")
                    }
                    let head = try await server.curl("HEAD", "/v1/writers/\(id)/outputs/kept")
                    #expect(head.status == 200 && head["Content-Type"] == "video/MP2T")
                    if !isEnded {
                        #expect(head["Penstock-Output"] == "live")
                        #expect(try await server.curl("HEAD", "/v1/writers/\(id)/outputs/record")["Penstock-Output"] == "after-finalize")
                        try await server.sendChunk(Pictures(5).data, to: id, stream: 0)
                        try await server.finalize(id)
                    }
                }
                let plain = try await server.createWriter(["dst": "plain.wav", "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1]], "open": true])
                #expect(try await server.curl("HEAD", "/v1/writers/\(plain)/outputs/main").status == 200)
                #expect(try await server.curl("HEAD", "/v1/writers/\(plain)/outputs/other").status == 404)
                try await server.finalize(plain)
                #expect(try await server.curl("GET", "/v1/writers/\(plain)/outputs/main").body == server.output("plain.wav"))
            }
        }

        /// Written by a queue of its own, a file can be followed as it grows.
        @Test func theSecondIsFollowedWhileItIsWritten() async throws {
            let pictures = Pictures(40)
            try await withServer { server in
                let id = try await create([Self.outputs[0], Self.outputs[3]], on: server)
                let follower = try RawConnection(port: server.port)
                try await follower.send(RawConnection.head("GET", "/v1/writers/\(id)/outputs/kept"))
                #expect(try await follower.head().status == 200)
                for frame in pictures.frames { try await server.sendChunk(frame, to: id, stream: 0) }
                try await server.finalize(id)
                let followed = try await follower.withBody(try Response(head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"), to: "GET").body
                #expect(try await followed == server.curl("GET", "/v1/writers/\(id)/outputs/kept").body && followed.count > 10_000)
            }
        }

        @Test func oneThatIsThereRefusesThemAllAndLeavesNothing() async throws {
            try await withServer { server in
                try FileManager.default.createDirectory(atPath: server.outputFolder + "/b", withIntermediateDirectories: true)
                try Data("theirs".utf8).write(to: URL(fileURLWithPath: server.outputFolder + "/b/b.mkv"))
                var request: [String: JSON] = ["outputs": Self.outputs, "streams": [Pictures.stream()], "open": true]
                for path in ["/v1/writers", "/v1/writers?dry_run=true"] {
                    let refused = try await server.curl("POST", path, body: .json(.object(request)))
                    #expect(refused.status == 409 && refused.problem == "destination-exists" && refused.json["pointer"] == "/outputs/2/dst", "\(refused.text)")
                }
                #expect(try names(in: server) == ["b", "b/b.mkv"] && server.output("b/b.mkv") == Data("theirs".utf8))
                // Refused by the second's muxer, once all are made.
                var outputs = Self.outputs.array
                outputs[2] = ["name": "copy", "dst": "b/b.mkv", "overwrite": true, "option": ["nothing": "1"]]
                request["outputs"] = .array(outputs)
                let unknown = try await server.curl("POST", "/v1/writers", body: .json(.object(request)))
                #expect(unknown.status == 422 && unknown.problem == "unknown-option", "\(unknown.text)")
                let isGone = try await eventually { (try? names(in: server)) == ["b", "b/b.mkv"] }
                #expect(isGone, "\((try? names(in: server)) ?? [])")
                #expect(try server.output("b/b.mkv") == Data("theirs".utf8))
                // Replaced once the writer opens.
                outputs[2] = ["name": "copy", "dst": "b/b.mkv", "overwrite": true]
                request["outputs"] = .array(outputs)
                request["open"] = false
                let id = try await server.createWriter(.object(request))
                #expect(try server.output("b/b.mkv") == Data("theirs".utf8))
                #expect(try await server.curl("POST", "/v1/writers/\(id)/open").status == 200)
                try await server.sendChunk(Pictures(5).data, to: id, stream: 0)
                try await server.finalize(id)
                #expect(try await Pictures.decoded(server.outputFolder + "/b/b.mkv") == Pictures(5).frames)
                #expect(try names(in: server).allSatisfy { !$0.contains(".penstock-") })
            }
        }

        @Test func deletingAnOpenWriterRemovesAllOfThem() async throws {
            try await withServer { server in
                let id = try await create(Self.outputs, on: server)
                try await server.sendChunk(Pictures(60).data, to: id, stream: 0)
                try await eventually("its carrier makes segments") { try names(in: server).contains("hls/live1.ts") }
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                let isGone = try await eventually { (try? names(in: server))?.isEmpty == true }
                #expect(isGone, "\((try? names(in: server)) ?? [])")
            }
        }

        @Test func whatAKilledEncoderLeavesIsTheWritersStill() async throws {
            try await withServer { server in
                let id = try await create(Self.outputs, on: server)
                try await server.sendChunk(Pictures(60).data, to: id, stream: 0)
                try await eventually("its carrier makes segments") { try names(in: server).contains("hls/live1.ts") }
                try await eventually("the last has bytes") { try await output("kept", of: server.writer(id))["bytes_written"].int ?? 0 > 1_000 }
                kill(pid_t(try #require(try await server.writer(id)["encoder_pid"].int)), SIGKILL)
                _ = try await server.writer(id, in: "failed")
                let kept = try await server.curl("GET", "/v1/writers/\(id)/outputs/kept")
                #expect(kept.status == 200 && kept["Penstock-Writer-State"] == "failed" && kept.body.count > 1_000)
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(deleted.isDeleted && (deleted.json["removed_count"].int ?? 0) >= 5, "\(deleted.text)")
                let isGone = try await eventually { (try? names(in: server))?.isEmpty == true }
                #expect(isGone, "\((try? names(in: server)) ?? [])")
            }
        }

        @Test func oneThatIsReplacedMeanwhileFailsAloneWhereTheWriterCanDoWithoutIt() async throws {
            try await withServer { server in
                for policy in ["continue", "fail"] {
                    let id = try await create(
                        [
                            ["name": "record", "dst": .string("\(policy).mp4")],
                            ["name": "copy", "dst": .string("\(policy).mkv"), "on_failure": .string(policy)],
                        ], on: server)
                    try await server.sendChunk(Pictures(10).data, to: id, stream: 0)
                    let path = server.outputFolder + "/\(policy).mkv"
                    try FileManager.default.removeItem(atPath: path)
                    try Data("theirs".utf8).write(to: URL(fileURLWithPath: path))
                    let ended = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                    #expect((ended.status == 200) == (policy == "continue") && (ended.problem == "output-replaced") == (policy == "fail"), "\(ended.text)")
                    if policy == "continue" {
                        let copy = try output("copy", of: ended.json)
                        #expect(copy["state"] == "failed" && copy["error"]["code"] == "output-replaced")
                        #expect(ended.json["result"]["warnings"].array.contains { $0["code"] == "output-failed" && $0["output"] == "copy" })
                    } else {
                        #expect(ended.json["detail"].string?.hasPrefix("output copy: ") == true)
                    }
                    #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 200)
                    #expect(try server.output("\(policy).mkv") == Data("theirs".utf8))
                }
            }
        }

        /// An encoder has descriptors of its own files, and none in the folder that its carrier writes.
        @Test func aFolderIsItsCarriersAlone() async throws {
            try await withServer { server in
                let id = try await create(Self.outputs, on: server)
                try await server.sendChunk(Pictures(30).data, to: id, stream: 0)
                let process = try #require(try await server.writer(id)["encoder_pid"].int)
                let held = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
                    .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)") }
                #expect(held.contains(server.outputFolder + "/a/a.mp4") && held.contains(server.outputFolder + "/b/b.mkv"))
                #expect(!held.contains { $0.hasPrefix(server.outputFolder + "/hls/") }, "\(held)")
                try await server.finalize(id)
            }
        }
    }
}
