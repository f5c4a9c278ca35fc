import Foundation
import Stores
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// What a store's errors lead to, by a server that says them and looks at no signature.
    @Suite struct S3AnswerTests {
        private let server: ScriptedServer

        init() throws { server = try ScriptedServer.shared.get() }

        private func said(_ code: String, more: String = "") -> String {
            "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>It &lt;failed&gt;</Message>\(more)</Error>".addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        }

        /// A store whose requests meet these steps; the key becomes a part of the last one.
        private func put(_ name: String, _ steps: String, _ credentials: Store.CredentialsSource? = nil) throws {
            let keys = Credentials(accessKey: "AKIAONE", secretKey: Secret("hush-hush"), sessionToken: Secret("token-token"))
            let store = try Store(
                name: "archive", endpoint: "\(server.origin)/\(name)/\(steps),200@end;X=", bucket: "shows", region: "us-east-1", credentials: credentials ?? .fixed(keys))
            var options = S3Upload.Options()
            options.retry = .quick
            let upload = S3Upload(S3Client(try HTTPClient(), store), try store.key("a.ts"), options: options)
            try upload.write([1, 2, 3])
            try upload.finish()
        }

        @Test(arguments: [("SlowDown", 503), ("InternalError", 500), ("RequestTimeout", 400), ("OperationAborted", 409), ("BadDigest", 400), ("Anything", 429)])
        func passingErrorIsWaitedOut(code: String, status: Int) throws {
            let name = String.unique()
            try put(name, "\(status)@end;Say=\(said(code))")
            #expect(try server.requests(name).count == 2)
        }

        @Test(arguments: [("AccessDenied", 403), ("InvalidStorageClass", 400), ("NotImplemented", 501), ("NoSuchBucket", 404), ("ExpiredToken", 400)])
        func errorThatStaysIsSaid(code: String, status: Int) throws {
            let name = String.unique()
            let error = try #require(uploadError { try put(name, "\(status)@end;Say=\(said(code, more: "<StringToSign>token-token</StringToSign>"))") })
            #expect(error.code == code)
            #expect(error.status == status)
            #expect(error.excerpt == "It <failed>")
            #expect(error.doing == "s3://archive/a.ts")
            #expect(try server.requests(name).count == 1)
        }

        @Test func regionOfTheBucketIsSaid() throws {
            let error = try #require(uploadError { try put(.unique(), "301@end;x-amz-bucket-region=eu-central-1;Say=\(said("PermanentRedirect"))") })
            #expect(error.reason.contains("eu-central-1"))
            #expect(error.reason.contains("us-east-1"))
            #expect(error.status == 301)
        }

        @Test func clockThatIsWrongIsSetByTheStores() throws {
            let name = String.unique()
            try put(name, "403@end;Date=Sun%2C_06_Nov_2033_08:49:37_GMT;Say=\(said("RequestTimeTooSkewed"))")
            let dates = try server.requests(name).map { $0.headers["x-amz-date"] ?? "" }
            #expect(dates.count == 2)
            #expect(!dates[0].hasPrefix("203311"))
            #expect(dates[1].hasPrefix("20331106T0849") || dates[1].hasPrefix("20331106T0850"))
        }

        @Test func tokenThatHasExpiredIsReadAnew() throws {
            let folder = try TemporaryFolder(), name = String.unique(), path = folder / "keys"
            let write = { (key: String) in
                try "[default]\naws_access_key_id=\(key)\naws_secret_access_key=s\naws_session_token=t\n".write(toFile: path, atomically: true, encoding: .utf8)
            }
            try write("AKIAOLD")
            let sending = inBackground { try put(name, "400@end;Retry-After=4;Say=\(said("ExpiredToken"))", .file(path)) }
            try eventually("the first request") { try server.requests(name).first?.whole == true }
            try write("AKIANEW")
            try sending.value(within: 60)
            let signed = try server.requests(name).map { $0.headers["authorization"] ?? "" }
            #expect(signed.map { $0.contains("AKIANEW/") } == [false, true])
            #expect(signed[0].contains("AKIAOLD/"))
        }
    }
}
