import Foundation
import Testing

extension EndToEnd {
    /// What every encoder is confined to, and what the server does where that can't be had.
    @Suite struct SandboxTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        private static func writer(_ dst: String) -> JSON { ["dst": .string(dst), "streams": [audio], "open": true] }

        @Test func encoderHasNoPrivilegesAndFiltersItsCalls() async throws {
            try await withServer { server in
                let id = try await server.createWriter(Self.writer("a.wav"))
                let pid = try #require(await server.writer(id)["encoder_pid"].int)
                for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task") {
                    let status = try String(contentsOfFile: "/proc/\(pid)/task/\(thread)/status", encoding: .utf8)
                    for line in [
                        "NoNewPrivs:\t1", "Seccomp:\t2", "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000",
                        "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000",
                    ] { #expect(status.contains(line), "\(thread): \(status)") }
                }
                let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
                #expect(limits.contains(/Max data size +4294967296 +4328521728/), "\(limits)")
                #expect(limits.contains(/Max core file size +0 +0/), "\(limits)")
                #expect(limits.contains(/Max open files +10256 +10256/), "\(limits)")
                try await server.finalize(id)
            }
        }

        /// SVT-AV1 takes real-time priority for all it does where it is root and may.
        @Test(.enabled(if: geteuid() == 0, "only root's encoders would have taken it"))
        func noEncoderTakesRealTimePriority() async throws {
            try await withServer { server in
                let stream: JSON = [
                    "type": "video", "frame_rate": 25, "width": 64, "height": 64, "format": "yuv420p", "encoder": "libsvtav1",
                ]
                let id = try await server.createWriter(["format": "matroska", "streams": [stream], "open": true])
                try await server.sendChunk(Data(count: 64 * 64 * 3 / 2), to: id, stream: 0)
                let pid = try #require(await server.writer(id)["encoder_pid"].int)
                let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
                #expect(threads.count > 3, "its own threads")
                for thread in threads {
                    let stat = try String(contentsOfFile: "/proc/\(pid)/task/\(thread)/stat", encoding: .utf8)
                    // proc(5): the name, in parentheses, is the 2nd field, the policy the 41st; 0 is SCHED_OTHER.
                    let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
                    #expect(fields[39] == "0", "\(stat)")
                }
                try await server.finalize(id)
            }
        }

