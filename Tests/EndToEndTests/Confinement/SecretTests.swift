import Foundation
import Testing

extension EndToEnd {
    /// What only the client and the destination should know is in no answer, log, metric or file.
    @Suite struct SecretTests {
        private static let secrets = [
            "u5er-of-url", "pa55word-of-url", "k3y-in-path", "s1gnature-in-query", "pa55phrase-of-srt", "str3am-id", "b34rer-in-headers", "c00kie-value",
            "0123456789abcdef0123456789abcdef", "pl4ypath-option", "t0ken-of-client", "3ncoder-password", "s3gment-signature", "1ceword",
        ]

        @Test(arguments: ["text", "json"])
        func secretsAreToldToNobody(format: String) async throws {
            let folder = try TemporaryFolder()
            try "t0ken-of-client\n".write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
            let port = try LoopbackPort.free().number
            let patterns = ["rtmp", "http", "srt", "icecast"].flatMap { ["--allow-output", "\($0)://127.0.0.1:*/*", "--allow-output", "\($0)://127.0.0.1:*"] }
            let options = ["--token-file", folder / "tokens", "--log-level", "trace", "--log-format", format] + patterns
            try await withServer(options) { server in
                var told: [String] = []
                func tell(_ method: String, _ path: String, _ body: JSON? = nil) async throws {
                    let answer = try await server.curl(
                        method, path, headers: ["Authorization: Bearer t0ken-of-client"], body: body.map { .json($0) } ?? .none)
                    told.append("\(answer.status) \(answer.text)")
                }
                for (index, writer) in Self.writers(port).enumerated() {
                    let path = "/v1/writers/w\(index)"
                    var closed = writer
                    let open = closed["open"]
                    closed["open"] = .null
                    try await tell("POST", "/v1/writers?dry_run=true", writer)
                    try await tell("POST", "/v1/writers", writer)
                    try await tell("PUT", path, closed)
                    try await tell("GET", path)
                    try await tell("POST", path + "/open", open)
                    try await tell("POST", path + "/streams/0/chunks", [:])
                    try await tell("GET", path)
                    try await tell("POST", path + "/finalize")
                }
                try await tell("GET", "/v1/writers")
                try await tell("GET", "/metrics")
                try await tell("POST", "/v1/encode?format=mpegts&width=64&height=48&frame_rate=25&option.headers=b34rer-in-headers&encoder_option.password=3ncoder-password")
                try await tell("POST", "/v1/encode?token=t0ken-of-client&option.key=0123456789abcdef0123456789abcdef")
                #expect(told.contains { $0.hasPrefix("502") } && told.contains { $0.hasPrefix("201") } && told.contains { $0.hasPrefix("422") })
                told.append(server.log.text)
                told += try files(below: server.folder / "state")
                #expect(told.count > 40)
                for secret in Self.secrets {
                    for text in told where text.contains(secret) { Issue.record("\(secret): \(text)") }
                }
            }
        }

