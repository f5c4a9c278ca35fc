import Crypto
import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Outputs that go to a server of HTTP: what it has decides, and nothing else.
    @Suite struct HTTPUploadTests {
        private static let allowed = ["--allow-output", "http://127.0.0.1:*/*"]
        private static let live: JSON = ["format": "mpegts", "streams": [Pictures.stream()], "open": true]

        static func sha256(_ data: Data) -> String { SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined() }

        /// What a writer with these members makes of the pictures, sent and finalized; the answer that ended it.
        private func write(_ pictures: Pictures, _ request: JSON, on server: PenstockServer) async throws -> (ended: JSON, status: Int) {
            let made = try await server.curl("POST", "/v1/writers", body: .json(request))
            guard made.status == 201, let id = made.json["id"].string else { return (made.json, made.status) }
            let sent = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(pictures.data))
            if sent.status != 200 { return (sent.json, sent.status) }
            let ended = try await server.curl("POST", "/v1/writers/\(id)/finalize")
            return (ended.json, ended.status)
        }

        private func request(_ url: String, format: String, option: JSON = [:], _ more: JSON = [:]) -> JSON {
            let request: JSON = ["dst": .string(url), "format": .string(format), "streams": [Pictures.stream()], "open": ["option": option]]
            return request.merging(more)
        }

        /// The same into a file of the server's.
        private func file(_ pictures: Pictures, _ name: String, format: String, option: JSON = [:], on server: PenstockServer) async throws -> Data {
            let (ended, status) = try await write(pictures, request(name, format: format, option: option), on: server)
            try #require(status == 200, "\(ended)")
            return try server.output(name)
        }

        // MARK: One file

        @Test func serverHasTheBytesOfTheSameFileWhetherTheyGoOutLiveOrAreSpooled() async throws {
            let peer = try ScriptedServer(), pictures = Pictures(60)
            try await withServer(Self.allowed) { server in
                for (format, option, hasLength) in [
                    ("mpegts", [:] as JSON, false), ("mp4", [:], true), ("mp4", ["movflags": "frag_keyframe+empty_moov"], false), ("nut", [:], false), ("avi", [:], true),
                ] {
                    let name = String.unique()
                    let (ended, status) = try await write(
                        pictures, request("\(peer.origin)/\(name)/200@end", format: format, option: option), on: server)
                    #expect(status == 200 && ended["state"] == "closed", "\(format): \(ended)")
                    let expected = try await file(pictures, "\(name).\(format)", format: format, option: option, on: server)
                    let came = try peer.requests(name)
                    #expect(came.map(\.method) == ["PUT"])
                    #expect(came.first?.sha256 == Self.sha256(expected), "\(format) has \(came.first?.bytes ?? -1) bytes, and the file \(expected.count)")
                    #expect(came.first?.headers["content-length"] == (hasLength ? "\(expected.count)" : nil))
                    #expect(came.first?.headers["transfer-encoding"] == (hasLength ? nil : "chunked"))
                }
            }
        }

        @Test func methodAndHeadersAreTheClientsAndShownNowhere() async throws {
            let peer = try ScriptedServer(), name = String.unique(), key = "k3y-of-the-headers"
            try await withServer(Self.allowed) { server in
                let option: JSON = ["method": "POST", "headers": .string("Authorization: Bearer \(key)\r\nX-Show: 7"), "user_agent": "mine/1"]
                let url = "http://u5er:pa55word@" + peer.origin.dropFirst(7) + "/\(name)/403@1000;Say=ECHO?sig=\(key)"
                let (ended, status) = try await write(Pictures(50), request(url, format: "mpegts", option: option, ["cache_control": "no-store"]), on: server)
                #expect(status == 502, "\(ended)")
                let came = try #require(try peer.requests(name).first)
                #expect(came.method == "POST")
                #expect(came.headers["authorization"] == "Bearer \(key)" && came.headers["x-show"] == "7")
                #expect(came.headers["user-agent"] == "mine/1" && came.headers["cache-control"] == "no-store")
                #expect(came.headers["content-type"]?.lowercased() == "video/mp2t")
                let shown = "\(ended) \(try await server.curl("GET", "/v1/writers").json) \(server.log.text)"
                for secret in [key, "u5er", "pa55word", name] { #expect(!shown.contains(secret), "\(secret) is shown") }
            }
        }

        // MARK: What the server says

        @Test(arguments: [200, 201, 204])
        func statusOfSuccessCloses(status: Int) async throws {
            let peer = try ScriptedServer()
            try await withServer(Self.allowed) { server in
                for format in ["mpegts", "mp4"] {
                    let (ended, _) = try await write(Pictures(10), request("\(peer.origin)/\(String.unique())/\(status)@end", format: format), on: server)
                    #expect(ended["state"] == "closed", "\(format): \(ended)")
                }
            }
        }

        @Test func otherStatusesFailWhereverTheyCome() async throws {
            let peer = try ScriptedServer(), pictures = Pictures(60)
            try await withServer(Self.allowed + ["--upload-retry-time", "0"]) { server in
                for status in [301, 400, 401, 403, 404, 409, 413, 429, 500, 501, 503] {
                    for place in ["head", "20000", "end"] {
                        for format in ["mpegts", "mp4"] {
                            let url = "\(peer.origin)/\(String.unique())/\(status)@\(place);Say=reason_of_the_server;Location=http://10.0.0.1/x"
                            let (ended, got) = try await write(pictures, request(url, format: format), on: server)
                            #expect(got == 502 && ended["type"].string?.hasSuffix("destination-failed") == true, "\(status)@\(place) \(format): \(got) \(ended)")
                            let detail = ended["detail"].string ?? ""
                            #expect(detail.contains("\(status)"), "\(detail)")
                            #expect(detail.contains("reason of the server") || status == 301, "\(detail)")
                        }
                    }
                }
                let states = try await server.curl("GET", "/v1/writers").json["writers"].array.map { $0["state"].string }
                #expect(!states.contains("closed") && !states.contains("open"), "\(states)")
            }
        }

        /// What was in memory still, or in the spool, is sent again.
        @Test func whatPassesIsWaitedOutWithinTheTimeForRetries() async throws {
            let peer = try ScriptedServer(), pictures = Pictures(60)
            try await withServer(Self.allowed) { server in
                for (format, steps) in [
                    ("mp4", "503@end,cut@1000,429@head;Retry-After=1,lost@end,200@end"), ("mpegts", "cut@1000,503@end,200@end"), ("mpegts", "411@end,201@end"),
                ] {
                    let name = String.unique()
                    let (ended, _) = try await write(pictures, request("\(peer.origin)/\(name)/\(steps)", format: format), on: server)
                    #expect(ended["state"] == "closed", "\(format) \(steps): \(ended)")
                    let expected = try await file(pictures, "\(name).\(format)", format: format, on: server)
                    let came = try peer.requests(name)
                    #expect(came.count == steps.split(separator: ",").count)
                    #expect(came.last?.sha256 == Self.sha256(expected))
                }
            }
        }

        @Test func redirectionIsFollowedWhereThePatternsAllowIt() async throws {
            let peer = try ScriptedServer(), other = try ScriptedServer(), name = String.unique()
            try await withServer(["--allow-output", "\(peer.origin)/*", "--allow-output", "\(other.origin)/\(name)/*"]) { server in
                let (followed, _) = try await write(
                    Pictures(10), request("\(peer.origin)/\(String.unique())/307@end;Location=\(other.origin)/\(name)/200@end", format: "mp4"), on: server)
                #expect(followed["state"] == "closed", "\(followed)")
                #expect(try other.requests(name).last?.whole == true)
                for place in ["\(other.origin)/elsewhere/200@end", "http://127.0.0.1:\(server.port)/v1/writers", "http://169.254.169.254/x", "file:///etc/passwd"] {
                    let (refused, status) = try await write(
                        Pictures(10), request("\(peer.origin)/\(String.unique())/307@end;Location=\(place)", format: "mp4"), on: server)
                    #expect(status == 502 && refused["detail"].string?.contains("307") == true, "\(place): \(refused)")
                    let reason = place.hasPrefix("http") ? "is not followed: " : "no URL of http"
                    #expect(refused["detail"].string?.contains(reason) == true, "\(place): \(refused)")
                }
                #expect(try other.requests("elsewhere").isEmpty)
            }
        }

        // MARK: Options

        @Test(arguments: [
            ("reconnect", "1", "--upload-retry-time"), ("cookies", "a=b", "headers"), ("tls_verify", "0", "always verified"),
            ("chunked_post", "0", "chunked"), ("send_expect_100", "1", "leave is asked"), ("multiple_requests", "1", "kept by themselves"),
        ])
        func optionOfLibavsHTTPIsRefusedWithWhatToSay(name: String, value: String, advice: String) async throws {
            try await withServer(Self.allowed) { server in
                for format in ["mpegts", "mp4", "hls"] {
                    let refused = try await server.curl(
                        "POST", "/v1/writers", body: .json(request("http://127.0.0.1:9/x", format: format, option: [name: .string(value)])))
                    #expect(refused.status == 422 && refused.json["parameter"] == .string("option.\(name)"), "\(refused.text)")
                    #expect(refused.json["detail"].string?.contains(advice) == true, "\(refused.text)")
                }
            }
        }

        @Test func encryptionOfHLSIsRefusedForWhatIsUploaded() async throws {
            try await withServer(Self.allowed) { server in
                let request = request("http://127.0.0.1:9/x.m3u8", format: "hls", option: ["hls_enc": 1, "hls_enc_key": "0123456789abcdef", "hls_enc_key_url": "http://127.0.0.1:9/x.key"])
                let refused = try await server.curl("POST", "/v1/writers", body: .json(request))
                #expect(refused.status == 422 && refused.json["parameter"] == "option.hls_enc", "\(refused.text)")
            }
        }

        @Test func headerThatIsSaidTwiceIsRefused() async throws {
            try await withServer(Self.allowed) { server in
                let refused = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json(request("http://127.0.0.1:9/x", format: "mp4", option: ["headers": "Cache-Control: a"], ["cache_control": "b"])))
                #expect(refused.status == 422 && refused.json["parameter"] == "cache_control", "\(refused.text)")
            }
        }

        @Test func fieldsOfUploadsAreForUploads() async throws {
            try await withServer(Self.allowed) { server in
                for (dst, format, field, value) in [
                    ("a.mp4", "mp4", "content_type", "video/mp4" as JSON), ("http://127.0.0.1:9/x", "mp4", "storage_class", "STANDARD"),
                    ("http://127.0.0.1:9/x", "mp4", "object_metadata", ["a": "b"]), ("http://127.0.0.1:9/x", "hls", "content_type", "video/mp2t"),
                    ("http://127.0.0.1:9/x", "mp4", "cache_control", "a\nb"),
                ] {
                    let refused = try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(request(dst, format: format, [field: value])))
                    #expect(refused.status == 422 && refused.json["parameter"] == .string(field), "\(field): \(refused.text)")
                }
            }
        }

        @Test func whatGrowsBeyondTheBoundOfAFileFails() async throws {
            let peer = try ScriptedServer(), name = String.unique()
            let sound: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16", "encoder": "pcm_s16le"]
            try await withServer(Self.allowed + ["--max-output-bytes", "1048576"]) { server in
                for bytes in [1_000_000, 3_000_000] {
                    let made = try await server.createWriter(["dst": .string("\(peer.origin)/\(name)/200@end"), "format": "nut", "streams": [sound], "open": true])
                    let sent = try await server.curl("POST", "/v1/writers/\(made)/streams/0/chunks", body: .bytes(Data(count: bytes)))
                    let ended = sent.status == 200 ? try await server.curl("POST", "/v1/writers/\(made)/finalize") : sent
                    #expect(ended.status == (bytes > 1_048_576 ? 507 : 200), "\(ended.text)")
                    if bytes > 1_048_576 { #expect(ended.json["limit"] == 1_048_576 && ended.json["detail"].string?.contains("--max-output-bytes") == true, "\(ended.text)") }
                }
            }
        }

        @Test func outputThatIsSentElsewhereIsNotAwaitedByWhoReadsIt() async throws {
            let peer = try ScriptedServer()
            try await withServer(Self.allowed) { server in
                for format in ["mp4", "mpegts"] {
                    let id = try await server.createWriter(request("\(peer.origin)/\(String.unique())/200@end", format: format))
                    for path in ["output", "outputs/default"] {
                        let refused = try await server.curl("GET", "/v1/writers/\(id)/\(path)", options: ["--max-time", "20"])
                        #expect(refused.status == 404, "\(format) \(path): \(refused.text)")
                        if path == "output" { #expect(refused.json["detail"].string?.contains("it is sent to a URL") == true, "\(refused.text)") }
                    }
                }
            }
        }

        /// Sent whole, one behind the other: a file waits for the second, and so must what is sent while it is written.
        @Test func streamsThatComeOneAfterTheOtherAreInterleavedAsInAFile() async throws {
            let peer = try ScriptedServer(), pictures = Pictures(100)
            let sound: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16", "encoder": "aac"]
            try await withServer(Self.allowed) { server in
                for format in ["mpegts", "nut"] {
                    let name = String.unique()
                    for dst in ["\(peer.origin)/\(name)/200@end", "\(name).\(format)"] {
                        let id = try await server.createWriter(
                            ["dst": .string(dst), "format": .string(format), "streams": [Pictures.stream(), sound], "open": true])
                        try await server.sendChunk(pictures.data, to: id, stream: 0)
                        try await server.sendChunk(Data((0..<4 * 192_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }), to: id, stream: 1)
                        try await server.finalize(id)
                    }
                    #expect(try peer.requests(name).first?.sha256 == Self.sha256(try server.output("\(name).\(format)")), "\(format)")
                }
            }
        }

        @Test(arguments: ["/ok/../no/f.ts", "/ok/%2e%2e/no/f.ts", "/ok/x/..;a=b/..%2fno"])
        func pathThatLeadsBackOutOfThePatternIsRefused(path: String) async throws {
            let peer = try ScriptedServer()
            try await withServer(["--allow-output", "\(peer.origin)/ok/*"]) { server in
                let refused = try await server.curl("POST", "/v1/writers", body: .json(request("\(peer.origin)\(path)", format: "mpegts")))
                #expect(refused.status == 403 && refused.json["detail"].string?.contains("%2e") == true, "\(refused.text)")
                let segments = try await write(
                    Pictures(10), request("\(peer.origin)/ok/a.m3u8", format: "hls", option: ["hls_segment_filename": .string("\(peer.origin)/ok/../no%d.ts")]), on: server)
                #expect(segments.status == 403, "\(segments.ended)")
            }
        }

        @Test func unreachableServerIsToldWhenTheWriterIsMade() async throws {
            try await withServer(Self.allowed) { server in
                for format in ["mpegts", "mp4", "hls"] {
                    let refused = try await server.curl("POST", "/v1/writers", body: .json(request("http://127.0.0.1:9/x", format: format)))
                    #expect(refused.status == 502 && refused.json["detail"].string?.contains("127.0.0.1:9") == true, "\(refused.text)")
                }
            }
        }
    }
}