        @Test func encoderHoldsNoDescriptorOfOthers() async throws {
            try await withServer { server in
                var holdings: [String: Set<String>] = [:]
                for name in ["a", "b"] {
                    let made = try await server.curl(
                        "PUT", "/v1/writers/\(name)", body: .json(Self.writer("\(name)/out.wav")))
                    try #require(made.status == 201, "\(made.text)")
                    let pid = try #require(made.json["encoder_pid"].int)
                    holdings[name] = try Self.descriptors(of: pid_t(pid))
                }
                let standard = try Self.descriptors(of: server.pid, numbers: 0...2)
                let forkServer = try Self.descriptors(of: try await server.forkServer())
                for (name, held) in holdings {
                    let own = held.subtracting(standard)
                    let files = own.filter { $0.hasPrefix("/") }
                    #expect(
                        files == [
                            server.folder / "state/writers/\(name)", server.outputFolder,
                            server.outputFolder + "/\(name)/out.wav",
                        ])
                    // Its control socket, and the pairs it made itself.
                    #expect(own.filter { $0.hasPrefix("socket:") }.count <= 5, "\(own)")
                    let kernel: Set = ["anon_inode:[eventpoll]", "anon_inode:[eventfd]"]
                    #expect(own.filter { !$0.hasPrefix("/") && !$0.hasPrefix("socket:") } == kernel)
                    #expect(own.subtracting(kernel).isDisjoint(with: forkServer))
                }
                let shared = holdings["a"]!.intersection(holdings["b"]!).subtracting(standard)
                #expect(shared == [server.outputFolder, "anon_inode:[eventpoll]", "anon_inode:[eventfd]"])
                for id in ["a", "b"] { try await server.finalize(id) }
            }
        }

        /// What they are open on.
        private static func descriptors(of pid: pid_t, numbers: ClosedRange<Int> = 0...10_000) throws -> Set<String> {
            let folder = "/proc/\(pid)/fd"
            let open = try FileManager.default.contentsOfDirectory(atPath: folder).filter { numbers.contains(Int($0) ?? -1) }
            return Set(open.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0) })
        }

        private static let hasFonts = FileManager.default.fileExists(atPath: "/usr/share/fonts/truetype")

        /// What libav reads of the system is within reach: fonts and their configuration.
        @Test(.enabled(if: hasFonts, "no font is installed (fonts-dejavu-core)"))
        func textIsDrawnWithTheSystemsFont() async throws {
            let (width, height) = (320, 120)
            let black = Data(count: width * height)
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "text.gray", "format": "rawvideo",
                    "streams": [
                        [
                            "type": "video", "frame_rate": 25, "width": .number(Double(width)),
                            "height": .number(Double(height)), "format": "gray8", "encoder": "rawvideo",
                            "filter_desc": "drawtext=text='Penstock':fontsize=60:fontcolor=white:x=10:y=20",
                        ]
                    ],
                    "open": true,
                ])
                try await server.sendChunk(black, to: id, stream: 0)
                try await server.finalize(id)
                let lit = try server.output("text.gray").filter { $0 > 200 }.count
                #expect((1_000...20_000).contains(lit))
            }
        }

        /// The hosts file, sockets for looking up, and the port are within reach.
        @Test func destinationIsReachedByItsName() async throws {
            let folder = try TemporaryFolder()
            let port = try LoopbackPort.free()
            let receiver = try Peer.ffmpeg([
                "-f", "wav", "-i", "tcp://127.0.0.1:\(port.number)?listen=1", "-c", "copy", folder / "received.wav",
            ])
            try await port.isTaken()
            try await withServer(["--allow-output", "tcp://localhost:\(port.number)"]) { server in
                let id = try await server.createWriter([
                    "dst": .string("tcp://localhost:\(port.number)"), "format": "wav", "streams": [Self.audio], "open": true,
                ])
                try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                try await server.finalize(id)
            }
            try await receiver.ended()
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder / "received.wav")).count >= 16_000)
        }

        @Test func readinessLogAndMetricsSayWhatIsInForce() async throws {
            let contract = try Contract.load()
            try await withServer { server in
                let ready = try await server.curl("GET", "/readyz").json
                contract.expect(ready, matches: "Readiness")
                contract.expect(ready["sandbox"], matches: "Sandbox")
                #expect(ready["sandbox"]["missing"] == [])
                for part in ["files", "tcp_ports", "signals", "system_calls"] {
                    #expect(ready["sandbox"][part] == true)
                    let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                    #expect(metrics["penstock_sandbox_in_force", ["part": part]] == 1)
                }
                #expect(server.log.text.contains("every encoder runs in a sandbox"))
            }
        }

        @Test(arguments: [
            (Wrapper.noLandlock, "files", "Landlock"), (Wrapper.noSeccomp, "system_calls", "seccomp"),
        ])
        func systemWithoutItIsServedAndSaysSo(wrapper: [String], part: String, name: String) async throws {
            try await withServer(under: wrapper) { server in
                let ready = try await server.curl("GET", "/readyz").json
                #expect(ready["sandbox"][part] == false, "\(ready)")
                #expect(ready["sandbox"]["missing"].array.contains { $0.string?.contains(name) == true }, "\(ready)")
                #expect(server.log.text.contains(/WARNING the encoders' sandbox lacks: .*\w/), "\(server.log.text)")
                let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
                #expect(metrics["penstock_sandbox_in_force", ["part": part]] == 0)
                try await server.expectWell()
            }
            // With --require-sandbox it is not.
            let folder = try TemporaryFolder()
            let (process, log) = try PenstockServer.launch(
                ["serve", "--port", "0", "--output-dir", folder / "o", "--state-dir", folder / "s", "--require-sandbox"],
                under: wrapper)
            #expect(try await process.ended(within: 20) == .exited(1))
            _ = await log.ended(within: 20)
            #expect(log.text.contains("--require-sandbox") && log.text.contains(name), "\(log.text)")
            #expect(!FileManager.default.fileExists(atPath: folder / "s"))
        }

        @Test func requiredSandboxThatIsThereIsServed() async throws {
            try await withServer(["--require-sandbox"]) { server in try await server.expectWell() }
        }

        /// The kernel has it, and then refuses: nothing is done without.
        @Test func encoderThatCanNotBeConfinedDoesNothing() async throws {
            try await withServer(under: Wrapper.without("landlock_restrict_self", failingWith: "E2BIG")) { server in
                #expect(try await server.curl("GET", "/readyz").status == 200)
                let calls: [(String, String, Curl.Body)] = [
                    ("POST", "/v1/writers", .json(Self.writer("a.wav"))), ("PUT", "/v1/writers/w", .json(Self.writer("a.wav"))),
                    ("POST", "/v1/encode?format=wav&sample_rate=8000&num_channels=1", .bytes(Data(count: 400))),
                    ("GET", "/v1/muxers", .none),
                ]
                for (method, path, body) in calls {
                    let refused = try await server.curl(method, path, body: body)
                    #expect(refused.status == 500, "\(path): \(refused.text)")
                    #expect(refused.json["detail"].string?.contains("sandbox") == true)
                }
                #expect(server.log.text.contains("put Landlock in force"))
                #expect(server.log.text.contains("the gateway itself goes on unconfined"))
                let isGone = try await eventually {
                    let left = try FileManager.default.contentsOfDirectory(atPath: server.folder / "state/writers")
                    return try await server.curl("GET", "/v1/writers").json["writers"] == [] && left == []
                }
                #expect(isGone)
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == [])
            }
        }

        @Test func gatewayThatCanNotBeConfinedEndsWhereItMustBe() async throws {
            let folder = try TemporaryFolder()
            let (process, log) = try PenstockServer.launch(
                ["serve", "--port", "0", "--output-dir", folder / "o", "--state-dir", folder / "s", "--require-sandbox"],
                under: Wrapper.without("landlock_restrict_self", failingWith: "E2BIG"))
            #expect(try await process.ended(within: 20) == .exited(1))
            _ = await log.ended(within: 20)
            #expect(log.text.contains("put Landlock in force"), "\(log.text)")
        }

        @Test func writerThatCanNotBeNarrowedIsNotMade() async throws {
            try await withServer(under: Wrapper.without("rt_tgsigqueueinfo", failingWith: "EPERM")) { server in
                let refused = try await server.curl("POST", "/v1/writers", body: .json(Self.writer("a.wav")))
                #expect(refused.status == 500, "\(refused.text)")
                #expect(refused.json["detail"].string?.contains("confined to its destination") == true)
                #expect(try await server.curl("GET", "/v1/writers").json["writers"] == [])
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == [])
            }
        }
    }
}