        /// Destinations where nobody listens, each with its secrets where they can be.
        private static func writers(_ port: Int) -> [JSON] {
            func writer(_ dst: String, _ option: JSON, format: String = "mpegts") -> JSON {
                var stream = Pictures.stream()
                stream["encoder_option"] = ["preset": "ultrafast", "password": "3ncoder-password"]
                return ["dst": .string(dst), "format": .string(format), "streams": [Pictures.stream(), stream], "open": ["option": option]]
            }
            func plain(_ dst: String, _ option: JSON, format: String = "mpegts") -> JSON {
                ["dst": .string(dst), "format": .string(format), "streams": [Pictures.stream()], "open": ["option": option]]
            }
            let rtmp = "rtmp://u5er-of-url:pa55word-of-url@127.0.0.1:\(port)/live/k3y-in-path?sign=s1gnature-in-query"
            let http = "http://u5er-of-url:pa55word-of-url@127.0.0.1:\(port)/in/k3y-in-path?X-Signature=s1gnature-in-query&b=pa55word-of-url"
            let headers = "Authorization: Bearer b34rer-in-headers\r\nCookie: id=c00kie-value\r\n"
            return [
                plain(rtmp, ["rtmp_playpath": "pl4ypath-option"], format: "flv"), writer(rtmp, [:], format: "flv"),
                plain(rtmp, ["rtmp_playpath": "pl4ypath-option", "nosuch": "pl4ypath-option"], format: "flv"),
                plain(http, ["headers": .string(headers), "cookies": "id=c00kie-value; path=/"]),
                plain(http, ["headers": .string(headers), "hls_segment_filename": .string("http://127.0.0.1:\(port)/s%d.ts?sig=s3gment-signature")], format: "hls"),
                plain("srt://127.0.0.1:\(port)?passphrase=pa55phrase-of-srt&streamid=str3am-id&connect_timeout=100", [:]),
                plain("srt://127.0.0.1:\(port)", ["passphrase": "pa55phrase-of-srt", "srt_streamid": "str3am-id", "connect_timeout": "100"]),
                plain("icecast://source:1ceword@127.0.0.1:\(port)/k3y-in-path", ["password": "pa55word-of-url"]),
                plain("live.m3u8", ["hls_enc": 1, "hls_enc_key": "0123456789abcdef0123456789abcdef", "hls_time": "x"], format: "hls"),
                plain("a.mp4", ["encryption_scheme": "cenc-aes-ctr", "encryption_key": "0123456789abcdef0123456789abcdef", "encryption_kid": "zz"], format: "mp4"),
                plain("gopher://127.0.0.1:\(port)/k3y-in-path", [:]), plain(rtmp.replacingOccurrences(of: "127.0.0.1", with: "127.0.0.2"), [:], format: "flv"),
            ]
        }

        /// One key, wherever it can stand in a destination or an option, through every answer there is.
        @Test func aKeyIsToldToNobodyWhereverItStands() async throws {
            let port = try LoopbackPort.free().number
            let schemes = [
                ("rtmp", "flv"), ("rtmpt", "flv"), ("http", "mpegts"), ("icecast", "mpegts"), ("srt", "mpegts"), ("tcp", "mpegts"), ("rtsp", "rtsp"),
                ("udp", "mpegts"), ("ftp", "mpegts"), ("gopher", "mpegts"),
            ]
            let allowed = schemes.filter { $0.0 != "gopher" }.flatMap { ["--allow-output", "\($0.0)://127.0.0.1:*/*", "--allow-output", "\($0.0)://127.0.0.1:*"] }
            try await withServer(allowed + ["--log-level", "trace"]) { server in
                var told: [String] = []
                let connection = try RawConnection(port: server.port)
                for (scheme, format) in schemes {
                    for (index, place) in Self.places(port).enumerated() {
                        for (form, key) in [Self.canary, Self.encodedCanary].enumerated() {
                            let dst = "\(scheme)://" + place.replacingOccurrences(of: "KEY", with: key)
                            let body: JSON = [
                                "dst": .string(dst), "format": .string(format), "streams": [Pictures.stream()],
                                "open": ["option": ["connect_timeout": "200", "nosuch": .string(dst)]],
                            ]
                            let path = "/v1/writers/\(scheme)-\(index)-\(form)"
                            var closed = body
                            closed["open"] = .null
                            var open = body["open"]
                            open["option"]["nosuch"] = .null
                            told.append(try await connection.request("POST", "/v1/writers?dry_run=true", json: body).text)
                            told.append(try await connection.request("POST", "/v1/writers", json: body).text)
                            let made = try await connection.request("PUT", path, json: closed)
                            told.append(made.text)
                            guard made.status == 201 else { continue }
                            told.append(try await connection.request("GET", path).text)
                            if scheme != "udp", scheme != "srt" { told.append(try await connection.request("POST", path + "/open", json: ["option": [:]]).text) }
                            told.append(try await connection.request("GET", path).text)
                        }
                    }
                }
                for key in [Self.canary, Self.encodedCanary] {
                    for (name, option) in Self.options(port, key) {
                        let stream: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48, "encoder": "libx264", "encoder_option": [name: .string(option)]]
                        for body in [
                            ["dst": .string("rtmp://127.0.0.1:\(port)/live/x"), "streams": [Pictures.stream()], "open": ["option": [name: .string(option)]]] as JSON,
                            ["dst": "o/live.m3u8", "overwrite": true, "streams": [Pictures.stream()], "open": ["option": [name: .string(option)]]],
                            ["format": "mp4", "streams": [stream]], ["format": "mpegts", "streams": [stream], "open": true],
                        ] { told.append(try await connection.request("POST", "/v1/writers", json: body).text) }
                    }
                }
                for path in ["/v1/writers?limit=1000", "/metrics"] { told.append(try await connection.request("GET", path).text) }
                #expect(told.contains { $0.contains("destination-failed") } && told.contains { $0.contains("forbidden-destination") })
                #expect(told.count > 1_000)
                told.append(server.log.text)
                told += try files(below: server.folder / "state")
                for key in [Self.canary, Self.encodedCanary] {
                    for text in told where text.contains(key) { Issue.record("\(key): \(text.prefix(600))") }
                }
                // Nor where the process has its memory.
                for text in told { #expect(text.firstMatch(of: /@ 0x|0x[0-9a-f]{9}/) == nil, "\(text.prefix(600))") }
            }
        }

