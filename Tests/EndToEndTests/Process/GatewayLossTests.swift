import Foundation
import Testing

extension EndToEnd {
    /// The gateway ends without a word.
    @Suite struct GatewayLossTests {
        private static let writerCount = 6

        @Test(arguments: [true, false])
        func killedGatewayLosesNoAcceptedFrame(restartedAtOnce: Bool) async throws {
            let clip = try await Clip.small()
            let folder = try TemporaryFolder()
            let server = try await PenstockServer.start(["--shutdown-grace", "1"], in: folder)
            let uploaders = try await Self.uploaders(on: server, clip)
            // Not opened, and in the middle of a chunk that does not go on.
            _ = try await server.curl("PUT", "/v1/writers/unopened", body: .json(["format": "wav"]))
            let stalled = try await Uploader("stalled", on: server, clip)
            try await stalled.begin(8, sending: clip.bytesPerFrame * 3 + 5)

            let loads = uploaders.map { uploader in Task { await uploader.run(to: 100_000) } }
            for uploader in uploaders {
                let isUnderWay = try await eventually { await uploader.frames >= 12 }
                #expect(isUnderWay)
            }
            let isStalling = try await eventually {
                try await server.writer("stalled")["streams"][0]["frames"] == 3
            }
            #expect(isStalling)
            server.process.signal(SIGKILL)
            let end = try await server.process.ended(within: 20)
            #expect(end == .signaled(SIGKILL))
            if !restartedAtOnce {
                let allGone = await server.log.ended(within: 20)
                #expect(allGone, "encoders outlive the gateway\n\(server.log.text)")
            }

            try await withServer(in: folder) { next in
                for uploader in uploaders + [stalled] {
                    let writer = try await next.writer(uploader.id, in: "closed")
                    #expect(writer["result"]["ended_by"] == "gateway_lost", "\(writer)")
                    let frames = writer["streams"][0]["frames"].int ?? -1
                    let accepted = await uploader.frames
                    #expect(frames >= accepted)
                    #expect(frames >= (uploader.id == "stalled" ? 3 : 12))
                    #expect(try await decodedFrames(next.outputFolder + "/\(uploader.id).mp4") == frames)
                    #expect(writer["encoder_pid"] == .null)
                }
                let unopened = try await next.writer("unopened", in: "failed")
                #expect(unopened["failure"]["type"] == "urn:penstock:problem:server-stopped", "\(unopened)")
                let list = try await next.curl("GET", "/v1/writers")
                #expect(list.json["writers"].array.count == Self.writerCount + 2)
                try await next.expectWell()
            }
            for load in loads { await load.value }
            // A client hears of what it sent: a receipt, or the end of its connection.
            for uploader in uploaders { #expect(await uploader.cut != nil) }
            let allGone = await server.log.ended(within: 20)
            #expect(allGone, "encoders outlive the gateway\n\(server.log.text)")
        }

        /// Killed where the claim had been said and was not on disk: the writer was closed by the next server, its
        /// output nowhere, and its file stayed when it was deleted. No file is made before.
        @Test func aWriterIsMadeOnlyOnceTheGatewayHasKeptItsClaim() async throws {
            let folder = try TemporaryFolder()
            let server = try await PenstockServer.start(in: folder)
            let writer: JSON = ["dst": "a.wav", "streams": [Tenants.audio], "open": true]
            let connection = try RawConnection(port: server.port)
            try await connection.send(RawConnection.head(
                "PUT", "/v1/writers/w", headers: ["Content-Type: application/json", "Expect: 100-continue"], contentLength: writer.data.count))
            #expect(try await connection.head().status == 100, "its encoder has the request")
            server.process.signal(SIGSTOP)
            try await connection.send(writer.data)
            // It claims a file, and waits.
            let isMade = try await eventually(within: 1) { FileManager.default.fileExists(atPath: folder / "output/a.wav") }
            #expect(!isMade)
            server.process.signal(SIGKILL)
            let response = try await connection.response(to: "PUT")
            #expect(response.status == 503 && response.problem == "server-stopped", "\(response.text)")
            #expect(await server.log.ended(within: 20), "encoders outlive the gateway\n\(server.log.text)")
            #expect(!FileManager.default.fileExists(atPath: folder / "output/a.wav"))
            try await withServer(in: folder) { next in
                #expect(try await next.curl("GET", "/v1/writers/w").status == 404)
                #expect(try await next.curl("PUT", "/v1/writers/w", body: .json(writer)).status == 201)
                try await next.finalize("w")
                #expect(try await next.curl("GET", "/v1/writers/w/output").status == 200)
            }
        }

        private static func uploaders(on server: PenstockServer, _ clip: Clip) async throws -> [Uploader] {
            var uploaders: [Uploader] = []
            for index in 0..<writerCount { uploaders.append(try await Uploader("w\(index)", on: server, clip)) }
            return uploaders
        }
    }
}
