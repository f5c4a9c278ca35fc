import Foundation
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// What is sent again, and what can't be.
    @Suite struct RetryTests {
        private let server: ScriptedServer
        private let client: HTTPClient
        /// For a server that stalls; of one that only gets no turn for a while it would make another attempt.
        private let impatientClient: HTTPClient
        private static let body = noise(3 * 1_024 * 1_024)

        init() throws {
            server = try ScriptedServer.shared.get()
            client = try HTTPClient()
            var rules = ConnectionRules()
            rules.stallTimeout = .seconds(3)
            impatientClient = try HTTPClient(rules: rules)
        }

        private func sendFile(_ name: String, _ steps: String, by client: HTTPClient? = nil, retry: RetryRule = .quick) throws {
            let folder = try TemporaryFolder(), target = HTTPUpload.Target(try server.url(name, steps))
            try Data(Self.body).write(to: URL(fileURLWithPath: folder / "spool"))
            try FileUpload(try SpoolFile(reading: folder / "spool"), to: .http(client ?? self.client, target), retry: retry).send()
        }

        @Test(arguments: ["408@end", "425@head", "429@end", "500@1000", "502@end", "503@head", "507@end", "cut@head", "cut@100000", "cut@end", "lost@end", "cutline@end", "cutfield@end", "cutblank@end"])
        func fileIsSentAgain(step: String) throws { try expectSentAgain(after: "\(step),\(step)", by: client) }

        @Test func fileIsSentAgainWhereTheServerStalls() throws { try expectSentAgain(after: "stall@1000,stall@end", by: impatientClient) }

        private func expectSentAgain(after steps: String, by client: HTTPClient) throws {
            let name = String.unique()
            try sendFile(name, "\(steps),201@end", by: client)
            let requests = try server.requests(name)
            #expect(requests.count == 3)
            #expect(requests.last?.sha256 == sha256(Self.body))
            #expect(requests.allSatisfy { $0.headers["content-length"] == "\(Self.body.count)" })
        }

        @Test(arguments: [400, 401, 403, 404, 409, 413, 501])
        func refusalIsNotRepeated(status: Int) throws {
            let name = String.unique()
            #expect(uploadError { try sendFile(name, "\(status)@end") }?.status == status)
            #expect(try server.requests(name).count == 1)
        }

        @Test func retriesEndWithTheirTime() throws {
            let name = String.unique()
            let rule = RetryRule(retryTime: .seconds(3), firstPause: .milliseconds(20), longestPause: .milliseconds(500))
            let start = ContinuousClock.now
            let error = try #require(uploadError { try sendFile(name, "503@end", retry: rule) })
            #expect(start.duration(to: .now) < .seconds(30))
            #expect(error.status == 503)
            #expect(error.attempts >= 4)
            #expect(error.attempts == (try server.requests(name).count))
        }

        @Test func retryAfterIsKept() throws {
            let name = String.unique()
            let start = ContinuousClock.now
            try sendFile(name, "503@end;Retry-After=1,200@end")
            #expect(start.duration(to: .now) >= .seconds(1))
        }

        @Test func retryAfterBeyondTheTimeForRetriesEndsIt() throws {
            let start = ContinuousClock.now
            let error = try #require(uploadError { try sendFile(.unique(), "429@end;Retry-After=3600") })
            #expect(error.status == 429)
            #expect(error.reason.contains("3600 s"))
            #expect(start.duration(to: .now) < .seconds(30))
        }

        @Test(arguments: ["cut@2000000", "503@2000000", "stall@1500000"])
        func whatWentOutLiveIsNotSentAgain(step: String) throws {
            let name = String.unique()
            var options = HTTPUpload.Options()
            options.retry = .quick
            let client = step.hasPrefix("stall") ? impatientClient : client
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "\(step),200@end")), options: options)
            let error = try #require(uploadError { for _ in 0..<4 { try upload.write(Self.body) } })
            #expect(error.isUnrepeatable, "\(error)")
            #expect(error.description.contains("can't be sent again"))
            #expect(try server.requests(name).count == 1)
            #expect(uploadError { try upload.finish() }?.isUnrepeatable == true)
        }

        @Test(arguments: ["503@head", "cut@head", "cut@1000", "500@1000"])
        func liveBodyIsSentAgainWhileItIsKept(step: String) throws {
            let name = String.unique()
            var options = HTTPUpload.Options()
            options.retry = .quick
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "\(step),200@end")), options: options)
            let small = noise(50_000)
            try upload.write(small)
            try upload.finish()
            #expect(try server.requests(name).count == 2)
            #expect(try server.requests(name).last?.sha256 == sha256(small))
        }

        @Test(arguments: ["cut@100000", "500@head", "503@end", "lost@end"])
        func spoolKeepsALiveBody(step: String) throws {
            let name = String.unique(), folder = try TemporaryFolder()
            var options = HTTPUpload.Options()
            options.retry = .quick
            options.spool = try SpoolFile(creating: folder / "spool")
            let upload = HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, "\(step),\(step),200@end")), options: options)
            for round in 0..<3 { try upload.write(noise(2_000_000, seed: UInt64(round))) }
            try upload.finish()
            #expect(try server.requests(name).last?.sha256 == sha256((0..<3).flatMap { noise(2_000_000, seed: UInt64($0)) }))
            #expect(FileManager.default.fileExists(atPath: folder / "spool"))
        }

        @Test func timeForRetriesBeginsAnewWhileABodyIsWritten() throws {
            let name = String.unique(), folder = try TemporaryFolder()
            var options = HTTPUpload.Options()
            options.retry = RetryRule(retryTime: .seconds(1), firstPause: .milliseconds(1), longestPause: .milliseconds(10))
            options.spool = try SpoolFile(creating: folder / "spool")
            let upload = HTTPUpload(impatientClient, to: HTTPUpload.Target(try server.url(name, "cut@700000,cut@1500000,200@end")), options: options)
            try upload.write(noise(800_000, seed: 1))
            try eventually("the second attempt") { try server.requests(name).count == 2 }
            // It is to last longer than the time for retries and that for a stall: the source's slowness is what is tested.
            Thread.sleep(forTimeInterval: 4.1)
            try upload.write(noise(800_000, seed: 2))
            // The body still grows when that attempt fails.
            try eventually("the third attempt") { try server.requests(name).count == 3 }
            try upload.finish()
            #expect(try server.requests(name).count == 3)
            #expect(try server.requests(name).last?.sha256 == sha256(noise(800_000, seed: 1) + noise(800_000, seed: 2)))
        }

        @Test func manyUploadsOfOneClientDoNotMeet() throws {
            let names = (0..<16).map { _ in String.unique() }
            let uploads = try names.enumerated().map { number, name in
                var options = HTTPUpload.Options()
                options.retry = .quick
                options.window = 600_000
                return HTTPUpload(client, to: HTTPUpload.Target(try server.url(name, number % 3 == 0 ? "cut@100000,503@head,200@end" : "200@end")), options: options)
            }
            let sending = uploads.enumerated().map { number, upload in
                inBackground { () -> UploadError? in
                    uploadError {
                        try upload.write(noise(500_000, seed: UInt64(number)), pieces: 10_000)
                        if number % 5 == 4 { upload.abort() }
                        try upload.finish()
                    }
                }
            }
            for (number, future) in sending.enumerated() {
                let error = try future.value(within: 30)
                #expect(error?.kind == (number % 5 == 4 ? .interrupted : nil), "\(error as Any)")
                if number % 5 != 4 { #expect(try server.requests(names[number]).last?.sha256 == sha256(noise(500_000, seed: UInt64(number)))) }
            }
        }

        @Test func pausesGrowWithJitterUpToTheLongest() {
            let rule = RetryRule(retryTime: .seconds(60), firstPause: .milliseconds(500), longestPause: .seconds(30))
            for (failures, whole) in [(1, 0.5), (2, 1), (3, 2), (7, 30), (60, 30)] {
                let pauses = (0..<50).map { _ in rule.pause(afterFailures: failures, retryAfter: nil) / .seconds(1) }
                #expect(pauses.allSatisfy { $0 >= whole / 2 && $0 <= whole })
                #expect(Set(pauses).count > 10)
            }
            #expect(rule.pause(afterFailures: 1, retryAfter: .seconds(45)) == .seconds(45))
        }

        @Test(arguments: [
            ("120", 120), ("0", 0), ("Sun, 06 Nov 1994 08:50:37 GMT", 60), ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("soon", nil), ("-1", nil), ("", nil),
        ])
        func retryAfterIsReadInBothForms(text: String, seconds: Int?) {
            let response = HTTPResponse(status: 503, headers: [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", text)], body: [])
            #expect(response.retryAfter == seconds.map { .seconds($0) })
        }
    }
}
