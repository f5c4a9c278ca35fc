import Foundation
import Testing

extension EndToEnd {
    /// Names are bytes: what Unicode takes for the same is another file, and no mark hides a way out.
    @Suite struct FileNameTests {
        private static func writer(_ dst: String, _ open: JSON = true, format: JSON = .null) -> JSON {
            ["dst": .string(dst), "format": format, "streams": [Pictures.stream(gop: 20)], "open": open]
        }

        private func closed(_ server: PenstockServer, _ dst: String, frames: Int) async throws -> String {
            let id = try await server.createWriter(Self.writer(dst))
            try await server.sendChunk(Pictures(frames).data, to: id, stream: 0)
            try await server.finalize(id)
            return id
        }

        /// As the kernel has them.
        private func names(_ folder: String, _ server: PenstockServer) throws -> Set<[UInt8]> {
            let stream = try #require(opendir(server.outputFolder + folder))
            defer { closedir(stream) }
            var names: Set<[UInt8]> = []
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
                if name != Array(".".utf8) && name != Array("..".utf8) { names.insert(name) }
            }
            return names
        }

        private func bytes(_ names: String...) -> Set<[UInt8]> { Set(names.map { Array($0.utf8) }) }

        // UAX #15: canonically equivalent; and case.
        @Test(arguments: [
            ("K.mkv", "\u{212A}.mkv"), ("\u{E9}.mkv", "e\u{301}.mkv"), ("\u{AC00}.mkv", "\u{1100}\u{1161}.mkv"),
            ("a;.mkv", "a\u{37E}.mkv"), ("a.mkv", "A.mkv"),
        ])
        func namesOfOtherBytesAreOtherFiles(one: String, other: String) async throws {
            try await withServer { server in
                let first = try await closed(server, "d/" + one, frames: 20)
                let second = try await closed(server, "d/" + other, frames: 40)
                #expect(try names("/d", server) == bytes(one, other))
                let outputs = try await (
                    server.curl("GET", "/v1/writers/\(first)/output"), server.curl("GET", "/v1/writers/\(second)/output"))
                #expect(outputs.0.status == 200 && outputs.1.status == 200)
                #expect(outputs.0.body != outputs.1.body)
                #expect(try await server.curl("DELETE", "/v1/writers/\(second)").isDeleted)
                #expect(try names("/d", server) == bytes(one))
                #expect(try await server.curl("GET", "/v1/writers/\(first)/output").body == outputs.0.body)
            }
        }

