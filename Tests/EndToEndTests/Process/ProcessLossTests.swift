import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Encoders and the fork server end, or stop, under load.
    @Suite struct ProcessLossTests {
        private static let writerCount = 8
        private static let frameCount = 60

        @Test func killedAndStoppedEncodersHurtNoOther() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let uploaders = try await Self.uploaders("w", on: server, clip)
                for uploader in uploaders { await uploader.run(to: 8) }
                let victims = [try await uploaders[0].encoder(), try await uploaders[1].encoder()]
                let stopped = try await uploaders[2].encoder()
                let loads = uploaders.map { uploader in Task { await uploader.run(to: Self.frameCount) } }
                kill(victims[0], SIGKILL)
                kill(victims[1], SIGSEGV)
                kill(stopped, SIGSTOP)
                for index in 3..<Self.writerCount { await loads[index].value }
                try await server.expectWell("beside a stopped encoder")

                for (index, signal) in [(0, "SIGKILL"), (1, "SIGSEGV")] {
                    await loads[index].value
                    let failed = try await server.writer("w\(index)", in: "failed")
                    #expect(failed["failure"]["type"] == "urn:penstock:problem:encoder-crashed")
                    #expect(failed["failure"]["signal"].string == signal, "\(failed)")
                    // The file stays where it was written.
                    #expect(FileManager.default.fileExists(atPath: server.outputFolder + "/w\(index).mp4"))
                }
                kill(stopped, SIGCONT)
                await loads[2].value
                for uploader in uploaders.dropFirst(2) { #expect(await uploader.cut == nil) }
                let reference = try await Self.reference(on: server, clip)
                for uploader in uploaders.dropFirst(2) {
                    let isSame = try await uploader.finalize() == reference
                    #expect(isSame, "\(uploader.id)")
                }
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                #expect(metrics["penstock_encoder_exits_total", ["reason": "SIGKILL"]] == 1)
                #expect(metrics["penstock_encoder_exits_total", ["reason": "SIGSEGV"]] == 1)
            }
        }

        @Test func killedSparesCostNoWriter() async throws {
            try await withServer { server in
                func spares() -> [pid_t] {
                    PenstockServer.processes(marked: server.marker).filter { PenstockServer.name(of: $0) == "spare encoder" }
                }
                #expect(try await eventually { spares().count == 2 })
                for spare in spares() { kill(spare, SIGKILL) }
                #expect(try await eventually { spares().isEmpty })
                try await server.expectWell("without spares")
                #expect(try await eventually { spares().count == 2 })
                // A fork of a process with threads would be none to build on.
                let forkServer = try await server.forkServer()
                let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(forkServer)/task")
                #expect(threads.count == 1)
            }
        }

        /// What it has mapped is copied for each encoder and torn down with it: libavdevice and its fifty libraries took
        /// a tenth of what a short life costs when the judgement of options had loaded them.
        @Test func forkServerHasNotLoadedTheDevices() async throws {
            try await withServer { server in
                try await server.expectWell("before its mappings are read")
                let path = "/proc/\(try await server.forkServer())/maps"
                let mappings = String(decoding: try #require(try FileHandle(forReadingAtPath: path)?.readToEnd()), as: UTF8.self)
                #expect(["libavformat.so", "libavdevice.so"].map { mappings.contains($0) } == [true, false])
            }
        }

        @Test(arguments: [SIGKILL, SIGSEGV, SIGSTOP])
        func lostForkServerIsReplacedAndHurtsNoWriter(signal: Int32) async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let uploaders = try await Self.uploaders("w", on: server, clip)
                for uploader in uploaders { await uploader.run(to: 8) }
                let loads = uploaders.map { uploader in Task { await uploader.run(to: Self.frameCount) } }
                let before = try await server.forkServer()
                kill(before, signal)
                let seconds = try await secondsOf {
                    let isBack = try await eventually(within: 20) {
                        // Whatever is answered meanwhile is an answer: none hangs.
                        let created = try? await server.curl(
                            "POST", "/v1/writers", body: .json(["format": "wav"]), options: ["--max-time", "15"])
                        if let created, created.status != 201 { #expect(created.status == 503, "\(created.text)") }
                        return created?.status == 201
                    }
                    #expect(isBack)
                }
                print("a fork server after \(signal): the next writer after \(seconds.short) s")
                #expect(try await server.forkServer() != before)
                #expect(try await server.curl("GET", "/readyz").status == 200)
                for load in loads { await load.value }
                let reference = try await Self.reference(on: server, clip)
                for uploader in uploaders.dropLast() {
                    let isSame = try await uploader.finalize() == reference
                    #expect(isSame, "\(uploader.id)")
                }
                // How an encoder of the lost fork server ends is still seen.
                kill(try await uploaders[Self.writerCount - 1].encoder(), SIGKILL)
                let failed = try await server.writer("w\(Self.writerCount - 1)", in: "failed")
                #expect(failed["failure"]["signal"] == "SIGKILL", "\(failed)")
                try await server.expectWell()
            }
        }

        @Test func outputThatIsAskedForWhileTheForkServerIsAwayGetsItsProcess() async throws {
            try await withServer(["--allow-output", "http://127.0.0.1:*/*"]) { server in
                let peer = try ScriptedServer(), (early, late) = (String.unique(), String.unique())
                let id = try await server.createWriter(["format": "wav", "streams": [["type": "audio", "sample_rate": 16000, "num_channels": 1]], "open": true])
                kill(try await server.forkServer(), SIGKILL)
                // A new writer beside it is told to come again, or waits like it.
                let (added, made) = try await (
                    server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(["name": "far", "dst": .string("\(peer.origin)/\(late)/200@end"), "format": "wav"])),
                    server.curl("POST", "/v1/writers", body: .json(["dst": .string("\(peer.origin)/\(early)/200@end"), "format": "wav"])))
                #expect(added.status == 201, "\(added.text)")
                #expect(made.status == 201 || made.status == 503, "\(made.text)")
                try await server.sendChunk(Data(count: 32_000), to: id, stream: 0)
                #expect(try await server.finalize(id)["state"] == "closed")
                #expect(try peer.requests(late).last?.whole == true)
            }
        }

        private static func uploaders(_ name: String, on server: PenstockServer, _ clip: Clip) async throws -> [Uploader] {
            var uploaders: [Uploader] = []
            for index in 0..<writerCount { uploaders.append(try await Uploader("\(name)\(index)", on: server, clip)) }
            return uploaders
        }

        /// What nothing disturbed.
        private static func reference(on server: PenstockServer, _ clip: Clip) async throws -> Data {
            let uploader = try await Uploader("reference", on: server, clip)
            await uploader.run(to: frameCount)
            return try await uploader.finalize()
        }
    }
}
