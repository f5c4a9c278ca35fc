import Foundation
import Testing

extension EndToEnd {
    /// Encoders that hang, spin or stop: their writers fail and say why, and nothing else is hurt.
    @Suite struct StallTests {
        private static let options = ["--call-timeout", "2", "--encoder-timeout", "4"]
        private static let pictures = Data(count: 20 * 64 * 48)

        private static func writer(_ filter: String? = nil, dst: String) -> JSON {
            var stream: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "gray", "encoder": "mpeg4"]
            if let filter { stream["filter_desc"] = .string(filter) }
            return ["dst": .string(dst), "streams": [stream], "open": true]
        }

        private static let sleeping = "realtime=limit=1000000:speed=0.00001"
        /// From the third picture on, so that it passes what is tried when it is created.
        private static let spinning = "geq=lum='if(gt(N,2),while(1,1),1)'"

        @Test(arguments: [sleeping, spinning])
        func filterThatDoesNotComeBackFailsItsWriterAndNoOther(filter: String) async throws {
            let clip = try await Clip.small()
            try await beside(clip) { server in
                let made = try await server.curl("PUT", "/v1/writers/stuck", body: .json(Self.writer(filter, dst: "stuck.avi")))
                try #require(made.status == 201, "\(made.text)")
                let pid = try #require(made.json["encoder_pid"].int)
                // The one that waits for it, and one that asks meanwhile.
                async let chunk = server.curl("POST", "/v1/writers/stuck/streams/0/chunks", body: .bytes(Self.pictures))
                #expect(try await server.writer("stuck")["state"] == "open")
                let answer = try await chunk
                #expect(answer.status == 504, "\(answer.text)")
                #expect(answer.problem == "encoder-stalled")
                #expect(answer.json["stage"] == "filters")
                #expect(answer.json["stream"] == 0)
                #expect(answer.json["request_id"].string != nil)
                let failed = try await server.writer("stuck")
                #expect(failed["state"] == "failed", "\(failed)")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:encoder-stalled")
                #expect(failed["failure"]["detail"].string?.contains("--call-timeout") == true)
                let isGone = try await eventually { PenstockServer.isGone(pid_t(pid)) }
                #expect(isGone, "the process goes although a thread is stuck")
                #expect(try await server.curl("DELETE", "/v1/writers/stuck").isDeleted)
            }
        }

        @Test func creationThatDoesNotComeBackMakesNoWriter() async throws {
            let clip = try await Clip.small()
            try await beside(clip) { server in
                for dryRun in ["", "?dry_run=true"] {
                    let answer = try await server.curl(
                        "POST", "/v1/writers" + dryRun, body: .json(Self.writer("geq=lum='while(1,1)'", dst: "never.avi")))
                    #expect(answer.status == 504, "\(answer.text)")
                    #expect(answer.problem == "encoder-stalled")
                }
                let stream: JSON = Self.writer("geq=lum='while(1,1)'", dst: "a")["streams"][0]
                _ = try await server.curl("PUT", "/v1/writers/two-steps", body: .json(["format": "avi"]))
                let added = try await server.curl("POST", "/v1/writers/two-steps/streams", body: .json(stream))
                #expect(added.status == 504, "\(added.text)")
                #expect(try await server.writer("two-steps")["state"] == "failed")
                #expect(try await server.curl("DELETE", "/v1/writers/two-steps").isDeleted)
            }
        }

        @Test func oneRequestThatDoesNotComeBackIsAnswered() async throws {
            let clip = try await Clip.small()
            try await beside(clip) { server in
                let filter = Self.spinning.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
                let stream = "frame_rate=25&width=64&height=48&pixel_format=gray&encoder=mpeg4&filter_desc=\(filter)"
                let answer = try await server.curl("POST", "/v1/encode?format=mp4&\(stream)", body: .bytes(Self.pictures))
                #expect(answer.status == 504, "\(answer.text)")
                #expect(answer.problem == "encoder-stalled")
            }
        }