        /// The segment muxer opens its list first, under a name that equals a segment's for Unicode.
        @Test(arguments: [false, true])
        func writerThatMadeOneNameMayNotOverwriteItsEquivalent(isFinished: Bool) async throws {
            try await withServer { server in
                let theirs = try await closed(server, "d/K0.ts", frames: 20)
                let bytes = try server.output("d/K0.ts")
                let option: JSON = ["option": ["segment_list": "d/\u{212A}0.ts", "segment_list_type": "flat", "segment_time": "0.8"]]
                let created = try await server.curl(
                    "POST", "/v1/writers", body: .json(Self.writer("d/K%d.ts", option, format: "segment")))
                if let id = created.json["id"].string {
                    _ = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures(60).data))
                    if isFinished {
                        let end = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                        #expect(end.status == 409, "\(end.text)")
                    }
                    #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status < 300)
                } else {
                    #expect(created.problem == "destination-exists", "\(created.text)")
                }
                #expect(try server.output("d/K0.ts") == bytes)
                #expect(try await server.curl("GET", "/v1/writers/\(theirs)/output").body == bytes)
            }
        }

        @Test(arguments: [
            "../\u{301}victim.mkv", "d/../../\u{301}victim.mkv", "/\u{301}victim.mkv", "d/..\u{301}/../../\u{301}victim.mkv",
            "file:\u{301}victim.mkv", "file\u{301}:victim.mkv/../../\u{301}victim.mkv",
        ])
        func marksDoNotHideAWayOut(dst: String) async throws {
            try await withServer { server in
                let victim = server.folder / "\u{301}victim.mkv"
                try Data("canary".utf8).write(to: URL(fileURLWithPath: victim))
                for overwrite in [false, true] {
                    let writer = Self.writer(dst).merging(["overwrite": .bool(overwrite)])
                    let refused = try await server.curl("POST", "/v1/writers", body: .json(writer))
                    #expect(refused.status == 403, "\(refused.text)")
                    #expect(refused.problem == "forbidden-destination")
                }
                for name in [dst + "%d.ts", "show/" + dst] {
                    let option: JSON = ["option": ["hls_segment_filename": .string(name), "hls_time": "0.8", "hls_flags": "delete_segments"]]
                    let created = try await server.curl("POST", "/v1/writers", body: .json(Self.writer("show/live.m3u8", option)))
                    guard let id = created.json["id"].string else { continue }
                    _ = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures(60).data))
                    #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status >= 400, "\(name)")
                    _ = try await server.curl("DELETE", "/v1/writers/\(id)")
                }
                #expect(FileManager.default.contents(atPath: victim) == Data("canary".utf8))
            }
        }

        @Test(arguments: ["alias/x.mkv", "alias/sub/x.mkv", "alias/live.m3u8", "alias/img%d.png"])
        func linkThatStaysInsideIsNoWay(dst: String) async throws {
            try await withServer { server in
                try FileManager.default.createDirectory(atPath: server.outputFolder + "/real/sub", withIntermediateDirectories: true)
                try FileManager.default.createSymbolicLink(atPath: server.outputFolder + "/alias", withDestinationPath: "real")
                for overwrite in [false, true] {
                    let writer = Self.writer(dst).merging(["overwrite": .bool(overwrite)])
                    let refused = try await server.curl("POST", "/v1/writers", body: .json(writer))
                    #expect(refused.status == 403, "\(refused.text)")
                    #expect(refused.json["detail"].string?.contains("symbolic link") == true, "\(refused.text)")
                }
                #expect(try names("/real", server) == bytes("sub"))
                #expect(try names("/real/sub", server) == [])
            }
        }

        @Test func outputThatHasBecomeALinkIsNotFollowed() async throws {
            try await withServer { server in
                let id = try await closed(server, "x.mkv", frames: 20)
                _ = try await closed(server, "y.mkv", frames: 40)
                let theirs = try server.output("y.mkv")
                unlink(server.outputFolder + "/x.mkv")
                try FileManager.default.createSymbolicLink(atPath: server.outputFolder + "/x.mkv", withDestinationPath: "y.mkv")
                #expect(try await server.curl("GET", "/v1/writers/\(id)/output").status >= 400)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 200)
                #expect(try names("", server) == bytes("x.mkv", "y.mkv"))
                #expect(try server.output("y.mkv") == theirs)
            }
        }

        @Test func outputDirectoryItselfMayBeALink() async throws {
            let folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder / "disk", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: folder / "output", withDestinationPath: "disk")
            try await withServer(in: folder) { server in
                for dst in ["x.mkv", "show/live.m3u8"] {
                    let id = try await closed(server, dst, frames: 20)
                    #expect(FileManager.default.fileExists(atPath: folder / "disk/" + dst))
                    #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                }
            }
        }

        @Test func metadataOfEquivalentNamesIsRefusedAndNotLost() async throws {
            try await withServer { server in
                let body = "{\"format\": \"mp4\", \"metadata\": {\"\u{E9}\": \"one\", \"e\u{301}\": \"two\"}}"
                let refused = try await server.curl(
                    "POST", "/v1/writers", headers: ["Content-Type: application/json"], body: .bytes(Data(body.utf8)))
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.problem == "invalid-parameter")
                let query = "format=wav&sample_rate=8000&num_channels=1&metadata.%C3%A9=one&metadata.e%CC%81=two"
                let encoded = try await server.curl("POST", "/v1/encode?" + query, body: .bytes(Data(count: 8)))
                #expect(encoded.status == 422, "\(encoded.text)")
            }
        }
    }
}
