import Foundation
import Testing

extension EndToEnd {
    /// URLs through libav's protocols, each with a receiver at the other end.
    @Suite struct TransportTests {
        struct Transport: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let kind: LoopbackPort.Kind
            /// With PORT for the port.
            let destination: String
            /// At a port, into a file.
            let receiver: @Sendable (Int, String) throws -> Peer
            /// Of datagrams none says that it is the last.
            var hasEnd = true
        }

        static let transports = [
            Transport(
                testDescription: "srt", kind: .udp, destination: "srt://127.0.0.1:PORT",
                receiver: { port, file in try Peer.ffmpeg(["-i", "srt://127.0.0.1:\(port)?mode=listener", "-c", "copy", file]) }),
            Transport(
                testDescription: "udp", kind: .udp, destination: "udp://127.0.0.1:PORT?pkt_size=1316",
                receiver: { port, file in try Peer("python3", ["-c", TransportTests.keepDatagrams, "\(port)", file]) }, hasEnd: false),
            Transport(
                testDescription: "tcp", kind: .tcp, destination: "tcp://127.0.0.1:PORT",
                receiver: { port, file in try Peer.ffmpeg(["-f", "mpegts", "-i", "tcp://127.0.0.1:\(port)?listen=1", "-c", "copy", file]) }),
        ]

        /// Runs until it is killed: ffmpeg would end once nothing had come for some time, also at the beginning.
        private static let keepDatagrams = """
            import socket, sys
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            receiver.bind(("127.0.0.1", int(sys.argv[1])))
            with open(sys.argv[2], "wb", 0) as file:
                while True:
                    file.write(receiver.recv(65536))
            """

        @Test(arguments: transports)
        func everyFrameArrives(by transport: Transport) async throws {
            let pictures = Pictures(60)
            let port = try LoopbackPort.free(transport.kind)
            func filled(_ text: String) -> String { text.replacingOccurrences(of: "PORT", with: "\(port.number)") }
            let folder = try TemporaryFolder()
            let received = folder / "received.ts"
            let receiver = try transport.receiver(port.number, received)
            try await port.isTaken()
            let pattern = filled(transport.destination).components(separatedBy: "?")[0] + "*"
            // A proxy of the environment, which libav would ask by itself, is no destination. Nobody is there.
            try await withServer(["--allow-output", pattern], environment: ["http_proxy": "http://127.0.0.1:9"]) { server in
                let id = try await server.createWriter([
                    "dst": .string(filled(transport.destination)), "streams": [Pictures.stream()],
                    "open": true,
                ])
                // As live sources send: what is sent all at once, udp may drop.
                for frame in pictures.frames {
                    try await server.sendChunk(frame, to: id, stream: 0)
                }
                let closed = try await server.finalize(id)
                #expect(closed["format"] == "mpegts")
                #expect(closed["result"]["bytes"].int ?? 0 > 10_000)
                if transport.hasEnd {
                    try await receiver.ended()
                } else {
                    try await eventually("all datagrams") { await Pictures.decodedSoFar(received).count >= pictures.frames.count }
                    try await receiver.stop(with: SIGKILL)
                }
                #expect(try await Pictures.decoded(received) == pictures.frames)
            }
        }

        @Test func urlsAreRefusedUnlessAPatternOfTheOperatorNamesThem() async throws {
            let urls = [
                "rtmp://127.0.0.1/live/x", "srt://127.0.0.1:9", "udp://127.0.0.1:9", "tcp://127.0.0.1:9",
                "http://127.0.0.1:9/x.ts", "file:///tmp/x.ts", "pipe:1", "tee:a.ts", "concat:a.ts", "unix:///tmp/x.ts",
                "subfile,,start,0,end,0,,:x.ts", "crypto:x.ts", "async:x.ts", "data://x.ts", "fd:1", "cache:x.ts",
            ]
            try await withServer { server in
                for url in urls { try await expectRefusal(of: url, on: server, saying: "dst") }
            }
            let patterns = ["udp://127.0.0.1:9", "tcp://*.example.com:*"]
            try await withServer(patterns.flatMap { ["--allow-output", $0] }) { server in
                for url in urls.filter({ $0 != "udp://127.0.0.1:9" }) + ["tcp://example.org:1/.example.com:2"] {
                    try await expectRefusal(of: url, on: server, saying: "dst")
                }
                _ = try await server.createWriter(["dst": "udp://127.0.0.1:9", "format": "mpegts"])
                _ = try await server.createWriter(["dst": "tcp://a.example.com:1", "format": "mpegts"])
            }
        }

        @Test func patternOfWhatNobodyWritesByKeepsTheServerFromStarting() async throws {
            for pattern in ["file:///*", "pipe://*", "rist://*", "*://*/*", "rtmp:live"] {
                let (process, log) = try PenstockServer.launch(["serve", "--port", "0", "--allow-output", pattern])
                #expect(try await process.ended(within: 20) == .exited(64), "\(pattern)")
                #expect(await log.line(containing: "--allow-output \(pattern)", within: 20) != nil, "\(log.text)")
            }
        }

        private func expectRefusal(of url: String, on server: PenstockServer, saying parameter: String) async throws {
            let response = try await server.curl("POST", "/v1/writers", body: .json(["dst": .string(url), "format": "mpegts"]))
            #expect(response.status == 403, "\(url): \(response.text)")
            #expect(response.problem == "forbidden-destination", "\(url)")
            #expect(response.json["parameter"] == .string(parameter), "\(url)")
        }

        @Test func optionThatNeitherProtocolNorMuxerTakesIsNamed() async throws {
            let port = try LoopbackPort.free(.udp)
            try await withServer(["--allow-output", "udp://127.0.0.1:*"]) { server in
                let response = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json([
                        "dst": .string("udp://127.0.0.1:\(port.number)"), "streams": [Pictures.stream()],
                        "open": ["option": ["pkt_size": 1316, "pkt_sise": 1]],
                    ]))
                #expect(response.status == 422, "\(response.text)")
                #expect(response.problem == "unknown-option")
                #expect(response.json["parameter"] == "option.pkt_sise")
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
            }
        }
    }
}
