import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Servers whose certificates are of an authority that no system knows (`--ca-file`).
    @Suite struct AuthorityTests {
        private let folder = Result { try TemporaryFolder() }

        /// An authority and, by it, a certificate for this machine: the files `ca.pem`, `cert` and `key` of a folder.
        private func authority() async throws -> TemporaryFolder {
            let folder = try folder.get()
            let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            try "subjectAltName=DNS:localhost,IP:127.0.0.1\n".write(toFile: folder / "names", atomically: true, encoding: .utf8)
            for arguments in [
                ["req", "-x509"] + key + ["-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", "2", "-subj", "/CN=an authority of a test", "-addext", "keyUsage=critical,keyCertSign"],
                ["req"] + key + ["-keyout", folder / "key", "-out", folder / "request", "-subj", "/CN=localhost"],
                ["x509", "-req", "-in", folder / "request", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-out", folder / "cert", "-days", "2", "-extfile", folder / "names"],
            ] {
                let result = try await Tool.run("/usr/bin/env", ["openssl"] + arguments)
                try #require(result.end == .exited(0), "\(result.errors)")
            }
            return folder
        }

        private func write(_ dst: String, on server: PenstockServer) async throws -> Response {
            let made = try await server.curl("POST", "/v1/writers", body: .json(["dst": .string(dst), "streams": [Pictures.stream(gop: 25)], "open": true]))
            guard made.status == 201, let id = made.json["id"].string else { return made }
            try await server.sendChunk(Pictures(10).data, to: id, stream: 0)
            return try await server.curl("POST", "/v1/writers/\(id)/finalize")
        }

        private func expectUntrusted(_ response: Response) {
            let detail = response.json["detail"].string ?? ""
            #expect(response.status == 502 && detail.contains("certificate is not trusted") && detail.contains("--ca-file"), "\(response.text)")
        }

        @Test func serversOfHTTPAreTrusted() async throws {
            let files = try await authority(), peer = try ScriptedServer(scheme: "https", ["--tls", files / "cert", files / "key"])
            let allowed = ["--allow-output", "https://127.0.0.1:*/*"]
            // One that goes out live, and one that is written to a file first.
            for name in ["a.ts", "a.mp4"] {
                let key = String.unique(), url = "\(peer.origin)/\(key)/files/\(name)"
                try await withServer(allowed) { server in expectUntrusted(try await write(url, on: server)) }
                #expect(try peer.requests(key).isEmpty)
                try await withServer(allowed + ["--ca-file", files / "ca.pem"]) { server in
                    let ended = try await write(url, on: server)
                    #expect(ended.json["state"] == "closed", "\(ended.text)")
                    let same = try await write("same-\(name)", on: server)
                    #expect(same.json["state"] == "closed", "\(same.text)")
                    #expect(try peer.requests(key).last?.sha256 == HTTPUploadTests.sha256(try server.output("same-\(name)")))
                }
            }
        }

        @Test(.enabled(if: S3Session.isInstalled, Comment(rawValue: S3Session.missing)))
        func storesAreTrusted() async throws {
            let files = try await authority(), session = try S3Session(tls: [files / "cert", files / "key"])
            let environment = [
                "PENSTOCK_STORE_ARCHIVE_ENDPOINT": session.endpoint, "PENSTOCK_STORE_ARCHIVE_BUCKET": session.bucket,
                "PENSTOCK_STORE_ARCHIVE_ACCESS_KEY": session.accessKey, "PENSTOCK_STORE_ARCHIVE_SECRET_KEY": session.secretKey,
            ]
            try await withServer(environment: environment) { server in expectUntrusted(try await write("s3://archive/a.mp4", on: server)) }
            try await withServer(environment: environment.merging(["PENSTOCK_CA_FILE": files / "ca.pem"]) { $1 }) { server in
                let ended = try await write("s3://archive/a.mp4", on: server)
                #expect(ended.json["state"] == "closed", "\(ended.text)")
                let same = try await write("same.mp4", on: server)
                #expect(same.json["state"] == "closed")
                #expect(try session.object("a.mp4").sha256 == HTTPUploadTests.sha256(try server.output("same.mp4")))
            }
        }

        @Test func receiversOfWebhooksAreTrusted() async throws {
            let files = try await authority(), peer = try ScriptedServer(scheme: "https", ["--tls", files / "cert", files / "key"])
            try WebhookReceiver.secrets[0].appending("\n").write(toFile: files / "secrets", atomically: true, encoding: .utf8)
            let name = String.unique()
            let options = ["--webhook", "\(peer.origin)/\(name)/200@end", "--webhook-secret-file", files / "secrets", "--log-level", "debug"]
            try await withServer(options) { server in
                let written = try await write("a.mp4", on: server)
                #expect(written.status == 200, "\(written.text)")
                let line = await server.log.line(containing: "a webhook was not delivered", within: 20)
                #expect(line?.contains("certificate") == true, "\(server.log.text)")
                #expect(try peer.requests(name).isEmpty)
            }
            try await withServer(options + ["--ca-file", files / "ca.pem"]) { server in
                let written = try await write("a.mp4", on: server)
                #expect(written.status == 200, "\(written.text)")
                try await eventually("both are told") { try peer.requests(name).count >= 2 }
            }
        }

        @Test func fileThatHasNoneIsRefusedWhenTheServerStarts() async throws {
            let folder = try folder.get()
            try "nothing\n".write(toFile: folder / "empty.pem", atomically: true, encoding: .utf8)
            for (path, words) in [(folder / "missing.pem", "No such file"), (folder / "empty.pem", "no certificate")] {
                let places = ["--port", "0", "--output-dir", folder / "output", "--state-dir", folder / "state"]
                let (process, log) = try PenstockServer.launch(["serve"] + places + ["--ca-file", path])
                #expect(try await process.ended(within: 20) != .exited(0))
                #expect(await log.ended(within: 20) && log.text.contains(words) && log.text.contains("ca-file"), "\(log.text)")
                let checked = try await Tool.run(Repository.programs + "/penstock", ["config", "--check"] + places + ["--ca-file", path])
                #expect(checked.end == .exited(1) && checked.text.contains(words), "\(checked.text)")
            }
        }
    }
}