        @Test func encoderThatDoesNotComeBackIsNamed() async throws {
            let clip = try await Clip.small()
            try await beside(clip) { server in
                // Noise at its slowest: one picture takes longer than the timeout.
                let stream: JSON = [
                    "type": "video", "frame_rate": 25, "width": 1_920, "height": 1_080, "format": "yuv420p", "encoder": "libaom-av1",
                    "encoder_option": ["cpu-used": 0, "lag-in-frames": 0, "threads": 1], "codec_config": ["bit_rate": 50_000_000],
                ]
                let id = try await server.createWriter(["format": "matroska", "streams": [stream], "open": true])
                let noise = noise(1_920 * 1_080 * 3 / 2)
                let answer = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(noise))
                #expect(answer.status == 504, "\(answer.text)")
                #expect(answer.json["stage"] == "encoder", "\(answer.text)")
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
            }
        }

        private func noise(_ count: Int) -> Data {
            var random = SeededRandom(1)
            var bytes = Data(capacity: count)
            while bytes.count < count { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
            return bytes.prefix(count)
        }

        /// SIGSTOP: nothing in it answers, and the gateway ends it.
        @Test func stoppedEncoderIsEndedAndItsWriterSaysSo() async throws {
            let clip = try await Clip.small()
            try await beside(clip) { server in
                let stopped = try await server.curl("PUT", "/v1/writers/stopped", body: .json(Self.writer(dst: "stopped.avi")))
                let pid = pid_t(try #require(stopped.json["encoder_pid"].int))
                let began = ContinuousClock.now
                kill(pid, SIGSTOP)
                // Passed to it, and without an answer when it is ended.
                async let chunk = try? RawConnection(port: server.port).request(
                    "POST", "/v1/writers/stopped/streams/0/chunks", body: Self.pictures)
                let failed = try await server.writer("stopped", in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:encoder-stalled", "\(failed)")
                #expect(failed["failure"]["stage"] == "process")
                #expect(failed["failure"]["detail"].string?.contains("--encoder-timeout") == true)
                let seconds = (ContinuousClock.now - began) / .seconds(1)
                #expect((3...25).contains(seconds), "\(seconds) s")
                _ = await chunk
                let isGone = try await eventually { PenstockServer.isGone(pid) }
                #expect(isGone)
                #expect(try await server.curl("DELETE", "/v1/writers/stopped").isDeleted)
            }
        }

        @Test func writersOfStuckEncodersAreDeletedAtOnce() async throws {
            let clip = try await Clip.small()
            // Long timeouts: only DELETE ends them.
            try await beside(clip, ["--call-timeout", "600", "--encoder-timeout", "600"]) { server in
                let stopped = try await server.curl("PUT", "/v1/writers/stopped", body: .json(Self.writer(dst: "stopped.avi")))
                kill(pid_t(try #require(stopped.json["encoder_pid"].int)), SIGSTOP)
                let spinning = try await server.curl("PUT", "/v1/writers/spinning", body: .json(Self.writer(Self.spinning, dst: "spinning.avi")))
                let spinner = pid_t(try #require(spinning.json["encoder_pid"].int))
                let connection = try RawConnection(port: server.port)
                try await connection.send(
                    RawConnection.head("POST", "/v1/writers/spinning/streams/0/chunks", contentLength: Self.pictures.count))
                try await connection.send(Self.pictures)
                let spins = try await eventually {
                    let encoded = try await server.writer("spinning")["streams"][0]["frames_encoded"].int
                    return encoded ?? 0 >= 2
                }
                #expect(spins)
                for id in ["stopped", "spinning"] {
                    let seconds = try await secondsOf {
                        let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                        #expect(deleted.isDeleted, "\(deleted.text)")
                    }
                    #expect(seconds < 20, "\(id): \(seconds) s")
                    #expect(try await server.curl("GET", "/v1/writers/\(id)").status == 404)
                }
                let isGone = try await eventually { PenstockServer.isGone(spinner) }
                #expect(isGone)
            }
        }

        @Test func stoppedCatalogIsReplaced() async throws {
            try await withServer(Self.options) { server in
                #expect(try await server.curl("GET", "/v1/version").status == 200)
                let catalog = PenstockServer.processes(marked: server.marker).first { PenstockServer.name(of: $0) == "enc +catalog" }
                kill(try #require(catalog), SIGSTOP)
                // Passed to it, and without an answer when it is ended.
                let answer = try await RawConnection(port: server.port).request("GET", "/v1/version")
                #expect(answer.status == 504 && answer.problem == "encoder-stalled", "\(answer.text)")
                #expect(answer.text.contains("--encoder-timeout") && !answer.text.contains("+catalog"), "\(answer.text)")
                let isBack = try await eventually(within: 40) {
                    (try? await server.curl("GET", "/v1/version", options: ["--max-time", "10"]))?.status == 200
                }
                #expect(isBack)
            }
        }

        /// Runs `body` while another writer uploads, whose output must be that of an undisturbed run; then
        /// nothing may be left of what `body` did.
        private func beside(
            _ clip: Clip, _ options: [String] = options, _ body: (PenstockServer) async throws -> Void
        ) async throws {
            try await withServer(options) { server in
                let reference = try await Uploader("reference", on: server, clip)
                await reference.run(to: 48)
                let undisturbed = try await reference.finalize()
                let steady = try await Uploader("steady", on: server, clip)
                await steady.run(to: 8)
                let descriptors = try Self.descriptors(of: server)
                let processes = server.processesAtWork
                let load = Task {
                    for total in stride(from: 12, through: 48, by: 4) {
                        await steady.run(to: total)
                        try? await Task.sleep(for: .milliseconds(200))
                    }
                }
                try await body(server)
                await load.value
                #expect(await steady.cut == nil)
                let isSame = try await steady.finalize() == undisturbed
                #expect(isSame, "the upload beside it")
                try await server.expectWell()
                let nothingIsLeft = try await eventually {
                    // The steady one's has ended too.
                    try server.processesAtWork.count <= processes.count - 1 && Self.descriptors(of: server) <= descriptors
                }
                #expect(nothingIsLeft, "\(server.processesAtWork) after \(processes), \(descriptors) descriptors before")
                let outputs = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder)
                #expect(outputs.sorted() == ["reference.mp4", "steady.mp4"])
                let folders = try FileManager.default.contentsOfDirectory(atPath: server.folder / "state/writers")
                #expect(folders.sorted() == ["reference", "steady"])
            }
        }

        private static func descriptors(of server: PenstockServer) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.pid)/fd").count
        }
    }
}
