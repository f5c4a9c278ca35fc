import Foundation
import Testing

extension EndToEnd {
    /// SIGTERM under load.
    @Suite struct ShutdownTests {
        private static let count = 5

        @Test func terminatedServerLetsUploadsEndAndFinalizesEveryWriter() async throws {
            let clip = try await Clip.small()
            let folder = try TemporaryFolder()
            let server = try await PenstockServer.start(["--shutdown-grace", "60"], in: folder)
            let sent = clip.bytesPerFrame * 2 + 77
            var uploaders: [Uploader] = []
            for index in 0..<Self.count {
                let uploader = try await Uploader("w\(index)", on: server, clip)
                try await uploader.begin(6, sending: sent)
                uploaders.append(uploader)
            }
            let idle = try await Uploader("idle", on: server, clip)
            await idle.run(to: 4)
            for uploader in uploaders {
                let isUnderWay = try await eventually { try await server.writer(uploader.id)["streams"][0]["frames"] == 2 }
                #expect(isUnderWay)
            }
            server.process.signal(SIGTERM)
            #expect(await server.log.line(containing: "ending", within: 20) != nil)

            let ready = try await server.curl("GET", "/readyz")
            #expect(ready.status == 503)
            #expect(ready.problem == "server-stopped")
            #expect(ready["Connection"] == "close")
            #expect(try await server.curl("GET", "/livez").status == 200)
            let refused = try await server.curl("POST", "/v1/writers", body: .json(["format": "wav"]))
            #expect(refused.status == 503)
            #expect(refused.problem == "server-stopped")
            let chunk = try await server.curl(
                "POST", "/v1/writers/w0/streams/0/chunks", body: .bytes(clip.frames(0..<1)))
            #expect(chunk.status == 503, "\(chunk.text)")

            for uploader in uploaders {
                let receipt = try await uploader.end(6, after: sent)
                #expect(receipt.status == 200, "\(receipt.text)")
                #expect(receipt.json["frames"] == 6)
                #expect(receipt["Connection"] == "close")
            }
            let end = try await server.process.ended(within: 30)
            #expect(end == .exited(0), "\(server.log.text)")
            #expect(await server.log.ended(within: 20))
            try await expectClosed(folder, uploaders.map(\.id), frames: 6)
            try await expectClosed(folder, ["idle"], frames: 4)
        }

        @Test func uploadThatDoesNotEndIsEndedByTheGrace() async throws {
            let clip = try await Clip.small()
            let folder = try TemporaryFolder()
            let server = try await PenstockServer.start(["--shutdown-grace", "1"], in: folder)
            let uploader = try await Uploader("stalled", on: server, clip)
            try await uploader.begin(6, sending: clip.bytesPerFrame * 3 + 1)
            let isUnderWay = try await eventually { try await server.writer("stalled")["streams"][0]["frames"] == 3 }
            #expect(isUnderWay)
            let seconds = try await Self.secondsToEnd(server)
            // Ten seconds after the grace the gateway ends in any case.
            #expect((0.9...10).contains(seconds), "\(seconds) s")
            try await expectClosed(folder, ["stalled"], frames: 3)
        }

        @Test func secondTermIsQuicker() async throws {
            let clip = try await Clip.small()
            let folder = try TemporaryFolder()
            let server = try await PenstockServer.start(["--shutdown-grace", "60"], in: folder)
            let uploader = try await Uploader("stalled", on: server, clip)
            try await uploader.begin(6, sending: clip.bytesPerFrame * 3 + 1)
            let isUnderWay = try await eventually { try await server.writer("stalled")["streams"][0]["frames"] == 3 }
            #expect(isUnderWay)
            server.process.signal(SIGTERM)
            // Two signals at once would be one.
            #expect(await server.log.line(containing: "ending: open writers", within: 20) != nil)
            let seconds = try await Self.secondsToEnd(server)
            print("a second SIGTERM: the end after \(seconds.short) s")
            #expect(seconds < 20)
            // What was taken is kept all the same.
            try await expectClosed(folder, ["stalled"], frames: 3)
        }

        @Test func silentConnectionsDoNotHoldUpTheEnd() async throws {
            let server = try await PenstockServer.start(["--head-timeout", "120", "--idle-connection-timeout", "120", "--shutdown-grace", "60"])
            let silent = try RawConnection(port: server.port)
            let half = try RawConnection(port: server.port)
            try await half.send("GET /livez HT")
            #expect(try await server.curl("GET", "/livez").status == 200)
            let seconds = try await Self.secondsToEnd(server)
            #expect(seconds < 20)
            #expect(try await silent.isClosed())
            #expect(try await half.isClosed())
        }

        private static func secondsToEnd(_ server: PenstockServer) async throws -> Double {
            try await secondsOf {
                let end = try await server.end(by: SIGTERM)
                #expect(end == .exited(0), "\(server.log.text)")
            }
        }

        private func expectClosed(_ folder: TemporaryFolder, _ ids: [String], frames: Int) async throws {
            try await withServer(in: folder) { server in
                for id in ids {
                    let writer = try await server.writer(id)
                    #expect(writer["state"] == "closed", "\(writer)")
                    #expect(writer["result"]["ended_by"] == "shutdown")
                    #expect(writer["streams"][0]["frames"].int == frames)
                    #expect(try await decodedFrames(server.outputFolder + "/\(id).mp4") == frames)
                }
            }
        }
    }
}
