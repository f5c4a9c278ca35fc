import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// What is found out before there is anything to send.
    @Suite struct OpeningTests {
        private func upload(_ name: String, _ steps: String) throws -> HTTPUpload {
            var options = HTTPUpload.Options()
            options.retry = .quick
            return HTTPUpload(try HTTPClient(), to: HTTPUpload.Target(try ScriptedServer.shared.get().url(name, steps)), options: options)
        }

        @Test(arguments: [401, 503])
        func refusalIsToldAtOnceAndNotWaitedOut(status: Int) throws {
            let upload = try upload(.unique(), "\(status)@head,200@end")
            let error = uploadError { try upload.open() }
            #expect(error?.status == status && error?.attempts == 1)
        }

        @Test func whatIsWrittenAfterwardsArrivesAndIsTriedAgain() throws {
            let name = String.unique(), upload = try upload(name, "cut@1000,201@end"), bytes = noise(300_000)
            try upload.open()
            try upload.write(bytes)
            try upload.finish()
            #expect(try ScriptedServer.shared.get().requests(name).last?.sha256 == sha256(bytes))
        }

        @Test func connectingSendsNothing() throws {
            let name = String.unique(), client = try HTTPClient()
            try client.tryConnecting(to: try ScriptedServer.shared.get().url(name, "500@end"))
            #expect(try ScriptedServer.shared.get().requests(name).isEmpty)
            #expect(uploadError { try client.tryConnecting(to: try HTTPURL("http://127.0.0.1:9/")) }?.kind == .unreachable)
        }

        @Test func deletionOfWhatIsNotThereIsOne() throws {
            for (steps, status) in [("204@end", nil), ("404@end", nil), ("503@end,410@end", nil), ("405@end", 405)] as [(String, Int?)] {
                let target = HTTPUpload.Target(try ScriptedServer.shared.get().url(.unique(), steps))
                let deletion = HTTPDelete(try HTTPClient(), target, retry: .quick)
                #expect(uploadError { try deletion.send() }?.status == status, "\(steps)")
            }
        }
    }
}