        private static let canary = "c4nary-0f-a-key"
        private static let encodedCanary = "c4nary%2D0f%2Da%2Dkey"

        private static func places(_ port: Int) -> [String] {
            let host = "127.0.0.1:\(port)"
            return [
                "KEY:p@\(host)/live/x", "u:KEY@\(host)/live/x", "u:a/KEY@\(host)/live", "KEY/b@\(host)/live", "\(host)/KEY", "\(host)/KEY/", "\(host)//KEY//",
                "\(host)/live/KEY", "\(host)/live/KEY/", "\(host)/KEY/live/x", "\(host)/live/KEY;a=b", "\(host)/live/mp4:KEY.mp4", "\(host)/live/x?KEY",
                "\(host)/live/x?a=KEY", "\(host)/live/x?KEY=a", "\(host)/live/x#KEY", "\(host)?streamid=KEY", "\(host)?streamid=#!::r=live/KEY,m=publish",
                "\(host)?passphrase=KEY", "KEY.invalid:\(port)/live/x@KEY", "127.0.0.1:KEY/live/x", "\(host)/live/x playpath=KEY",
            ]
        }

        private static func options(_ port: Int, _ key: String) -> [(String, String)] {
            [
                ("rtmp_playpath", "live/\(key)/"), ("rtmp_tcurl", "rtmp://127.0.0.1:\(port)/\(key)/"), ("rtmp_app", key), ("rtmp_conn", "S:\(key)"),
                ("headers", "X-Key: \(key)\r\n"), ("http_opts", "method=PUT:headers='X: \(key)'"), ("hls_segment_filename", "http://127.0.0.1:\(port)/\(key)/%d.ts"),
                ("hls_base_url", "http://127.0.0.1:\(port)/\(key)/"), ("x264-params", "passphrase=\(key):nosuch=rtmp://h/\(key)/"), ("password", key),
                ("crf", "rtmp://h/live/\(key)/"), ("nosuch", "[f=flv]rtmp://h/live/\(key)|[f=flv]rtmp://h/\(key)/x"), ("flags", "token=\(key)"),
            ]
        }

        private func files(below path: String) throws -> [String] {
            let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
            return names.map { name in
                name + String(decoding: FileManager.default.contents(atPath: path + "/" + name) ?? Data(), as: UTF8.self)
            }
        }
    }
}
