import Foundation
import Synchronization
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// One POST, and what the server answered.
    @Suite struct PostTests {
        private func post(_ url: HTTPURL, _ client: HTTPClient) async -> Result<HTTPResponse, UploadError> {
            await withCheckedContinuation { continuation in
                client.post(Array("{}".utf8), to: url, headers: []) { continuation.resume(returning: $0) }
            }
        }

        @Test(arguments: [200, 204, 301, 404, 410, 500, 503])
        func anyStatusIsAnAnswerToOneRequest(status: Int) async throws {
            let server = try ScriptedServer.shared.get()
            let name = String.unique()
            let response = try await post(server.url(name, "\(status)@end"), HTTPClient()).get()
            #expect(response.status == status)
            let requests = try server.requests(name)
            #expect(requests.count == 1 && requests[0].method == "POST" && requests[0].sha256 == sha256(Array("{}".utf8)))
            #expect(requests[0].headers["content-length"] == "2" && requests[0].headers["expect"] == nil)
        }

        @Test func anAddressThatIsNotAllowedIsNoAnswer() async throws {
            let server = try ScriptedServer.shared.get()
            var rules = ConnectionRules()
            rules.allowsAddress = { _, _ in false }
            let name = String.unique()
            let result = await post(try server.url(name, "200@end"), try HTTPClient(rules: rules))
            guard case .failure(let error) = result else {
                Issue.record("it was sent")
                return
            }
            #expect(error.kind == .addressForbidden)
            #expect(try server.requests(name).isEmpty)
        }
    }
}
