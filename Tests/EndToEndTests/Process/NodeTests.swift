import Foundation
import Testing

extension EndToEnd {
    /// A server as one of several behind a proxy: its name in ids, its weight, and being drained.
    @Suite struct NodeTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        private static let open: JSON = ["format": "wav", "streams": [audio], "open": true]

        @Test func idsThatANodeMakesBeginWithItsName() async throws {
            // The longest that there may be.
            let name = "penstock-0-" + String(repeating: "x", count: 26)
            try await withServer(["--node", name]) { server in
                let id = try await server.createWriter(Self.open)
                #expect(id.hasPrefix(name + "-w_") && id.count == 64, "\(id)")
                try await server.sendChunk(Data(count: 8_000), to: id, stream: 0)
                #expect(try await server.finalize(id)["streams"][0]["frames"] == 4_000)
                #expect(try await server.curl("PUT", "/v1/writers/mine", body: .json(Self.open)).json["id"] == "mine")
                #expect(try await server.curl("GET", "/readyz").json["node"].string == name)
            }
        }

        @Test func aDrainedServerIsNotReadyAndKeepsServing() async throws {
            try await withServer(["--agent-port", "0"]) { server in
                let line = try #require(await server.log.line(containing: "agent-check", within: 20))
                let port = try #require(line.firstMatch(of: /127\.0\.0\.1:([0-9]+)/).flatMap { Int($0.1) })
                #expect(try await Self.weight(at: port).contains(where: { (1...100).contains($0) }))
                let id = try await server.createWriter(Self.open)
                let drain = Task {
                    try await Tool.run(
                        Repository.programs + "/penstock",
                        ["drain", "--pid", "\(server.process.pid)", "--port", "\(server.port)", "--at-least", "0"])
                }
                let isDraining = try await eventually { try await server.curl("GET", "/readyz").status == 503 }
                #expect(isDraining)
                let ready = try await server.curl("GET", "/readyz")
                #expect(ready.problem == "draining" && ready.json["live_writers"] == 1, "\(ready.text)")
                #expect(try await Self.weight(at: port) == [0])
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                #expect(metrics["penstock_draining"] == 1)
                // A proxy that has not seen it yet is not refused.
                let late = try await server.createWriter(Self.open)
                for writer in [id, late] {
                    try await server.sendChunk(Data(count: 8_000), to: writer, stream: 0)
                    #expect(try await server.finalize(writer)["streams"][0]["frames"] == 4_000)
                }
                let ended = try await drain.value
                #expect(ended.end == .exited(0), "\(ended.errors)")
                #expect(ended.text.hasSuffix("live writers: 0\n"), "\(ended.text)")
                #expect(try await server.curl("GET", "/livez").status == 200)
            }
        }

        @Test func drainingSaysWhatIsLeftWhenItsTimeIsOver() async throws {
            try await withServer { server in
                _ = try await server.createWriter(Self.open)
                let program = Repository.programs + "/penstock"
                let arguments = ["drain", "--pid", "\(server.process.pid)", "--port", "\(server.port)"]
                let found = try await Tool.run(program, arguments + ["--at-least", "0", "--timeout", "0"])
                #expect(found.end == .exited(1) && found.errors.contains("live writers: 1"), "\(found.errors)")
                let unusable = try await Tool.run(program, arguments + ["--timeout", "1000001"])
                #expect(unusable.end == .exited(64) && unusable.errors.contains("from 0 to 1000000"), "\(unusable.errors)")
            }
        }

        /// SIGUSR1 ends a program that has no use for it.
        @Test func whatIsNoServerIsNotSignalled() async throws {
            let null = FileHandle.nullDevice.fileDescriptor
            let sleep = try ChildProcess("sleep", ["100"], input: null, output: null, error: null)
            defer { sleep.signal(SIGKILL) }
            try await withServer { server in
                let program = Repository.programs + "/penstock"
                let other = try await Tool.run(program, ["drain", "--pid", "\(sleep.pid)", "--port", "\(server.port)", "--at-least", "0"])
                #expect(other.end == .exited(1) && other.errors.contains("process \(sleep.pid) is not a penstock server"), "\(other.errors)")
                #expect(kill(sleep.pid, 0) == 0)
                for pid in ["--pid=-1", "--pid=-\(sleep.pid)", "--pid=0"] {
                    #expect(try await Tool.run(program, ["drain", pid, "--port", "\(server.port)"]).end == .exited(64), "\(pid)")
                }
                #expect(kill(sleep.pid, 0) == 0)
                #expect(try await server.curl("GET", "/readyz").status == 200)
            }
        }

        /// What HAProxy's agent-check is told, as percent; nothing when it is no such line.
        private static func weight(at port: Int) async throws -> [Int] {
            let connection = try RawConnection(port: port)
            let text = try await connection.readToEnd()
            return text.wholeMatch(of: /([0-9]+)%\n/).flatMap { Int($0.1) }.map { [$0] } ?? []
        }
    }
}
