import Foundation
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// What a server's final status makes of an upload, wherever it comes.
    @Suite struct StatusTests {
        private let server: ScriptedServer
        private let client: HTTPClient
        /// More than what lies in the kernel's buffers and the upload's own.
        private static let body = noise(6 * 1_024 * 1_024)

        init() throws {
            server = try ScriptedServer.shared.get()
            client = try HTTPClient()
        }

        private func upload(_ name: String, _ steps: String, size: Int? = nil, method: HTTPUpload.Target.Method = .put, body: [UInt8] = body) throws {
            var options = HTTPUpload.Options()
            options.retry = .never
            options.size = size
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, steps), method: method), options: options)
            try upload.write(body)
            try upload.finish()
        }

        @Test(arguments: [200, 201, 204, 299], [HTTPUpload.Target.Method.put, .post])
        func success(status: Int, method: HTTPUpload.Target.Method) throws {
            let name = String.unique()
            try upload(name, "\(status)@end", method: method)
            let requests = try server.requests(name)
            #expect(requests.count == 1)
            #expect(requests[0].method == (method == .put ? "PUT" : "POST"))
            #expect(requests[0].sha256 == sha256(Self.body))
            #expect(requests[0].headers["transfer-encoding"] == "chunked")
            #expect(requests[0].headers["expect"] == "100-continue")
        }

        @Test(arguments: [301, 304, 400, 401, 403, 404, 409, 411, 413, 429, 500, 501, 503], ["head", "100000", "end"])
        func refusal(status: Int, place: String) throws {
            for size in [nil, Self.body.count] {
                let error = try #require(uploadError { try upload(.unique(), "\(status)@\(place)", size: size) })
                #expect(error.status == status, "\(error)")
                #expect(error.kind == .refused, "\(error)")
                // A 304 has no body (RFC 9110, 15.4.5).
                #expect(error.excerpt == (status == 304 ? "" : "the server says no"), "\(error)")
            }
        }

        @Test func bodyIsNotSentWhereLeaveIsRefused() throws {
            let name = String.unique()
            #expect(uploadError { try upload(name, "403@head", size: Self.body.count) }?.status == 403)
            #expect(try server.requests(name).map(\.bytes) == [0])
        }

        @Test func lengthIsSentWhereItIsKnown() throws {
            let name = String.unique()
            try upload(name, "200@end", size: Self.body.count)
            let request = try #require(try server.requests(name).first)
            #expect(request.headers["content-length"] == "\(Self.body.count)")
            #expect(request.headers["transfer-encoding"] == nil)
            #expect(request.sha256 == sha256(Self.body))
        }

        @Test func responseToABodyOfKnownLengthMayComeBeforeItIsFinished() throws {
            let folder = try TemporaryFolder()
            for spool in [nil, try SpoolFile(creating: folder / "spool")] {
                let name = String.unique()
                var options = HTTPUpload.Options()
                (options.size, options.spool, options.retry) = (1_000, spool, .never)
                let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "200@end")), options: options)
                try upload.write(noise(1_000))
                try eventually("the whole request") { try server.requests(name).last?.whole == true }
                // The response has arrived: another request of the same thread is answered after it.
                try self.upload(.unique(), "200@end", body: [1])
                try upload.finish()
            }
        }

        @Test func shortBodyThatIsCollectedHasALength() throws {
            let name = String.unique()
            var options = HTTPUpload.Options()
            options.collectedBytes = 4_096
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "201@end")), options: options)
            try upload.write(Array("#EXTM3U\n".utf8))
            try upload.finish()
            let request = try #require(try server.requests(name).first)
            #expect(request.headers["content-length"] == "8")
            #expect(request.headers["expect"] == nil)
            #expect(request.sha256 == sha256(Array("#EXTM3U\n".utf8)))
        }

        @Test func serverThatKnowsNoExpectationsGetsTheBody() throws {
            let name = String.unique()
            try upload(name, "417@head,200@end")
            let requests = try server.requests(name)
            #expect(requests.map { $0.headers["expect"] } == ["100-continue", nil])
            #expect(requests.last?.sha256 == sha256(Self.body))
        }

        @Test func finishedUploadTakesNoMore() throws {
            let name = String.unique()
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "200@end")))
            try upload.write([1, 2])
            try upload.finish()
            #expect(uploadError { try upload.write([3]) }?.kind == .invalid)
            try upload.finish()
            upload.abort()
            #expect(try server.requests(name).map(\.bytes) == [2])
        }

        @Test func emptyBodyIsSent() throws {
            let name = String.unique()
            try upload(name, "200@end", body: [])
            #expect(try server.requests(name).map(\.bytes) == [0])
        }

        @Test func sizeThatIsNotTheBodysIsRefused() throws {
            for size in [Self.body.count - 1, Self.body.count + 1] {
                let error = try #require(uploadError { try upload(.unique(), "200@end", size: size) })
                #expect(error.kind == .invalid)
                #expect(error.reason.contains("\(size)"))
            }
        }

        @Test func successBeforeTheEndOfTheBodyIsNone() throws {
            let error = try #require(uploadError { try upload(.unique(), "200@100000") })
            #expect(error.kind == .cut, "\(error)")
            #expect(error.isUnrepeatable || error.status == 200, "\(error)")
            // The server may have left the connection open.
            #expect(!error.reason.contains("closed"), "\(error)")
        }

        @Test(arguments: ["nothttp", "longhead"])
        func whatIsNoResponseIsNoBrokenConnection(what: String) throws {
            let error = try #require(uploadError { try upload(.unique(), "\(what)@end", size: Self.body.count) })
            #expect(error.kind == .cut && error.reason.contains("is not one of HTTP/1.1 that can be read: "), "\(error)")
        }

        @Test func chunkedBodyThatIsKeptIsSentAgainWithItsLength() throws {
            let name = String.unique(), folder = try TemporaryFolder()
            var options = HTTPUpload.Options()
            options.spool = try SpoolFile(creating: folder / "spool")
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "411@head,201@end")), options: options)
            try upload.write(Self.body)
            // Before it is known how long it is.
            try eventually("the first request") { try server.requests(name).count == 1 }
            try upload.finish()
            #expect(try server.requests(name).map { $0.headers["content-length"] } == [nil, "\(Self.body.count)"])
            #expect(try server.requests(name).last?.sha256 == sha256(Self.body))
        }

        @Test func writingFailsOnceTheServerHasRefused() throws {
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(.unique(), "413@1000")))
            let error = uploadError { while true { try upload.write(Self.body) } }
            #expect(error?.status == 413)
            #expect(uploadError { try upload.finish() }?.status == 413)
        }

        @Test func responseIsShownSanitisedAndShort() throws {
            let name = String.unique()
            let said = "a\u{7}b\u{1B}[31m" + String(repeating: "x", count: 2_000)
            let error = try #require(uploadError { try upload(name, "400@end;Say=\(said.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!)", body: [1]) })
            #expect(error.excerpt.utf8.count <= 1_024 + 3)
            #expect(error.excerpt.unicodeScalars.allSatisfy { $0.value >= 0x20 })
            #expect(error.excerpt.contains("xxx"))
        }

        @Test func secretsThatAServerRepeatsAreNotShown() throws {
            let target = HTTPUpload.Target(
                try HTTPURL(server.origin.replacingOccurrences(of: "://", with: "://anna:hush%2Fhush@") + "/\(String.unique())/400@end;Say=ECHO?sig=tellnobody&x=1"),
                headers: [try HTTPHeader("Authorization", "Bearer verysecrettoken"), try HTTPHeader("X-Key", "othersecret"), try HTTPHeader("Content-Type", "video/mp4")])
            let upload = HTTPUpload(client, to: target)
            try upload.write([1, 2, 3])
            let error = try #require(uploadError { try upload.finish() })
            let shown = "\(error) \(error.excerpt) \(String(reflecting: error)) \(target)"
            for secret in ["verysecrettoken", "othersecret", "tellnobody", "hush", Data("anna:hush/hush".utf8).base64EncodedString()] {
                #expect(!shown.contains(secret), "\(shown)")
            }
            #expect(error.excerpt.contains("video/mp4"), "\(error)")
        }
    }
}
