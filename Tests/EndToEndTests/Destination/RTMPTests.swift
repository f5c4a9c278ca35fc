import Foundation
import Testing

extension EndToEnd {
    /// RTMP with a real server, and as a server.
    @Suite struct RTMPTests {
        private static let missing: Comment = "nginx or its RTMP module is missing (libnginx-mod-rtmp)"
        private static let allowed = ["--allow-output", "rtmp://127.0.0.1:*/*"]

        private func create(
            _ url: String, on server: PenstockServer, open: JSON = true
        ) async throws -> String {
            try await server.createWriter(["dst": .string(url), "streams": [Pictures.stream()], "open": open])
        }

        /// It was said that the connection "can't be opened".
        @Test func aRefusedConnectionIsCalledThat() async throws {
            let port = try LoopbackPort.free().number
            try await withServer(Self.allowed) { server in
                let refused = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json(["dst": .string("rtmp://127.0.0.1:\(port)/app/key"), "streams": [Pictures.stream()], "open": true]))
                #expect(refused.status == 502 && refused.problem == "destination-failed")
                #expect(refused.json["detail"].string?.contains("Connection refused") == true, "\(refused.text)")
            }
        }

        @Test(.enabled(if: NginxRTMP.isInstalled, missing))
        func streamCanBeWatchedWhileItIsPublishedAndIsRecordedWhole() async throws {
            let nginx = try await NginxRTMP.start()
            let pictures = Pictures(400)
            try await withServer(Self.allowed) { server in
                let id = try await create(nginx.url("show"), on: server)
                let watched = try TemporaryFolder()
                let viewer = try Peer.ffmpeg([
                    "-i", nginx.url("show"), "-frames:v", "20", "-f", "rawvideo", "-pix_fmt", "yuv420p", watched / "raw",
                ])
                async let end = viewer.ended(within: 120)
                var sent = 0
                // Published for as long as it takes the viewer to see its 20 frames.
                while sent < pictures.frames.count, size(of: watched / "raw") < 20 * Pictures.bytesPerFrame {
                    try await server.sendChunk(pictures.frames[sent], to: id, stream: 0)
                    sent += 1
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try await end == .exited(0), "\(viewer.errors)")
                let writer = try await server.writer(id)
                #expect(writer["state"] == "open", "watched while it was published")
                let seen = Pictures.frames(of: try Data(contentsOf: URL(fileURLWithPath: watched / "raw")))
                let earliest = try #require(seen.first)
                let first = try #require(pictures.frames.firstIndex(of: earliest))
                #expect(seen == Array(pictures.frames[first..<first + 20]))

                try await server.finalize(id)
                try await eventually("the end of the recording") { await Pictures.decodedSoFar(nginx.recording("show")).count >= sent }
                let recorded = try await Pictures.decoded(nginx.recording("show"))
                #expect(recorded == Array(pictures.frames[..<sent]))
            }
            try await nginx.stop()
        }

        private func size(of path: String) -> Int {
            (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int).flatMap { $0 } ?? 0
        }

