import Foundation
import Testing

extension EndToEnd {
    /// Which addresses a URL leads to, by the address that is connected to.
    @Suite struct AddressTests {
        private func open(
            _ url: String, _ format: String? = nil, option: JSON = [:], on server: PenstockServer
        ) async throws -> Response {
            let format = format ?? (url.hasPrefix("rtp:") ? "rtp" : "mpegts")
            let created = try await server.curl(
                "POST", "/v1/writers",
                body: .json([
                    "dst": .string(url), "format": .string(format), "streams": [Pictures.stream()], "open": ["option": option],
                ]))
            guard created.status == 201, let id = created.json["id"].string else { return created }
            let chunk = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures(60).data))
            return chunk.status == 200 ? try await server.curl("POST", "/v1/writers/\(id)/finalize") : chunk
        }

        /// Each library that looks names up by itself: libav's own network code, libsrt, GnuTLS's connections.
        @Test(arguments: [
            "http://HOST:PORT/x", "https://HOST:PORT/x", "icecast://HOST:PORT/x", "rtmp://HOST:PORT/a/b", "rtmps://HOST:PORT/a/b",
            "rtmpt://HOST:PORT/a/b", "tcp://HOST:PORT", "tls://HOST:PORT", "srt://HOST:PORT", "ftp://HOST:PORT/x",
            "tcp://HOST:PORT?listen=1", "srt://HOST:PORT?mode=listener", "udp://HOST:PORT", "rtp://HOST:PORT",
        ])
        func addressesThatAPatternDoesNotNameAreNotReached(url: String) async throws {
            let scheme = url.components(separatedBy: ":")[0]
            let listener = try Listener()
            try await withServer(["--allow-output", "\(scheme)://*"]) { server in
                for host in ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
                    let url = url.replacingOccurrences(of: "HOST", with: host).replacingOccurrences(of: "PORT", with: "\(listener.port)")
                    let answer = try await open(url, on: server)
                    #expect(answer.status == 403, "\(url): \(answer.text)")
                    #expect(answer.problem == "forbidden-destination")
                    let said = answer.json["detail"].string ?? ""
                    #expect(said.contains(host == "0.0.0.0" ? "unspecified address" : "loopback address"), "\(url): \(said)")
                }
                #expect(listener.connections == 0)
            }
        }

        @Test(arguments: [
            ("http://169.254.169.254/latest/meta-data", "link-local"), ("http://10.0.0.1/x", "private"), ("http://192.168.1.1:80/x", "private"),
            ("http://172.16.0.1/x", "private"), ("http://100.64.0.1/x", "private"), ("http://[fe80::1]/x", "link-local"), ("http://[fd00::1]/x", "private"),
            ("http://[::1]/x", "loopback"), ("http://224.0.0.1/x", "multicast"), ("http://255.255.255.255/x", "reserved"), ("http://[64:ff9b::a9fe:a9fe]/x", "link-local"),
            ("http://[2002:7f00:1::]/x", "loopback"),
        ])
        func addressesThatNotEveryoneReachesMustBeNamed(url: String, reach: String) async throws {
            try await withServer(["--allow-output", "http://*"]) { server in
                let answer = try await open(url, on: server)
                #expect(answer.status == 403, "\(answer.text)")
                #expect(answer.json["detail"].string?.contains("\(reach) address") == true, "\(answer.text)")
            }
        }

        @Test(arguments: ["http://127.0.0.1:*/*", "http://127.0.0.*:*/*", "http://localhost:*/*"])
        func patternThatNamesAnAddressReachesItAndNeverTheServerItself(pattern: String) async throws {
            let host = pattern.contains("localhost") ? "localhost" : "127.0.0.1"
            let listener = try Listener()
            try await withServer(["--allow-output", pattern, "--allow-output", "http://*:*/*"]) { server in
                _ = try await open("http://\(host):\(listener.port)/x", on: server)
                try await eventually("a connection") { listener.connections == 1 }
                let own = try await open("http://\(host):\(server.port)/v1/writers", on: server)
                #expect(own.status == 403, "\(own.text)")
                #expect(own.json["detail"].string?.contains("this server itself") == true, "\(own.text)")
                // In digits only what the digits say.
                let other = try await open("http://127.0.0.evil.invalid:\(listener.port)/x", on: server)
                #expect(other.status == 502, "\(other.text)")
                #expect(listener.connections == 1)
            }
        }

        @Test(arguments: ["hls", "dash"])
        func whatAMuxerOpensByItselfIsHeldToTheSameAddresses(format: String) async throws {
            let listener = try Listener()
            try await withServer(["--allow-output", "http://*:*/*"]) { server in
                let answer = try await open("http://127.0.0.1:\(listener.port)/live.m3u8", format, on: server)
                #expect(answer.status == 403, "\(answer.text)")
                #expect(answer.json["detail"].string?.contains("loopback address") == true, "\(answer.text)")
                let kept = try await open("http://127.0.0.1:\(listener.port)/live.m3u8", format, option: ["http_persistent": 1], on: server)
                #expect(kept.status == 403)
                #expect(kept.json["parameter"] == "option.http_persistent")
                #expect(listener.connections == 0)
            }
        }

        /// FFmpeg's own program follows it there.
        @Test func redirectToAnotherPortIsNotFollowed() async throws {
            let peer = try Peer("python3", [Repository.root + "/Tests/Tools/redirecting-server.py"])
            try await eventually("its ports") { peer.output.hasSuffix("\n") }
            let ports = peer.output.split(whereSeparator: \.isWhitespace).map(String.init)
            let front = "http://127.0.0.1:\(ports[0])/x"
            try await withServer(["--allow-output", "http://127.0.0.1:\(ports[0])/*", "--allow-output", "http://*"]) { server in
                let answer = try await open(front, on: server)
                #expect(answer.status == 403, "\(answer.text)")
                #expect(answer.json["detail"].string?.contains("127.0.0.1:\(ports[1]) is a loopback address") == true, "\(answer.text)")
                #expect(!peer.output.contains("contacted"))
            }
            _ = try await Tool.run(
                "ffmpeg", ["-nostdin", "-v", "quiet", "-f", "lavfi", "-i", "color", "-frames:v", "1", "-f", "mpegts", "-method", "PUT", "-send_expect_100", "1", front])
            try await eventually("ffmpeg elsewhere") { peer.output.contains("contacted") }
            try await peer.stop()
        }

        @Test func proxyOfTheServersEnvironmentIsNotUsed() async throws {
            let proxy = try Listener()
            let target = try Listener()
            let server = try await PenstockServer.start(
                ["--allow-output", "http://127.0.0.1:*/*"], environment: ["http_proxy": "http://127.0.0.1:\(proxy.port)"])
            _ = try await open("http://127.0.0.1:\(target.port)/x", on: server)
            #expect(target.connections == 1)
            #expect(proxy.connections == 0)
            try await server.stop()
        }

        /// Takes connections, counts them and ends them.
        private final class Listener: @unchecked Sendable {  // `count` is guarded by `lock`.
            let port: Int
            private let lock = NSLock()
            private var count = 0
            private let socket: Int32

            var connections: Int { lock.withLock { count } }

            init() throws {
                let free = try LoopbackPort.free()
                port = free.number
                socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = UInt16(free.number).bigEndian
                address.sin_addr.s_addr = inet_addr("127.0.0.1")
                let bound = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
                }
                guard bound == 0, listen(socket, 8) == 0 else { throw HarnessError("listen: \(String(cString: strerror(errno)))") }
                Thread.detachNewThread { [weak self, socket] in
                    while case let connection = accept(socket, nil, nil), connection >= 0 {
                        self?.lock.withLock { self?.count += 1 }
                        close(connection)
                    }
                }
            }

            deinit {
                shutdown(socket, Int32(SHUT_RDWR))
                close(socket)
            }
        }
    }
}
