import Foundation
import Testing

extension EndToEnd {
    /// Peers that take a connection and never say a word, and clients that do not wait for them.
    @Suite struct SilentPeerTests {
        struct SilentPeer: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let url: @Sendable (Int) -> String
            var format: JSON = .null
            var kind = LoopbackPort.Kind.tcp
        }

        static let peers = [
            SilentPeer(testDescription: "RTMP", url: { "rtmp://127.0.0.1:\($0)/live/key" }),
            SilentPeer(testDescription: "RTMPS", url: { "rtmps://127.0.0.1:\($0)/live/key" }),
            SilentPeer(testDescription: "RTSP", url: { "rtsp://127.0.0.1:\($0)/live" }),
            SilentPeer(testDescription: "TLS", url: { "tls://127.0.0.1:\($0)" }, format: "mpegts"),
            SilentPeer(testDescription: "HTTPS", url: { "https://127.0.0.1:\($0)/a.ts" }, format: "mpegts"),
            SilentPeer(testDescription: "Icecast", url: { "icecast://127.0.0.1:\($0)/a" }, format: "mpegts"),
            SilentPeer(testDescription: "SRT", url: { "srt://127.0.0.1:\($0)" }, kind: .udp),
        ]

        private static let allowed = ["rtmp", "rtmps", "rtsp", "tls", "https", "icecast", "srt"].flatMap {
            ["--allow-output", "\($0)://127.0.0.1:*" + (["srt", "tls"].contains($0) ? "" : "/*")]
        }

        private static func writer(_ peer: SilentPeer, _ port: Int, open: JSON = true) -> JSON {
            ["dst": .string(peer.url(port)), "format": peer.format, "streams": [Pictures.stream()], "open": open]
        }

        @Test(arguments: peers)
        func aPeerThatNeverRespondsIsGivenUpInTime(_ peer: SilentPeer) async throws {
            let trap = try TrapPort(peer.kind == .udp ? .udp : .tcp)
            try await withServer(Self.allowed + ["--open-timeout", "0.5"]) { server in
                let body = Self.writer(peer, trap.port)
                let seconds = try await secondsOf {
                    let made = try await server.curl("PUT", "/v1/writers/silent", body: .json(body))
                    #expect(made.status == 504 && made.problem == "destination-timeout", "\(made.text)")
                    #expect(made.text.contains("--open-timeout") && made.text.contains("0.5 seconds"), "\(made.text)")
                }
                #expect((0.5...20).contains(seconds), "\(seconds) s")
                #expect(try await server.curl("GET", "/v1/writers/silent").status == 404)

                // The same in two steps: there is a writer, which has failed.
                let id = try await server.createWriter(Self.writer(peer, trap.port, open: false))
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open")
                #expect(opened.status == 504 && opened.problem == "destination-timeout", "\(opened.text)")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:destination-timeout")
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
            }
        }

