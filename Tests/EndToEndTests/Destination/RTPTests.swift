import Foundation
import Testing

extension EndToEnd {
    /// RTP to ffmpeg, which knows of the stream by its SDP alone, and RTSP.
    @Suite struct RTPTests {
        private static let allowed = ["rtp", "srtp"].flatMap { ["--allow-output", "\($0)://127.0.0.1:*"] }
        /// 16 bytes of a key and 14 of salt, in base64.
        private static let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
        private static let encryption: JSON = ["srtp_out_suite": "AES_CM_128_HMAC_SHA1_80", "srtp_out_params": .string(key)]

        /// RFC 8866, 6184 and 4568.
        private static func description(port: Int, encrypted: Bool) -> String {
            [
                "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "c=IN IP4 127.0.0.1", "t=0 0",
                "m=video \(port) RTP/\(encrypted ? "SAVP" : "AVP") 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1",
                encrypted ? "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\(key)" : "a=recvonly",
            ].joined(separator: "\r\n") + "\r\n"
        }

        /// What a receiver decodes of 60 pictures sent to `url`.
        private func received(_ input: [String], at port: LoopbackPort, from url: String, _ format: String, option: JSON = [:]) async throws -> [Data] {
            let pictures = Pictures(60)
            let folder = try TemporaryFolder()
            let receiver = try Peer.ffmpeg(
                ["-protocol_whitelist", "file,udp,rtp,srtp", "-analyzeduration", "200000"] + input
                    + ["-frames:v", "20", "-f", "rawvideo", "-pix_fmt", "yuv420p", folder / "raw"])
            try await port.isTaken()
            return try await withServer(Self.allowed) { server in
                let id = try await server.createWriter([
                    "dst": .string(url), "format": .string(format), "streams": [Pictures.stream()], "open": ["option": option],
                ])
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                try await server.finalize(id)
                #expect(try await receiver.ended() == .exited(0), "\(receiver.errors)")
                let seen = Pictures.frames(of: try Data(contentsOf: URL(fileURLWithPath: folder / "raw")))
                #expect(seen.count == 20 && seen.allSatisfy { pictures.frames.contains($0) })
                return seen
            }
        }

        /// Its encoder was ended by SIGSEGV: the port of RTCP, the next one, was refused it.
        @Test(arguments: [false, true]) func whatIsSentByRTPIsReceivedByItsDescription(encrypted: Bool) async throws {
            let port = try LoopbackPort.free(.udp)
            let folder = try TemporaryFolder()
            let file = folder / "a.sdp"
            try Self.description(port: port.number, encrypted: encrypted).write(toFile: file, atomically: true, encoding: .utf8)
            let url = "\(encrypted ? "srtp" : "rtp")://127.0.0.1:\(port.number)"
            _ = try await received(["-i", file], at: port, from: url, "rtp", option: encrypted ? Self.encryption : [:])
        }

        @Test func mpegTSInRTPNeedsNoDescription() async throws {
            let port = try LoopbackPort.free(.udp)
            let url = "rtp://127.0.0.1:\(port.number)"
            _ = try await received(["-i", url], at: port, from: url, "rtp_mpegts")
        }

        @Test(arguments: ["udp", "tcp"]) func anRTSPServerRecordsWhatIsAnnounced(transport: String) async throws {
            let port = try LoopbackPort.free()
            let pictures = Pictures(50)
            let folder = try TemporaryFolder()
            let url = "rtsp://127.0.0.1:\(port.number)/live"
            let recorder = try Peer.ffmpeg([
                "-rtsp_flags", "listen", "-i", url, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough", folder / "raw",
            ])
            try await port.isTaken()
            try await withServer(["--allow-output", "rtsp://127.0.0.1:*/*"]) { server in
                let id = try await server.createWriter([
                    "dst": .string(url), "streams": [Pictures.stream()], "open": ["option": ["rtsp_transport": .string(transport)]],
                ])
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                try await server.finalize(id)
                #expect(try await recorder.ended() == .exited(0), "\(recorder.errors)")
                #expect(Pictures.frames(of: try Data(contentsOf: URL(fileURLWithPath: folder / "raw"))) == pictures.frames)
            }
        }

        /// Opened against a file, the muxers had no packets to fill: "Max packet size 0 too low".
        @Test(arguments: ["rtp", "rtp_mpegts"]) func aDryRunOpensWhatCreatingOpens(format: String) async throws {
            try await withServer(Self.allowed) { server in
                let body: JSON = ["dst": "rtp://127.0.0.1:5000", "format": .string(format), "streams": [Pictures.stream()], "open": true]
                let dry = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(body))
                #expect(dry.status == 200, "\(dry.text)")
            }
        }

        @Test func whatNoReceiverWouldUnderstandOrKeepSecretIsRefused() async throws {
            try await withServer(Self.allowed) { server in
                let cases: [(String, String, JSON, String)] = [
                    ("rtp://127.0.0.1:9", "mpegts", [:], "/format"), ("srtp://127.0.0.1:9", "nut", [:], "/format"),
                    ("srtp://127.0.0.1:9", "rtp", [:], "/open/option/srtp_out_suite"),
                    ("srtp://127.0.0.1:9", "rtp", ["srtp_out_suite": "AES_CM_128_HMAC_SHA1_80"], "/open/option/srtp_out_params"),
                ]
                for (url, format, option, pointer) in cases {
                    let response = try await server.curl(
                        "POST", "/v1/writers?dry_run=true",
                        body: .json(["dst": .string(url), "format": .string(format), "streams": [Pictures.stream()], "open": ["option": option]]))
                    #expect(response.status == 422 && response.json["pointer"].string == pointer, "\(response.text)")
                }
            }
        }
    }
}
