import Foundation
import Testing

extension EndToEnd {
    /// Whose a file is goes by the file: what another has put in its place is neither served, counted, changed
    /// nor removed as the writer's.
    @Suite struct OwnershipTests {
        private static func writer(_ dst: String, overwrite: Bool = false, open: JSON = true) -> JSON {
            ["dst": .string(dst), "overwrite": .bool(overwrite), "streams": [Pictures.stream(gop: 20)], "open": open]
        }

        /// Sent and finalized.
        private func closed(
            _ server: PenstockServer, _ dst: String, _ frames: Int, overwrite: Bool = false, open: JSON = true
        ) async throws -> String {
            let id = try await server.createWriter(Self.writer(dst, overwrite: overwrite, open: open))
            try await server.sendChunk(Pictures(frames).data, to: id, stream: 0)
            try await server.finalize(id)
            return id
        }

        private func output(_ id: String, _ server: PenstockServer) async throws -> Response {
            try await server.curl("GET", "/v1/writers/\(id)/output")
        }

        private func delete(_ id: String, _ server: PenstockServer) async throws -> Response {
            try await server.curl("DELETE", "/v1/writers/\(id)")
        }

        private func names(_ folder: String, _ server: PenstockServer) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + folder).sorted()
        }

        @Test func fileThatAnotherWriterHasReplacedIsNeitherServedNorRemoved() async throws {
            try await withServer { server in
                let first = try await closed(server, "x.mkv", 20)
                let second = try await closed(server, "x.mkv", 30, overwrite: true)
                let theirs = try server.output("x.mkv")
                let refused = try await output(first, server)
                #expect(refused.status == 410, "\(refused.text)")
                #expect(refused.problem == "output-replaced")
                #expect(try await output(second, server).body == theirs)
                #expect(try await server.writer(first)["state"] == "closed")

                let deleted = try await delete(first, server)
                #expect(deleted.status == 200, "\(deleted.text)")
                #expect(deleted.json["left"].array.compactMap(\.string) == ["x.mkv"])
                #expect(try server.output("x.mkv") == theirs)
                #expect(try await delete(second, server).isDeleted)
                #expect(try names("", server) == [])
            }
        }

        @Test func theSameHoldsAfterARestart() async throws {
            let folder = try TemporaryFolder()
            let (first, second, alone) = try await withServer(in: folder) { server in
                let first = try await closed(server, "x.mkv", 20)
                return (first, try await closed(server, "x.mkv", 30, overwrite: true), try await closed(server, "y.mkv", 20))
            }
            try await withServer(in: folder) { server in
                let theirs = try server.output("x.mkv")
                #expect(try await output(first, server).problem == "output-replaced")
                #expect(try await output(second, server).body == theirs)
                #expect(try await delete(first, server).status == 200)
                #expect(try await output(alone, server).body == server.output("y.mkv"))
                #expect(try await delete(alone, server).isDeleted)
                #expect(try names("", server) == ["x.mkv"])
            }
        }

        /// A restored backup, an editor that writes beside and renames, a file moved there.
        @Test func fileOfAnotherProgramIsLeftAlone() async throws {
            try await withServer { server in
                let id = try await closed(server, "x.mkv", 20)
                let place = URL(fileURLWithPath: server.outputFolder + "/x.mkv")
                let bytes = try Data(contentsOf: place)
                try bytes.write(to: place, options: .atomic)
                #expect(try await output(id, server).problem == "output-replaced")
                #expect(try await delete(id, server).json["left"].array.count == 1)
                #expect(try server.output("x.mkv") == bytes)
            }
        }

        @Test func writerWhoseFileIsReplacedWhileItWritesFails() async throws {
            try await withServer { server in
                let first = try await server.createWriter(Self.writer("x.mkv"))
                try await server.sendChunk(Pictures(20).data, to: first, stream: 0)
                let second = try await closed(server, "x.mkv", 30, overwrite: true)
                let theirs = try server.output("x.mkv")
                let refused = try await output(first, server)
                #expect(refused.problem == "output-replaced", "\(refused.status) \(refused.text.prefix(300))")
                let finalized = try await server.curl("POST", "/v1/writers/\(first)/finalize")
                #expect(finalized.status == 410, "\(finalized.text)")
                #expect(finalized.problem == "output-replaced")
                let failed = try await server.writer(first, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:output-replaced")
                #expect(try await output(second, server).body == theirs)
                #expect(try await delete(first, server).json["left"].array.compactMap(\.string) == ["x.mkv"])
                #expect(try server.output("x.mkv") == theirs)
            }
        }

        @Test func deletingAnOpenWriterLeavesWhatHasReplacedItsFile() async throws {
            try await withServer { server in
                let first = try await server.createWriter(Self.writer("x.mkv"))
                let second = try await server.createWriter(Self.writer("x.mkv", overwrite: true))
                for id in [first, second] { try await server.sendChunk(Pictures(20).data, to: id, stream: 0) }
                #expect(try await delete(first, server).json["left"].array.compactMap(\.string) == ["x.mkv"])
                try await server.finalize(second)
                #expect(try await output(second, server).body == server.output("x.mkv"))
            }
        }

        /// Of two that both overwrite, the one that opened last has the name.
        @Test func twoWritersThatOverwriteOneFileDoNotMix() async throws {
            try await withServer { server in
                let first = try await server.createWriter(Self.writer("x.mkv", overwrite: true, open: false))
                let second = try await server.createWriter(Self.writer("x.mkv", overwrite: true, open: false))
                for id in [second, first] {
                    #expect(try await server.curl("POST", "/v1/writers/\(id)/open").status == 200)
                }
                try await server.sendChunk(Pictures(20).data, to: first, stream: 0)
                try await server.sendChunk(Pictures(40).data, to: second, stream: 0)
                #expect(try await server.curl("POST", "/v1/writers/\(second)/finalize").problem == "output-replaced")
                try await server.finalize(first)
                let played = try await Pictures.decoded(server.outputFolder + "/x.mkv")
                #expect(played == Pictures(20).frames)
                #expect(try names("", server) == ["x.mkv"])
            }
        }

        @Test func writerThatDiesBeforeItReplacesAFileNeverOwnedIt() async throws {
            try await withServer { server in
                let other = try await closed(server, "x.mkv", 20)
                let bytes = try server.output("x.mkv")
                let id = try await server.createWriter(Self.writer("x.mkv", overwrite: true, open: false))
                kill(pid_t(try #require(await server.writer(id)["encoder_pid"].int)), SIGKILL)
                _ = try await server.writer(id, in: "failed")
                #expect(try names("", server) == ["x.mkv"], "the unfinished one is gone")
                #expect(try await output(id, server).problem == "output-replaced")
                #expect(try await delete(id, server).status == 200)
                #expect(try server.output("x.mkv") == bytes)
                #expect(try await output(other, server).body == bytes)
            }
        }

        /// The names under which outputs lie until they replace a file.
        @Test(arguments: [".penstock-a.new", "d/.penstock-a.new", ".PENSTOCK-a.new", ".penstock-d/x.mkv"])
        func namesOfUnfinishedOutputsAreNoDestination(dst: String) async throws {
            try await withServer { server in
                let refused = try await server.curl(
                    "POST", "/v1/writers", body: .json(["dst": .string(dst), "format": "matroska", "streams": [Pictures.stream(gop: 20)]]))
                #expect(refused.status == 403, "\(refused.text)")
                #expect(refused.json["detail"].string?.contains(".penstock-") == true)
                let writer = Self.writer("d/live.m3u8", open: ["option": ["hls_segment_filename": .string("d/" + dst + "%d.ts")]])
                let created = try await server.curl("POST", "/v1/writers", body: .json(writer))
                if let id = created.json["id"].string {
                    _ = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures(20).data))
                    #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status >= 400)
                }
                #expect(try names("", server).filter { $0 != "d" } == [])
            }
        }

        @Test func anotherWriterCannotTakeTheNameOfAnUnfinishedOutput() async throws {
            try await withServer { server in
                _ = try await closed(server, "x.mkv", 20)
                let first = try await server.curl(
                    "PUT", "/v1/writers/first", body: .json(Self.writer("x.mkv", overwrite: true, open: false)))
                #expect(first.status == 201, "\(first.text)")
                // What the name was until now, and what it is.
                let dotted: JSON = ["dst": ".first.new", "format": "matroska", "streams": [Pictures.stream(gop: 20)], "open": true]
                let second = try await server.createWriter(dotted)
                let taken = try await server.curl(
                    "POST", "/v1/writers", body: .json(dotted.merging(["dst": ".penstock-first.new", "overwrite": true])))
                #expect(taken.status == 403, "\(taken.text)")
                #expect(try await server.curl("POST", "/v1/writers/first/open").status == 200)
                try await server.sendChunk(Pictures(20).data, to: second, stream: 0)
                try await server.finalize(second)
                #expect(try await delete("first", server).isDeleted)
                #expect(try names("", server) == [".first.new"])
                #expect(try await output(second, server).body == server.output(".first.new"))
            }
        }

        @Test func ofManyFilesThoseOfOthersStay() async throws {
            let option: JSON = ["option": ["hls_time": "0.8", "hls_list_size": 0]]
            try await withServer { server in
                let first = try await closed(server, "show/live.m3u8", 60, open: option)
                #expect(try names("/show", server) == ["live.m3u8", "live0.ts", "live1.ts", "live2.ts"])
                _ = try await closed(server, "show/live1.ts", 20, overwrite: true)
                let theirs = try server.output("show/live1.ts")
                let deleted = try await delete(first, server)
                #expect(deleted.json["left"].array.compactMap(\.string) == ["show/live1.ts"])
                #expect(try names("/show", server) == ["live1.ts"])
                #expect(try server.output("show/live1.ts") == theirs)
            }
        }

        /// libav writes it under another name first, and does not look whether it could be renamed.
        @Test func aSegmentWhoseNameIsTakenFailsItsWriter() async throws {
            let option: JSON = ["option": ["hls_time": "0.8", "hls_list_size": 0, "hls_flags": "temp_file"]]
            try await withServer { server in
                let first = try await server.createWriter(Self.writer("show/live.m3u8", open: option))
                let theirs = Data("theirs".utf8)
                try theirs.write(to: URL(fileURLWithPath: server.outputFolder + "/show/live1.ts"))
                try await server.sendChunk(Pictures(60).data, to: first, stream: 0)
                let finalized = try await server.curl("POST", "/v1/writers/\(first)/finalize")
                #expect(finalized.problem == "destination-exists", "\(finalized.text)")
                #expect(finalized.json["detail"].string?.contains("show/live1.ts") == true)
                let writer = try await server.writer(first)
                #expect(writer["state"] == "failed")
                #expect(try server.output("show/live1.ts") == theirs)
            }
        }

        @Test func segmentThatIsReplacedWhileItsWriterGoesOnIsNotWrittenTo() async throws {
            let option: JSON = ["option": ["hls_time": "0.8", "hls_list_size": 0]]
            try await withServer { server in
                let first = try await server.createWriter(Self.writer("show/live.m3u8", open: option))
                try await server.sendChunk(Pictures(60).data, to: first, stream: 0)
                _ = try await closed(server, "show/live0.ts", 20, overwrite: true)
                let theirs = try server.output("show/live0.ts")
                let finalized = try await server.curl("POST", "/v1/writers/\(first)/finalize")
                #expect(finalized.problem == "output-replaced", "\(finalized.text)")
                #expect(finalized.json["detail"].string?.contains("show/live0.ts") == true)
                #expect(try await delete(first, server).json["left"].array.compactMap(\.string) == ["show/live0.ts"])
                #expect(try names("/show", server) == ["live0.ts"])
                #expect(try server.output("show/live0.ts") == theirs)
            }
        }

        /// Its two folders are all that the gateway can change, whatever a record names.
        @Test func gatewayIsConfined() async throws {
            try await withServer { server in
                let status = try String(contentsOfFile: "/proc/\(server.process.pid)/status", encoding: .utf8)
                #expect(status.contains("NoNewPrivs:\t1"))
            }
        }
    }
}
