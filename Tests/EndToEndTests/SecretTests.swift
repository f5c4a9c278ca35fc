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

        private func files(below path: String) throws -> [String] {
            let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
            return names.map { name in
                name + String(decoding: FileManager.default.contents(atPath: path + "/" + name) ?? Data(), as: UTF8.self)
            }
        }
    }
}