        @Test func playerThatConnectsPullsWhatAListeningWriterEncodes() async throws {
            let pictures = Pictures(50)
            let port = try LoopbackPort.free()
            let url = "rtmp://127.0.0.1:\(port.number)/live/app"
            try await withServer(Self.allowed) { server in
                let id = try await create(url, on: server, open: false)
                async let opened = server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["listen": "1"]]))
                try await port.isTaken()
                let folder = try TemporaryFolder()
                let player = try Peer.ffmpeg(["-i", url, "-c", "copy", folder / "pulled.mkv"])
                #expect(try await opened.status == 200)
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                try await server.finalize(id)
                try await player.ended()
                #expect(try await Pictures.decoded(folder / "pulled.mkv") == pictures.frames)
            }
        }

        @Test func deletingAWriterThatWaitsForAPlayerEndsTheWait() async throws {
            let port = try LoopbackPort.free()
            try await withServer(Self.allowed) { server in
                let id = try await create("rtmp://127.0.0.1:\(port.number)/live/app", on: server, open: false)
                async let opened = server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": ["listen": "1"]]))
                try await port.isTaken()
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                // Of an opening that did not come back, and went with its process, it is 503.
                let status = try await opened.status
                #expect(status >= 400 && status != 503, "\(status)")
                #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
                let other = try await server.createWriter(["dst": "after.mkv", "streams": [Pictures.stream()], "open": true])
                try await server.finalize(other)
            }
        }

        @Test(.enabled(if: NginxRTMP.isInstalled, missing))
        func serverThatGoesAwayFailsItsOwnWriterOnly() async throws {
            let nginx = try await NginxRTMP.start()
            let pictures = Pictures(50)
            try await withServer(Self.allowed) { server in
                let lost = try await create(nginx.url("lost"), on: server)
                let file = try await server.createWriter([
                    "dst": "kept.mkv", "streams": [Pictures.stream()], "open": true,
                ])
                try await server.sendChunk(pictures.data, to: lost, stream: 0)
                try await server.sendChunk(pictures.data, to: file, stream: 0)
                try await nginx.stop()
                var answer = try await server.curl("GET", "/v1/writers/\(lost)")
                // What the kernel has taken already is not known to be lost.
                for _ in 0..<100 where answer.status == 200 {
                    answer = try await server.curl(
                        "POST", "/v1/writers/\(lost)/streams/0/chunks", body: .bytes(pictures.data))
                }
                #expect(answer.status == 502, "\(answer.text)")
                #expect(answer.problem == "destination-failed")
                #expect(answer.json["detail"].string?.contains("rtmp://127.0.0.1:\(nginx.port.number)/***") == true)
                let failed = try await server.writer(lost, in: "failed")
                #expect(failed["failure"]["status"] == 502)
                #expect(failed["failure"]["detail"] == answer.json["detail"])
                try await server.sendChunk(pictures.data, to: file, stream: 0)
                try await server.finalize(file)
                let kept = try await Pictures.decoded(server.outputFolder + "/kept.mkv")
                #expect(kept == pictures.frames + pictures.frames)
            }
        }

        @Test func streamKeyAndPasswordAreSeenByNobody() async throws {
            let secrets = ["k3y-in-the-path", "pa55-in-the-user", "t0ken-in-the-query"]
            let port = try LoopbackPort.free()
            let url = "rtmp://me:\(secrets[1])@127.0.0.1:\(port.number)/live/\(secrets[0])?auth=\(secrets[2])"
            try await withServer(Self.allowed + ["--log-level", "trace"]) { server in
                let closed = try await server.curl(
                    "PUT", "/v1/writers/a",
                    body: .json(["dst": .string(url), "streams": [Pictures.stream()], "open": true]))
                #expect(closed.status == 502, "nobody listens: \(closed.text)")
                let configuring = try await server.curl(
                    "PUT", "/v1/writers/b", body: .json(["dst": .string(url), "streams": [Pictures.stream()]]))
                #expect(configuring.status == 201)
                let shown = try await server.writer("b")
                #expect(shown["dst"] == .string("rtmp://***@127.0.0.1:\(port.number)/***"))
                let refused = try await server.curl("POST", "/v1/writers/b/open")
                #expect(refused.status == 502)
                let failed = try await server.curl("GET", "/v1/writers/b")
                #expect(failed.json["state"] == "failed")
                let list = try await server.curl("GET", "/v1/writers")
                let dry = try await server.curl(
                    "POST", "/v1/writers?dry_run=true",
                    body: .json(["dst": .string(url), "streams": [Pictures.stream()]]))
                let elsewhere = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json(["dst": .string(url.replacingOccurrences(of: "127.0.0.1", with: "example.com"))]))
                #expect(elsewhere.status == 403)
                var told = [closed, configuring, refused, failed, list, dry, elsewhere].map(\.text)
                told.append(server.log.text)
                told += try files(below: server.folder.path)
                for secret in secrets { #expect(!told.contains { $0.contains(secret) }, "\(secret)") }
            }
        }

        private func files(below path: String) throws -> [String] {
            let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
            return names.map { name in
                let bytes = FileManager.default.contents(atPath: path + "/" + name) ?? Data()
                return name + String(decoding: bytes, as: UTF8.self)
            }
        }
    }
}