        /// The peer is not slow: it has not come yet.
        @Test func aWriterThatIsTheServerWaitsForItsClient() async throws {
            let port = try LoopbackPort.free()
            try await withServer(["--allow-output", "rtmp://127.0.0.1:*/*", "--open-timeout", "3"]) { server in
                let url = "rtmp://127.0.0.1:\(port.number)/live/key"
                let id = try await server.createWriter(["dst": .string(url), "streams": [Pictures.stream()]])
                async let opened = server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["listen": 1]]))
                try await port.isTaken()
                try await Task.sleep(for: .milliseconds(3_300))
                let viewer = try Peer.ffmpeg(["-i", url, "-f", "null", "-"])
                #expect(try await opened.status == 200)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                _ = try await viewer.ended()
            }
        }

        /// libsrt has a time of its own, of 3 s, after which it was the destination that had failed.
        @Test func srtHasTheTimeThatAllOthersHave() async throws {
            let trap = try TrapPort(.udp)
            try await withServer(Self.allowed + ["--open-timeout", "3.3"]) { server in
                let made = try await server.curl(
                    "POST", "/v1/writers", body: .json(Self.writer(Self.peers[Self.peers.count - 1], trap.port)))
                #expect(made.status == 504 && made.problem == "destination-timeout", "\(made.text)")
            }
        }

        /// The peer has come, and is slow.
        @Test(arguments: [("rtmp", "flv"), ("tls", "mpegts")]) func aClientThatAWriterWaitedForHasItsTimeToo(scheme: String, format: String) async throws {
            let port = try LoopbackPort.free()
            try await withServer(Self.allowed + ["--open-timeout", "0.6"]) { server in
                let url = "\(scheme)://127.0.0.1:\(port.number)" + (scheme == "rtmp" ? "/live/key" : "")
                let id = try await server.createWriter(["dst": .string(url), "format": .string(format), "streams": [Pictures.stream()]])
                async let opened = server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["listen": 1]]))
                try await port.isTaken()
                let peer = try RawConnection(port: port.number)
                let connected = ContinuousClock.now
                let response = try await opened
                let seconds = (ContinuousClock.now - connected) / .seconds(1)
                #expect(response.status == 504 && response.problem == "destination-timeout", "\(response.text)")
                #expect(seconds < 20, "\(seconds) s")
                await peer.reset()
            }
        }

        // MARK: DELETE meanwhile

        /// It deleted, and said that there was no such writer.
        @Test(arguments: peers) func aCreationThatHangsIsEndedByDelete(_ peer: SilentPeer) async throws {
            // SRT gives up by itself, and Icecast only with its process.
            if peer.kind == .udp || peer.testDescription == "Icecast" { return }
            let trap = try TrapPort(.tcp)
            try await withServer(Self.allowed) { server in
                async let made = server.curl("PUT", "/v1/writers/hanging", body: .json(Self.writer(peer, trap.port)))
                try await eventually("the connection") { trap.arrivals > 0 }
                try await inParallel(2) { _ in
                    let deleted = try await server.curl("DELETE", "/v1/writers/hanging")
                    #expect([200, 204, 404].contains(deleted.status), "\(deleted.text)")
                }
                // Of a creation that did not come back, and went with its process, it is 503.
                let answer = try await made
                #expect(answer.status == 409 && answer.problem == "wrong-state", "\(answer.text)")
                #expect(answer.text.contains("deleted"), "\(answer.text)")
                #expect(try await server.curl("GET", "/v1/writers/hanging").status == 404)
                // The id is free.
                try await eventually("a writer of the same id") {
                    try await server.curl("PUT", "/v1/writers/hanging", body: .json(["format": "wav"])).status == 201
                }
                #expect(try await server.curl("DELETE", "/v1/writers/hanging").isDeleted)
            }
        }

        @Test func oneDeleteOfAHangingCreationOrOpeningIs204() async throws {
            let trap = try TrapPort(.tcp)
            try await withServer(Self.allowed) { server in
                async let made = server.curl("PUT", "/v1/writers/hanging", body: .json(Self.writer(Self.peers[0], trap.port)))
                try await eventually("the connection") { trap.arrivals > 0 }
                let deleted = try await server.curl("DELETE", "/v1/writers/hanging")
                #expect(deleted.isDeleted, "\(deleted.text)")
                #expect(try await made.status == 409)

                let id = try await server.createWriter(Self.writer(Self.peers[0], trap.port, open: false))
                async let opened = server.curl("POST", "/v1/writers/\(id)/open")
                try await eventually("the connection") { trap.arrivals > 1 }
                let second = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(second.isDeleted, "\(second.text)")
                let answer = try await opened
                #expect(answer.status == 404, "\(answer.text)")
                #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
            }
        }

        @Test func aChunkThatItsDestinationDoesNotTakeIsEndedByDelete() async throws {
            let trap = try TrapPort(.tcp)
            try await withServer(["--allow-output", "tcp://127.0.0.1:*"]) { server in
                let id = try await server.createWriter([
                    "dst": .string("tcp://127.0.0.1:\(trap.port)"), "format": "nut", "open": true,
                    "streams": [["type": "video", "frame_rate": 25, "width": 640, "height": 480, "encoder": "rawvideo", "format": "rgb24"]],
                ])
                // More than sockets hold.
                let connection = try RawConnection(port: server.port)
                let bytes = 640 * 480 * 3 * 40
                try await connection.send(RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: bytes))
                let sender = Task { try? await connection.send(Data(count: bytes)) }
                try await eventually("frames") { try await server.writer(id)["streams"][0]["frames"].int ?? 0 > 2 }
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(deleted.isDeleted, "\(deleted.text)")
                _ = await sender.value
                // Not by the death of its process, after which it is 503.
                let answer = try await connection.response(to: "POST")
                #expect(answer.status == 409 && answer.problem == "chunk-interrupted", "\(answer.text)")
                #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
            }
        }

        // MARK: Clients that leave

        /// It was not noticed, before there was anything to give up.
        @Test func aClientThatLeavesAtOnceEndsTheWriterAsSoon() async throws {
            let trap = try TrapPort(.tcp)
            try await withServer(Self.allowed + ["--open-timeout", "60"]) { server in
                let body = try Self.writer(Self.peers[0], trap.port).data
                try await inParallel(12) { number in
                    let creation = try RawConnection(port: server.port)
                    try await creation.send(Data(RawConnection.head("PUT", "/v1/writers/left\(number)", contentLength: body.count).utf8) + body)
                    // From before it is read to when the destination is being opened.
                    try await Task.sleep(for: .milliseconds(3 * number))
                    await creation.reset()
                }
                try await eventually("the end of all writers", within: 30) {
                    try await server.curl("GET", "/v1/writers").json["writers"].array.isEmpty
                }
            }
        }

        @Test func aClientThatLeavesEndsTheWaitAndTheWriter() async throws {
            let trap = try TrapPort(.tcp)
            try await withServer(Self.allowed + ["--open-timeout", "120"]) { server in
                let creation = try RawConnection(port: server.port)
                let body = try Self.writer(Self.peers[0], trap.port).data
                try await creation.send(Data(RawConnection.head("PUT", "/v1/writers/left", contentLength: body.count).utf8) + body)
                try await eventually("the connection") { trap.arrivals > 0 }
                await creation.reset()
                try await eventually("the end of the writer", within: 30) {
                    try await server.curl("GET", "/v1/writers/left").status == 404
                }

                let id = try await server.createWriter(Self.writer(Self.peers[0], trap.port, open: false))
                let opening = try RawConnection(port: server.port)
                try await opening.send(RawConnection.head("POST", "/v1/writers/\(id)/open", contentLength: 0))
                try await eventually("the connection") { trap.arrivals > 1 }
                await opening.reset()
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["detail"].string?.contains("client left") == true, "\(failed)")
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
            }
        }
    }
}
