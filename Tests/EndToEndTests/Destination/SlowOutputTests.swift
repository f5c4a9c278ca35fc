import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Outputs that wait for a peer, on their way in or out: nothing else of the writer waits for them.
    @Suite struct SlowOutputTests {
        private static let allowed = ["--allow-output", "rtmp://127.0.0.1:*/*", "--allow-output", "tcp://127.0.0.1:*", "--allow-output", "http://127.0.0.1:*/*"]
        private static let pictures = Pictures(50)
        /// More than sockets and queues hold.
        private static let raw: JSON = ["type": "video", "frame_rate": 25, "width": 640, "height": 480, "encoder": "rawvideo", "format": "rgb24"]
        private static let rawBytes = 640 * 480 * 3 * 30

        private func add(_ output: JSON, to id: String, on server: PenstockServer) async throws -> Response {
            try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(output))
        }

        private func create(_ id: String, _ body: JSON, on server: PenstockServer) async throws {
            let made = try await server.curl("PUT", "/v1/writers/\(id)", body: .json(body))
            try #require(made.status == 201, "\(made.text)")
        }

        private func state(_ name: String, of id: String, on server: PenstockServer) async throws -> JSON {
            try await server.writer(id)["outputs"].array.first { $0["name"] == .string(name) }?["state"] ?? .null
        }

        /// A writer whose output `slow` is being removed, and whose peer reads nothing; that request.
        private func removing(_ id: String, _ trap: TrapPort, on server: PenstockServer) async throws -> Task<Response?, Never> {
            try await create(id, ["dst": "a.nut", "streams": [Self.raw], "open": true], on: server)
            let slow: JSON = ["name": "slow", "dst": .string("tcp://127.0.0.1:\(trap.port)"), "format": "nut", "on_failure": "continue", "when_slow": "drop"]
            #expect(try await add(slow, to: id, on: server).status == 201)
            try await eventually("it is open") { try await state("slow", of: id, on: server) == "open" && trap.arrivals > 0 }
            try await server.sendChunk(Data(count: Self.rawBytes), to: id, stream: 0)
            let request = Task { try? await server.curl("DELETE", "/v1/writers/\(id)/outputs/slow") }
            try await Task.sleep(for: .milliseconds(300))
            return request
        }

        @Test func outputsComeAndGoWhileOneIsBeingOpened() async throws {
            let silent = try TrapPort(.tcp)
            try await withServer(Self.allowed) { server in
                let id = try await server.createWriter(["dst": "a.mp4", "streams": [Pictures.stream(gop: 5)], "open": true])
                let opening = Task { try? await add(["name": "live", "dst": .string("rtmp://127.0.0.1:\(silent.port)/a/b")], to: id, on: server) }
                try await eventually("it is being opened") { try await state("live", of: id, on: server) == "opening" && silent.arrivals > 0 }
                #expect(try await add(["name": "record", "format": "matroska"], to: id, on: server).status == 201)
                try await server.sendChunk(Self.pictures.data, to: id, stream: 0)
                let removed = try await server.curl("DELETE", "/v1/writers/\(id)/outputs/record")
                #expect(removed.status == 200 && removed.json["state"] == "closed", "\(removed.text)")
                #expect(try await state("live", of: id, on: server) == "opening")
                // One that is removed while it is being opened says that.
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/live").status == 200)
                let refused = try #require(await opening.value)
                #expect(refused.status == 409 && refused.json["detail"].string?.contains("live was removed before") == true, "\(refused.text)")
                #expect(try await server.finalize(id)["state"] == "closed")
                #expect(try await Pictures.decoded(server.folder / "output/a.mp4") == Self.pictures.frames)
            }
        }

        @Test func outputsComeAndGoWhileOneIsBeingRemoved() async throws {
            let trap = try TrapPort(.tcp)
            try await withServer(Self.allowed) { server in
                let removing = try await removing("w", trap, on: server)
                #expect(try await add(["name": "record", "format": "nut"], to: "w", on: server).status == 201)
                #expect(try await server.curl("DELETE", "/v1/writers/w/outputs/record").status == 200)
                // Its name is its own until it has ended.
                #expect(try await add(["name": "slow", "format": "nut"], to: "w", on: server).status == 409)
                #expect(try await server.curl("DELETE", "/v1/writers/w").isDeleted)
                _ = await removing.value
            }
        }

        @Test func recordingIsWholeWhereTheServerEndsWhileAnOutputIsRemoved() async throws {
            let trap = try TrapPort(.tcp), folder = try TemporaryFolder()
            try await withServer(Self.allowed + ["--shutdown-grace", "1"], in: folder) { server in
                let removing = try await removing("w", trap, on: server)
                try await server.stop()
                _ = await removing.value
            }
            try await withServer(in: folder) { server in
                let closed = try await server.writer("w")
                #expect(closed["state"] == "closed" && closed["result"]["ended_by"] == "shutdown", "\(closed)")
                #expect((closed["result"]["bytes"].int ?? 0) > Self.rawBytes, "\(closed)")
            }
        }

        @Test func recordingIsWholeWhereTheServerEndsWhileItIsFinalized() async throws {
            let trap = try TrapPort(.tcp), folder = try TemporaryFolder()
            try await withServer(Self.allowed + ["--shutdown-grace", "1"], in: folder) { server in
                let outputs: JSON = [
                    ["name": "record", "dst": "a.nut"],
                    ["name": "slow", "dst": .string("tcp://127.0.0.1:\(trap.port)"), "format": "nut", "on_failure": "continue", "when_slow": "drop"],
                ]
                try await create("w", ["outputs": outputs, "streams": [Self.raw], "open": true], on: server)
                try await eventually("it is open") { try await state("slow", of: "w", on: server) == "open" && trap.arrivals > 0 }
                try await server.sendChunk(Data(count: Self.rawBytes), to: "w", stream: 0)
                let finalizing = Task { try? await server.curl("POST", "/v1/writers/w/finalize") }
                try await eventually("it is being finalized") { try await server.writer("w")["state"] == "finalizing" }
                try await server.stop()
                _ = await finalizing.value
            }
            try await withServer(in: folder) { server in
                let closed = try await server.writer("w")
                #expect(closed["state"] == "closed" && (closed["outputs"][0]["bytes"].int ?? 0) > Self.rawBytes, "\(closed)")
                #expect(closed["outputs"][1]["state"] == "failed", "\(closed)")
            }
        }

        @Test func writerMayHaveHadManyFiles() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.wav", "streams": [["type": "audio", "sample_rate": 16000, "num_channels": 1]], "open": true])
                for number in 0..<110 {
                    let added = try await add(["name": .string("part-\(number)"), "format": "wav"], to: id, on: server)
                    try #require(added.status == 201, "\(number): \(added.text)")
                    try await server.sendChunk(Data(count: 640), to: id, stream: 0)
                    try #require(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/part-\(number)").json["state"] == "closed")
                }
                let closed = try await server.finalize(id)
                #expect(closed["state"] == "closed" && closed["outputs"].array.count == 111, "\(closed)")
                let last = try await server.curl("GET", "/v1/writers/\(id)/outputs/part-109")
                #expect(last.status == 200 && last.body.count == closed["outputs"][110]["bytes"].int, "\(last.text)")
            }
        }

        /// dash refuses them when it is opened, and had emptied what lay at its names by then.
        @Test func renditionsOfSeveralAspectsAreRefusedBeforeAnythingIsSent() async throws {
            let peer = try ScriptedServer(), name = String.unique()
            let stream: JSON = [
                "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "rgb24",
                "renditions": [["name": "a", "encoder": "libx264", "encoder_format": "yuv420p"], ["name": "b", "encoder": "libx264", "encoder_format": "yuv420p", "encoder_width": 32, "encoder_height": 32]],
            ]
            try await withServer(Self.allowed) { server in
                for path in ["/v1/writers?dry_run=true", "/v1/writers"] {
                    let refused = try await server.curl(
                        "POST", path, body: .json(["dst": .string("\(peer.origin)/\(name)/a.mpd"), "format": "dash", "streams": [stream], "open": true]))
                    #expect(refused.status == 422 && refused.json["parameter"] == "streams.0.renditions", "\(path): \(refused.text)")
                }
                #expect(try peer.requests(name).isEmpty)
            }
        }
    }
}
