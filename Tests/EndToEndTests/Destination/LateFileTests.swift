import Foundation
import Testing

extension EndToEnd {
    /// Files of the server's that come to an open writer: a recording that is begun and ended while a stream goes on.
    @Suite struct LateFileTests {
        private func open(_ dst: String, on server: PenstockServer) async throws -> String {
            try await server.createWriter(["dst": .string(dst), "streams": [Pictures.stream(gop: 20)], "open": true])
        }

        private func add(_ name: String, _ format: String, to id: String, on server: PenstockServer) async throws -> Response {
            try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(["name": .string(name), "format": .string(format)]))
        }

        private func decoded(_ bytes: Data) async throws -> [Data] {
            let folder = try TemporaryFolder()
            try bytes.write(to: URL(fileURLWithPath: folder / "file"))
            return try await Pictures.decoded(folder / "file")
        }

        @Test func recordingThatIsBegunAndEndedWhileTheStreamGoesOnIsWholeAndStays() async throws {
            let pictures = Pictures(160)
            let folder = try TemporaryFolder()
            let (id, clip, rest) = try await withServer(in: folder) { server in
                let id = try await open("a.mp4", on: server)
                try await server.sendChunk(Pictures.joined(pictures.frames[0..<40]), to: id, stream: 0)
                let added = try await add("clip", "mp4", to: id, on: server)
                #expect(added.status == 201 && added.json["state"] == "open", "\(added.text)")
                try await server.sendChunk(Pictures.joined(pictures.frames[40..<120]), to: id, stream: 0)
                // It waits for the end, as mp4 goes back in what it has written, and that of the output is enough.
                async let followed = server.curl("GET", "/v1/writers/\(id)/outputs/clip")
                let ended = try await server.curl("DELETE", "/v1/writers/\(id)/outputs/clip")
                #expect(ended.status == 200 && ended.json["state"] == "closed" && ended.json["output"].string == "/v1/writers/\(id)/outputs/clip", "\(ended.text)")
                let clip = try await server.curl("GET", "/v1/writers/\(id)/outputs/clip").body
                #expect(try await followed.body == clip && ended.json["bytes"].int == clip.count)
                let found = try await decoded(clip)
                let start = try #require(pictures.frames.firstIndex(of: found[0]))
                // Some are in the encoder still.
                #expect((38...42).contains(start) && found.count > 30 && found == Array(pictures.frames[start..<start + found.count]))
                #expect(ended.json["verified"]["streams"][0]["packets"].int == found.count)
                // Its name stays its own, and a second one takes another.
                let again = try await add("clip", "mp4", to: id, on: server)
                #expect(again.status == 409 && again.problem == "output-exists")
                #expect(try await add("rest", "mpegts", to: id, on: server).status == 201)
                async let live = server.curl("GET", "/v1/writers/\(id)/outputs/rest")
                try await server.sendChunk(Pictures.joined(pictures.frames[120..<160]), to: id, stream: 0)
                let closed = try await server.finalize(id)
                #expect(closed["outputs"].array.map { $0["name"] } == ["main", "clip", "rest"])
                #expect(closed["outputs"].array.map { $0["state"] } == ["closed", "closed", "closed"])
                #expect(closed["outputs"][1]["verified"] == ended.json["verified"])
                let rest = try await server.curl("GET", "/v1/writers/\(id)/outputs/rest").body
                #expect(try await live.body == rest && rest.count == closed["outputs"][2]["bytes"].int)
                #expect(try await Pictures.decoded(server.outputFolder + "/a.mp4") == pictures.frames)
                // After the encoder is gone, and after the server was.
                #expect(try await server.curl("GET", "/v1/writers/\(id)/outputs/clip").body == clip)
                return (id, clip, rest)
            }
            try await withServer(in: folder) { server in
                #expect(try await server.curl("GET", "/v1/writers/\(id)/outputs/clip").body == clip)
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(deleted.json["managed_output_bytes"].int == clip.count + rest.count, "\(deleted.text)")
            }
        }

        @Test func whatWasWrittenIsThereWhereTheEncoderDies() async throws {
            let pictures = Pictures(120)
            try await withServer { server in
                let id = try await open("a.mkv", on: server)
                #expect(try await add("clip", "matroska", to: id, on: server).status == 201)
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/clip").json["state"] == "closed")
                let clip = try await server.curl("GET", "/v1/writers/\(id)/outputs/clip").body
                let process = try #require(try await server.writer(id)["encoder_pid"].int)
                kill(pid_t(process), SIGKILL)
                try await eventually("it has failed") { try await server.writer(id)["state"] == "failed" }
                let read = try await server.curl("GET", "/v1/writers/\(id)/outputs/clip")
                #expect(read.status == 200 && read.body == clip)
                #expect(try await decoded(clip).count > 60)
            }
        }

        @Test func outputThatCantBeMadeLeavesNoFileAndItsName() async throws {
            try await withServer { server in
                let id = try await open("a.ts", on: server)
                // The headers of x264 are in its packets here.
                let refused = try await add("clip", "mp4", to: id, on: server)
                #expect(refused.status == 422 && refused.text.contains("headers"), "\(refused.text)")
                #expect(try await server.curl("GET", "/v1/writers/\(id)/outputs/clip").problem == "output-not-found")
                for _ in 0..<2 { #expect(try await add("clip", "mp4", to: id, on: server).status == 422) }
                #expect(try await add("clip", "mpegts", to: id, on: server).status == 201)
                try await server.sendChunk(Pictures(30).data, to: id, stream: 0)
                let closed = try await server.finalize(id)
                #expect(closed["outputs"].array.map { $0["state"] } == ["closed", "closed"])
                #expect(try await decoded(server.curl("GET", "/v1/writers/\(id)/outputs/clip").body) == Pictures(30).frames)
            }
        }
    }
}
