import Foundation
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// Whom a client connects to, how long it waits, and what ends it.
    @Suite struct ConnectionTests {
        private let server: ScriptedServer

        init() throws { server = try ScriptedServer.shared.get() }

        private func client(_ change: (inout ConnectionRules) -> Void = { _ in }) throws -> HTTPClient {
            var rules = ConnectionRules()
            rules.connectTimeout = .seconds(5)
            change(&rules)
            return try HTTPClient(rules: rules)
        }

        private func send(_ bytes: [UInt8], _ url: HTTPURL, _ client: HTTPClient, headers: [HTTPHeader] = [], retry: RetryRule = .never) throws {
            var options = HTTPUpload.Options()
            options.retry = retry
            let upload = HTTPUpload(client, to: HTTPUpload.Target(url, headers: headers), options: options)
            try upload.write(bytes)
            try upload.finish()
        }

        @Test func addressThatIsForbiddenIsNotConnectedTo() throws {
            let name = String.unique()
            let client = try client { $0.allowsAddress = { address, _ in address.pointee.sa_family != sa_family_t(AF_INET) } }
            let error = try #require(uploadError { try send([1], try server.url(name, "200@end"), client, retry: .quick) })
            #expect(error.kind == .addressForbidden)
            #expect(error.reason.contains("127.0.0.1"))
            #expect(error.attempts == 1)
            #expect(try server.requests(name).isEmpty)
        }

        @Test func portThatNothingListensAtIsUnreachable() throws {
            let error = try #require(uploadError { try send([1], try HTTPURL("http://127.0.0.1:1/x"), try client()) })
            #expect(error.kind == .unreachable)
            #expect(error.description.contains("http://127.0.0.1:1"))
        }

        @Test func ipv6IsSpoken() throws {
            let six = try ScriptedServer(host: "[::1]", ["--ipv6"])
            try send([1, 2], try six.url("six", "200@end"), try client())
            #expect(uploadError { try send([1, 2], try six.url("six", "200@end"), try client { $0.addressFamily = .ipv4 }) }?.kind == .unreachable)
        }

        @Test func certificateIsVerifiedAndTheProxyOfTheEnvironmentNotUsed() throws {
            // Nothing listens there. Of the tests that run beside this one none has to do with https.
            setenv("https_proxy", "http://127.0.0.1:1", 1)
            defer { unsetenv("https_proxy") }
            let folder = try TemporaryFolder()
            _ = try run(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "key", "-out", folder / "cert",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
            let tls = try ScriptedServer(scheme: "https", host: "localhost", ["--tls", folder / "cert", folder / "key"])
            let url = try tls.url("tls", "200@end")
            let stranger = try #require(uploadError { try send([1], url, try client { $0.addressFamily = .ipv4 }, retry: .quick) })
            #expect(stranger.kind == .untrusted, "\(stranger)")
            #expect(stranger.attempts == 1)
            let pem = try Data(contentsOf: URL(fileURLWithPath: folder / "cert"))
            let trusting = try client { ($0.authorities, $0.addressFamily) = (Array(pem), .ipv4) }
            try send([1], url, trusting)
            let otherName = try HTTPURL(url.origin.replacingOccurrences(of: "localhost", with: "127.0.0.1") + "/tls/200@end")
            #expect(uploadError { try send([1], otherName, trusting) }?.kind == .untrusted)
            let none = uploadError { try send([1], url, try client { ($0.authorities, $0.addressFamily) = (Array("no certificate".utf8), .ipv4) }) }
            #expect(none?.kind == .untrusted)
        }

        @Test(arguments: ["ftp://a/b", "file:///etc/passwd", "s3://a/b", "http://", "a.example.com/x", "http://a b/", "http://a:99999/", "http://a/\u{0}", "gopher://a"])
        func urlThatIsNoneOfHTTPIsRefused(text: String) { #expect(throws: UploadError.self) { try HTTPURL(text) } }

        @Test(arguments: [("Content-Length", "1"), ("Host", "a"), ("transfer-encoding", "x"), ("a b", "c"), ("", "c"), ("X", "a\r\nY: b"), ("X", "a\u{0}")])
        func headerThatWouldChangeTheRequestIsRefused(name: String, value: String) { #expect(throws: UploadError.self) { try HTTPHeader(name, value) } }

        // MARK: - Redirections

        @Test func redirectionWithoutARuleIsAFailure() throws {
            let error = try #require(uploadError { try send([1], try server.url(.unique(), "307@end;Location=/elsewhere/200@end"), try client()) })
            #expect(error.kind == .redirected)
            #expect(error.status == 307)
        }

        @Test(arguments: [301, 302, 307, 308])
        func redirectionIsFollowedWhereTheRuleAllowsIt(status: Int) throws {
            let name = String.unique()
            let client = try client { $0.refusalOfRedirection = { $0.status == status && $0.to.path.hasPrefix("/" + name) ? nil : "the rule" } }
            try send(noise(40_000), try server.url(.unique(), "\(status)@end;Location=/\(name)/200@end"), client, headers: [try HTTPHeader("X-Key", "kept")])
            let request = try #require(try server.requests(name).first)
            #expect(request.method == "PUT")
            #expect(request.sha256 == sha256(noise(40_000)))
            #expect(request.headers["x-key"] == "kept")
        }

        @Test func keysDoNotGoToAnotherOrigin() throws {
            let other = try ScriptedServer(), name = String.unique()
            let client = try client { $0.refusalOfRedirection = { _ in nil } }
            let headers = [try HTTPHeader("Authorization", "Bearer hush"), try HTTPHeader("Content-Type", "video/mp4")]
            try send([1], try server.url(.unique(), "307@end;Location=\(other.origin)/\(name)/200@end"), client, headers: headers)
            let request = try #require(try other.requests(name).first)
            #expect(request.headers["authorization"] == nil)
            #expect(request.headers["content-type"] == "video/mp4")
        }

        @Test func redirectionsInACircleEnd() throws {
            let name = String.unique()
            let client = try client { $0.refusalOfRedirection = { _ in nil } }
            #expect(uploadError { try send([1], try server.url(name, "307@end;Location=SELF"), client) }?.kind == .redirected)
            #expect(try server.requests(name).count == 6)
        }

        @Test func redirectionOfWhatWentOutLiveIsAFailure() throws {
            let client = try client { $0.refusalOfRedirection = { _ in nil } }
            let error = try #require(uploadError { try send(noise(8_000_000), try server.url(.unique(), "307@3000000;Location=/x/200@end"), client) })
            #expect(error.kind == .redirected, "\(error)")
            #expect(error.reason.contains("no longer here"))
        }

        // MARK: - Time

        @Test(arguments: ["stall@1000", "stall@end"])
        func peerThatDoesNothingIsLeft(step: String) throws {
            let client = try client { $0.stallTimeout = .milliseconds(400) }
            let start = ContinuousClock.now
            let error = try #require(uploadError { try send(noise(8_000_000), try server.url(.unique(), step), client) })
            #expect(error.kind == .stalled, "\(error)")
            #expect(start.duration(to: .now) < .seconds(20))
        }

        /// The kernel would take some megabytes for the peer.
        @Test func peerThatTakesNothingIsLeftThoughTheSourceIsSlow() throws {
            let client = try client { $0.stallTimeout = .milliseconds(500) }
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(.unique(), "stall@1000")))
            let start = ContinuousClock.now
            let error = uploadError {
                while start.duration(to: .now) < .seconds(60) {
                    try upload.write(noise(300_000))
                    // The source's slowness is what is tested.
                    Thread.sleep(forTimeInterval: 0.05)
                }
            }
            #expect(error?.kind == .stalled, "\(error as Any)")
            #expect(start.duration(to: .now) < .seconds(20))
        }

        @Test func responseWithoutAnEndIsLeft() throws {
            let client = try client { $0.responseTimeout = .milliseconds(600) }
            #expect(uploadError { try send([1], try server.url(.unique(), "dribble@end"), client) }?.kind == .stalled)
        }

        @Test func sourceThatPausesIsNoStall() throws {
            let name = String.unique()
            let client = try client { $0.stallTimeout = .seconds(3) }
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "200@end")))
            try upload.write([1, 2, 3])
            // Nothing is awaited: the source's pause is what is tested.
            Thread.sleep(forTimeInterval: 4)
            try upload.write([4, 5, 6])
            try upload.finish()
            #expect(try server.requests(name).map(\.bytes) == [6])
        }

        @Test(arguments: [true, false])
        func interruptionEndsAWriteAtOnce(byClient: Bool) throws {
            let client = try client()
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(.unique(), "stall@1000")))
            let started = Future<Void>()
            let writing = inBackground { () -> UploadError? in
                started.set(.success(()))
                return uploadError { while true { try upload.write(noise(100_000)) } }
            }
            try started.value(within: 30)
            let start = ContinuousClock.now
            if byClient { client.interrupt() } else { upload.abort() }
            #expect(try writing.value(within: 60)?.kind == .interrupted)
            #expect(start.duration(to: .now) < .seconds(20))
        }

        @Test func interruptionEndsAnAnswerThatIsAwaitedAndAPause() throws {
            for (steps, retry) in [("stall@end", RetryRule.never), ("503@end;Retry-After=30", RetryRule())] {
                let client = try client(), name = String.unique(), url = try server.url(name, steps)
                let sending = inBackground { uploadError { try send([1], url, client, retry: retry) } }
                try eventually("the request") { try server.requests(name).first?.whole == true }
                let start = ContinuousClock.now
                client.interrupt()
                #expect(try sending.value(within: 60)?.kind == .interrupted)
                #expect(start.duration(to: .now) < .seconds(20))
                #expect(uploadError { try send([1], url, client) }?.kind == .interrupted)
            }
        }

        @Test func interruptionEndsTheLookForAnAddress() throws {
            let client = try client()
            let sending = inBackground { uploadError { try send([1], try HTTPURL("http://penstock-test.invalid/"), client, retry: RetryRule()) } }
            client.interrupt()
            let end = try sending.value(within: 8)?.kind
            #expect(end == .interrupted)
        }

        @Test func clientThatIsLetGoEndsWhatIsUnderWay() throws {
            var client: HTTPClient? = try client()
            let name = String.unique()
            let upload = HTTPUpload(client!, to: HTTPUpload.Target(try server.url(name, "200@end")))
            client = nil
            try upload.write([1])
            try upload.finish()
            #expect(try server.requests(name).map(\.bytes) == [1])
        }
    }
}
