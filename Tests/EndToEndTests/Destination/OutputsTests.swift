import Foundation
import Testing

extension EndToEnd {
    /// One upload, several places, with real peers that come and go.
    @Suite struct OutputsTests {
        private static let missing: Comment = "nginx or its RTMP module is missing (libnginx-mod-rtmp)"
        private static let allowed = ["--allow-output", "rtmp://127.0.0.1:*/*", "--allow-output", "tcp://127.0.0.1:*"]

        private func create(_ outputs: JSON, gop: Int = 5, on server: PenstockServer) async throws -> String {
            try await server.createWriter(["outputs": outputs, "streams": [Pictures.stream(gop: gop)], "open": true])
        }

        private func output(_ name: String, of id: String, on server: PenstockServer) async throws -> JSON {
            let outputs = try await server.writer(id)["outputs"].array
            return try #require(outputs.first { $0["name"] == .string(name) })
        }

        /// What a writer makes of the same pictures that has the file alone.
        private func alone(_ pictures: Pictures, gop: Int = 5, on server: PenstockServer) async throws -> Data {
            let id = try await server.createWriter(["dst": "alone.mp4", "streams": [Pictures.stream(gop: gop)], "open": true])
            try await server.sendChunk(pictures.data, to: id, stream: 0)
            try await server.finalize(id)
            return try Data(contentsOf: URL(fileURLWithPath: server.folder / "output/alone.mp4"))
        }

        @Test(.enabled(if: NginxRTMP.isInstalled, missing))
        func recordingIsThatOfAWriterOfItsOwnAndThePublishedStreamHasTheSamePictures() async throws {
            let nginx = try await NginxRTMP.start()
            let pictures = Pictures(100)
            try await withServer(Self.allowed) { server in
                let id = try await create([["name": "record", "dst": "a.mp4"], ["name": "live", "dst": .string(nginx.url("show"))]], on: server)
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                try await server.finalize(id)
                let recorded = try Data(contentsOf: URL(fileURLWithPath: server.folder / "output/a.mp4"))
                #expect(try await recorded == alone(pictures, on: server))
                try await eventually("the end of the recording") { await Pictures.decodedSoFar(nginx.recording("show")).count >= 100 }
                #expect(try await Pictures.decoded(nginx.recording("show")) == pictures.frames)
                let ended = try await server.writer(id)
                #expect(ended["outputs"].array.map { $0["state"].string } == ["closed", "closed"])
                #expect(ended["outputs"].array.map { $0["packets"] } == [100, 100])
                #expect(!"\(ended)".contains("/live/show"), "the key is shown")
            }
            try await nginx.stop()
        }

        @Test(.enabled(if: NginxRTMP.isInstalled, missing))
        func serverThatIsKilledIsPublishedToAgainFromAKeyFrameAndTheRecordingNeverNotices() async throws {
            let first = try await NginxRTMP.start()
            let (pictures, gop) = (Pictures(150), 30)
            try await withServer(Self.allowed) { server in
                let id = try await create(
                    [
                        ["name": "record", "dst": "a.mp4"],
                        ["name": "live", "dst": .string(first.url("show")), "on_failure": "continue", "reconnect": true],
                    ], gop: gop, on: server)
                try await server.sendChunk(Pictures.joined(pictures.frames[0..<50]), to: id, stream: 0)
                try await eventually("it is published") { try await output("live", of: id, on: server)["packets"] == 50 }
                try await first.stop()
                var sent = 50
                // A broken connection shows when something is sent.
                try await eventually("that it broke is seen") {
                    if sent < 100 {
                        try await server.sendChunk(pictures.frames[sent], to: id, stream: 0)
                        sent += 1
                    }
                    return try await output("live", of: id, on: server)["state"] == "reconnecting"
                }
                try await server.sendChunk(pictures.frames[sent], to: id, stream: 0)
                sent += 1
                // Before there is anything to send it to.
                try await eventually("it is encoded") { try await server.writer(id)["streams"][0]["frames_encoded"].int == sent }
                let second = try await NginxRTMP.start(on: first.port)
                try await eventually("it is open again", within: 60) { try await output("live", of: id, on: server)["state"] == "open" }
                try await server.sendChunk(Pictures.joined(pictures.frames[sent..<150]), to: id, stream: 0)
                try await server.finalize(id)
                let recorded = try Data(contentsOf: URL(fileURLWithPath: server.folder / "output/a.mp4"))
                #expect(try await recorded == alone(pictures, gop: gop, on: server))
                let keyFrame = (sent + gop - 1) / gop * gop
                try await eventually("the end of the second recording") {
                    await Pictures.decodedSoFar(second.recording("show")).count >= 150 - keyFrame
                }
                let published = try await Pictures.decoded(second.recording("show"))
                #expect(published == Array(pictures.frames[keyFrame..<150]))
                let ended = try await server.writer(id)
                let live = try #require(ended["outputs"].array.last)
                #expect(live["state"] == "closed" && (live["attempts"].int ?? 0) >= 2 && (live["packets_dropped"].int ?? 0) > 0)
                #expect(ended["result"]["warnings"].array.contains { $0["code"] == "packets-dropped" && $0["output"] == "live" })
                try await second.stop()
            }
        }

        @Test func peerThatNeverAnswersHoldsNothingUpThatCanDoWithoutIt() async throws {
            let silent = try TrapPort(.tcp)
            let pictures = Pictures(60)
            try await withServer(Self.allowed) { server in
                let id = try await create(
                    [
                        ["name": "record", "dst": "a.mp4"],
                        ["name": "live", "dst": .string("rtmp://127.0.0.1:\(silent.port)/a/b"), "on_failure": "continue", "when_slow": "drop"],
                    ], on: server)
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                #expect(try await output("live", of: id, on: server)["state"] == "opening")
                #expect(try await output("record", of: id, on: server)["state"] == "open")
                let process = try #require(try await server.writer(id)["encoder_pid"].int)
                let deleted = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(deleted.status == 204)
                try await eventually("its processes end") { kill(pid_t(process), 0) != 0 }
            }
        }

        /// It has 30 s without it.
        @Test func outputMayHaveATimeOfItsOwnForOpening() async throws {
            let silent = try TrapPort(.tcp)
            func output(_ seconds: JSON) -> JSON {
                ["name": "live", "dst": .string("rtmp://127.0.0.1:\(silent.port)/a/b"), "open_timeout": seconds]
            }
            try await withServer(Self.allowed) { server in
                let late = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json(["outputs": [["name": "record", "dst": "a.mp4"], output(0.5)], "streams": [Pictures.stream()], "open": true]))
                #expect(late.status == 504 && late.problem == "destination-timeout" && late.json["parameter"] == "open_timeout", "\(late.text)")
                #expect(late.text.contains("0.5 seconds") && late.text.contains("open_timeout"), "\(late.text)")
                let id = try await server.createWriter(["dst": "b.mp4", "streams": [Pictures.stream()], "open": true])
                let added = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(output(0.5)))
                #expect(added.status == 504 && added.json["parameter"] == "open_timeout", "\(added.text)")
                for (seconds, rule) in [(JSON.number(31), "at most 30 seconds"), (0, "above 0"), (-1, "above 0")] {
                    let refused = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(output(seconds)))
                    #expect(refused.status == 422 && refused.json["pointer"] == "/open_timeout" && refused.text.contains(rule), "\(refused.text)")
                }
                let beside = try await server.curl(
                    "POST", "/v1/writers", body: .json(["outputs": [["name": "record", "dst": "c.mp4"], output(31)], "streams": [Pictures.stream()]]))
                #expect(beside.status == 422 && beside.json["pointer"] == "/outputs/1/open_timeout", "\(beside.text)")
            }
        }

        /// A peer that takes the connection and then reads nothing.
        @Test func outputWhosePeerStopsReadingHasFailedInTimeAndIsOpenedAgain() async throws {
            let trap = try TrapPort(.tcp)
            try await withServer(Self.allowed + ["--output-stall-timeout", "0.5"]) { server in
                let id = try await server.createWriter([
                    "outputs": [
                        ["name": "record", "dst": "a.nut"],
                        ["name": "live", "dst": .string("tcp://127.0.0.1:\(trap.port)"), "format": "nut", "on_failure": "continue", "reconnect": true],
                    ],
                    "streams": [["type": "video", "frame_rate": 25, "width": 640, "height": 480, "encoder": "rawvideo", "format": "rgb24"]], "open": true,
                ])
                // More than sockets hold.
                let bytes = 640 * 480 * 3 * 30
                try await server.sendChunk(Data(count: bytes), to: id, stream: 0)
                try await eventually("it is tried again") { try await output("live", of: id, on: server)["attempts"].int ?? 0 >= 2 && trap.arrivals >= 2 }
                let error = try await output("live", of: id, on: server)["error"]
                #expect(error["code"] == "destination-failed", "\(error)")
                #expect(error["detail"].string?.contains("taken nothing for 0.5 seconds (--output-stall-timeout)") == true, "\(error)")
                let ended = try await server.finalize(id)
                #expect(ended["outputs"][0]["state"] == "closed" && (ended["result"]["bytes"].int ?? 0) > bytes, "\(ended)")
            }
        }

        @Test func outputThatAnEncoderCanNotReachFailsTheWriterOrNotAsItSays() async throws {
            let port = try LoopbackPort.free().number
            let pictures = Pictures(20)
            try await withServer(Self.allowed) { server in
                let dst = JSON.string("tcp://127.0.0.1:\(port)")
                let refused = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json([
                        "outputs": [["name": "record", "dst": "a.mp4"], ["name": "live", "dst": dst]], "streams": [Pictures.stream()], "open": true,
                    ]))
                #expect(refused.status == 502 && refused.problem == "destination-failed")
                #expect(refused.json["detail"].string?.contains("output live: ") == true, "\(refused.text)")
                #expect(!FileManager.default.fileExists(atPath: server.folder / "output/a.mp4"))
                let id = try await create([["name": "record", "dst": "a.mp4"], ["name": "live", "dst": dst, "on_failure": "continue"]], on: server)
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                let result = try await server.finalize(id)
                #expect(result["result"]["warnings"].array.contains { $0["code"] == "output-failed" })
                #expect(try await Pictures.decoded(server.folder / "output/a.mp4") == pictures.frames)
            }
        }

        /// The writer fails with an output that broke; what the others have is whole, wherever they stand among the outputs.
        @Test func othersAreEndedWithAllThatWasTakenWhereOneFailsInTheMiddle() async throws {
            let pictures = Pictures(120)
            let (port, folder) = (try LoopbackPort.free(), try TemporaryFolder())
            let receiver = try Peer.ffmpeg(["-f", "mpegts", "-i", "tcp://127.0.0.1:\(port.number)?listen=1", "-c", "copy", folder / "part.mkv"])
            try await port.isTaken()
            try await withServer(Self.allowed) { server in
                let id = try await create(
                    [
                        ["name": "first", "dst": "a.mp4"], ["name": "live", "dst": .string("tcp://127.0.0.1:\(port.number)"), "format": "mpegts"],
                        ["name": "web", "dst": "hls/a.m3u8", "option": ["hls_time": "1", "hls_list_size": "0"]], ["name": "last", "dst": "b.mp4"],
                    ], on: server)
                try await server.sendChunk(Pictures.joined(pictures.frames[0..<60]), to: id, stream: 0)
                try await receiver.stop(with: SIGKILL)
                var taken = 60
                var problem: Response?
                while taken < 120, problem == nil {
                    let sent = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures.joined(pictures.frames[taken..<taken + 1])))
                    if sent.status == 200 { taken += 1 } else { problem = sent }
                }
                let refused = try #require(problem, "nothing noticed that the peer was gone")
                // Or the writer has failed between two.
                #expect([409, 502].contains(refused.status) && refused.text.contains("output live: "), "\(refused.text)")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["detail"].string?.contains("output live: ") == true)
                #expect(failed["outputs"].array.map { $0["state"] } == ["closed", "failed", "closed", "closed"], "\(failed["outputs"])")
                for file in ["a.mp4", "hls/a.m3u8", "b.mp4"] {
                    let found = try await Pictures.decoded(server.outputFolder + "/" + file)
                    #expect((taken...taken + 1).contains(found.count) && found == Array(pictures.frames[..<found.count]), "\(file): \(found.count) of \(taken)")
                }
                #expect(String(decoding: try server.output("hls/a.m3u8"), as: UTF8.self).contains("#EXT-X-ENDLIST"))
            }
        }

        /// Nothing else would tell: the body pauses, and no other request comes.
        @Test(arguments: [true, false])
        func writerFailsWithAnOutputThatFailsWhileItsBodyPauses(isAlone: Bool) async throws {
            let pictures = Pictures(60)
            let port = try LoopbackPort.free()
            let receiver = try Peer.ffmpeg(["-f", "mpegts", "-i", "tcp://127.0.0.1:\(port.number)?listen=1", "-f", "null", "-"])
            try await port.isTaken()
            try await withServer(Self.allowed) { server in
                let live: JSON = ["name": "live", "dst": .string("tcp://127.0.0.1:\(port.number)"), "format": "mpegts"]
                let id = try await create(isAlone ? [live] : [["name": "record", "dst": "a.mp4"], live], on: server)
                let body = try RawConnection(port: server.port)
                try await body.send(RawConnection.head("POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: pictures.data.count))
                for frame in pictures.frames[0..<20] { try await body.send(frame) }
                try await eventually("they are sent") { try await output("live", of: id, on: server)["packets"] == 20 }
                try await receiver.stop(with: SIGKILL)
                // The first that is sent is answered by a reset, and one that follows finds it.
                for frame in pictures.frames[20..<30] {
                    try? await body.send(frame)
                    try await Task.sleep(for: .milliseconds(50))
                }
                let refused = try await body.response()
                #expect(refused.status == 502 && refused.problem == "destination-failed", "\(refused.text)")
                let failed = try await server.writer(id, in: "failed")
                #expect(failed["failure"]["type"] == "urn:penstock:problem:destination-failed", "\(failed)")
                if isAlone { return }
                #expect(failed["outputs"].array.map { $0["state"] } == ["closed", "failed"], "\(failed["outputs"])")
                let found = try await Pictures.decoded(server.folder / "output/a.mp4")
                #expect((20...30).contains(found.count) && found == Array(pictures.frames[..<found.count]), "\(found.count)")
            }
        }

        @Test func writerOfWhichNothingCouldBeWrittenIsNotClosed() async throws {
            let ports = (try LoopbackPort.free().number, try LoopbackPort.free().number)
            try await withServer(Self.allowed) { server in
                let id = try await create(
                    .array([ports.0, ports.1].enumerated().map { index, port in
                        ["name": .string("o\(index)"), "dst": .string("tcp://127.0.0.1:\(port)"), "format": "mpegts", "on_failure": "continue"]
                    }), on: server)
                try await server.sendChunk(Pictures(10).data, to: id, stream: 0)
                let refused = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(refused.status == 502 && refused.problem == "destination-failed", "\(refused.text)")
                for text in ["none of the writer's outputs", "output o0: ", "output o1: "] { #expect(refused.text.contains(text), "\(refused.text)") }
                #expect(try await server.writer(id)["state"] == "failed")
            }
        }

        @Test func outputsComeAndGoWhileOneBodyIsTaken() async throws {
            let pictures = Pictures(120)
            let (port, folder) = (try LoopbackPort.free(), try TemporaryFolder())
            let receiver = try Peer.ffmpeg(["-f", "mpegts", "-i", "tcp://127.0.0.1:\(port.number)?listen=1", "-c", "copy", folder / "part.mkv"])
            try await port.isTaken()
            try await withServer(Self.allowed) { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": [Pictures.stream()], "open": true])
                try await server.sendChunk(Pictures.joined(pictures.frames[0..<40]), to: id, stream: 0)
                let body: JSON = ["name": "part", "dst": .string("tcp://127.0.0.1:\(port.number)"), "format": "mpegts"]
                let added = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body))
                #expect(added.status == 201 && added.json["state"] == "open", "\(added.text)")
                #expect(added.headers.first { $0.name.lowercased() == "location" }?.value == "/v1/writers/\(id)/outputs/part")
                let again = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body))
                #expect(again.status == 409 && again.problem == "output-exists")
                try await server.sendChunk(Pictures.joined(pictures.frames[40..<80]), to: id, stream: 0)
                let removed = try await server.curl("DELETE", "/v1/writers/\(id)/outputs/part")
                #expect(removed.status == 200 && removed.json["state"] == "closed", "\(removed.text)")
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/part").json == removed.json)
                try await server.sendChunk(Pictures.joined(pictures.frames[80..<120]), to: id, stream: 0)
                let ended = try await server.finalize(id)
                #expect(ended["outputs"].array.map { $0["name"] } == ["main", "part"])
                #expect(ended["outputs"].array.map { $0["state"] } == ["closed", "closed"])
                #expect(try await Pictures.decoded(server.folder / "output/a.mkv") == pictures.frames)
                try await receiver.ended()
                let part = try await Pictures.decoded(folder / "part.mkv")
                let start = try #require(pictures.frames.firstIndex(of: part[0]))
                #expect((38...42).contains(start) && part == Array(pictures.frames[start..<80]))
                let late = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body))
                #expect(late.status == 409 && late.problem == "wrong-state")
            }
        }

        @Test func outputThatCantBeAddedLeavesTheWriterAsItWas() async throws {
            let port = try LoopbackPort.free().number
            try await withServer(Self.allowed + ["--max-outputs", "2"]) { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": [Pictures.stream()], "open": true])
                let before = try await server.writer(id)
                for (body, status, text) in [
                    (["name": "live", "dst": .string("tcp://127.0.0.1:\(port)"), "format": "mpegts"], 502, "refused"),
                    (["name": "live", "dst": "rtmp://example.com/a"], 403, "does not write to"),
                    (["name": "live", "dst": "b.mp4"], 422, "without dst"),
                    (["name": "live", "dst": .string("tcp://127.0.0.1:\(port)"), "format": "mpegts", "streams": ["3"]], 422, "stream 3"),
                    (["name": "main", "dst": .string("tcp://127.0.0.1:\(port)"), "format": "mpegts"], 409, "main"),
                ] as [(JSON, Int, String)] {
                    let refused = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body))
                    #expect(refused.status == status && refused.text.contains(text), "\(refused.status) \(refused.text)")
                }
                #expect(try await server.writer(id)["outputs"] == before["outputs"])
                let first = try await server.curl("DELETE", "/v1/writers/\(id)/outputs/main")
                #expect(first.status == 409 && first.problem == "wrong-state")
                let unknown = try await server.curl("DELETE", "/v1/writers/\(id)/outputs/other")
                #expect(unknown.status == 404 && unknown.problem == "output-not-found" && unknown.json["supported"] == ["main"])
                // One that is opened behind the answer.
                for (name, status) in [("one", 201), ("two", 422)] {
                    let body: JSON = [
                        "name": .string(name), "dst": .string("tcp://127.0.0.1:\(port)"), "format": "mpegts", "on_failure": "continue", "reconnect": true,
                    ]
                    #expect(try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body)).status == status)
                }
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/main").problem == "wrong-state")
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/one").json["state"] == "failed")
                try await server.sendChunk(Pictures(10).data, to: id, stream: 0)
                #expect(try await server.finalize(id)["state"] == "closed")
            }
        }

        /// However often: it is the client's to do.
        @Test func outputsThatComeAndGoWithoutEndLeaveTheWriterAlive() async throws {
            let port = try LoopbackPort.free().number
            let pictures = Pictures(60)
            try await withServer(Self.allowed) { server in
                let id = try await server.createWriter(["dst": "a.mp4", "streams": [Pictures.stream()], "open": true])
                try await server.sendChunk(Pictures.joined(pictures.frames[0..<30]), to: id, stream: 0)
                let process = try await server.writer(id)["encoder_pid"]
                for number in 0..<300 {
                    let body: JSON = [
                        "name": .string("o\(number % 7)"), "dst": .string("tcp://127.0.0.1:\(port)"), "format": "mpegts", "on_failure": "continue", "reconnect": true,
                    ]
                    let added = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body))
                    if added.status == 503 {
                        #expect(added.problem == "overloaded" && added["Retry-After"] != nil, "\(added.text)")
                        continue
                    }
                    try #require(added.status == 201, "\(number): \(added.text)")
                    try #require(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/o\(number % 7)").status == 200)
                }
                #expect(try await server.writer(id)["encoder_pid"] == process)
                try await server.sendChunk(Pictures.joined(pictures.frames[30..<60]), to: id, stream: 0)
                #expect(try await server.finalize(id)["state"] == "closed")
                #expect(try await Pictures.decoded(server.folder / "output/a.mp4") == pictures.frames)
            }
        }

        @Test func outputThatWouldGoWhereAnotherGoesIsRefusedHoweverItComes() async throws {
            let silent = try TrapPort(.tcp)
            try await withServer(Self.allowed) { server in
                let first: JSON = ["name": "live", "dst": .string("rtmp://127.0.0.1:\(silent.port)/a/key"), "on_failure": "continue"]
                let again: JSON = ["name": "again", "dst": .string("RTMP://127.0.0.1:\(silent.port)/a/%6bey"), "on_failure": "continue"]
                let both: JSON = ["outputs": [["name": "record", "dst": "a.mp4"], first, again], "streams": [Pictures.stream()], "open": true]
                for path in ["/v1/writers", "/v1/writers?dry_run=true"] {
                    let refused = try await server.curl("POST", path, body: .json(both))
                    #expect(refused.status == 422 && refused.json["parameter"] == "outputs.2.dst", "\(refused.text)")
                    #expect(refused.json["detail"].string?.contains("where the output live goes") == true && !refused.text.contains("key"), "\(refused.text)")
                }
                let id = try await create([["name": "record", "dst": "a.mp4"], first], on: server)
                let refused = try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(again))
                #expect(refused.status == 422 && refused.json["parameter"] == "dst", "\(refused.text)")
                // One that has ended leaves its place.
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)/outputs/live").status == 200)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(again)).status == 201)
            }
        }

        @Test func clientThatLeavesWhileAnOutputOpensEndsThat() async throws {
            let silent = try TrapPort(.tcp)
            try await withServer(Self.allowed) { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": [Pictures.stream()], "open": true])
                let body: JSON = ["name": "live", "dst": .string("rtmp://127.0.0.1:\(silent.port)/a/b")]
                _ = try? await server.curl("POST", "/v1/writers/\(id)/outputs", body: .json(body), options: ["--max-time", "1"])
                try await eventually("it is given up") { try await server.writer(id)["outputs"].array.isEmpty }
                try await server.sendChunk(Pictures(10).data, to: id, stream: 0)
                #expect(try await server.finalize(id)["state"] == "closed")
            }
        }

        struct Refused: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let outputs: JSON
            var dst: JSON?
            var status = 422
        }

        static let refused = [
            Refused(testDescription: "two of the name", outputs: [["name": "a", "dst": "a.mp4"], ["name": "a", "dst": "b.mp4"]]),
            Refused(testDescription: "each output has a file of its own", outputs: [["name": "a", "dst": "a/b.mp4"], ["name": "b", "dst": "a/b.mp4"]]),
            Refused(
                testDescription: "a folder of its own",
                outputs: [["name": "a", "dst": "h/live0.ts", "overwrite": true], ["name": "b", "dst": "h/live.m3u8", "overwrite": true]]),
            Refused(testDescription: "a folder of its own", outputs: [["name": "a", "dst": "h/a.m3u8"], ["name": "b", "dst": "h/a.m3u8.tmp", "format": "mp4"]]),
            Refused(testDescription: "a folder of its own", outputs: [["name": "a", "dst": "d/a.mpd"], ["name": "b", "dst": "d/b.mpd"]]),
            Refused(testDescription: "opened again", outputs: [["name": "a", "dst": "a.mp4"], ["name": "b", "dst": "b.mp4", "reconnect": true]]),
            Refused(
                testDescription: "does not write to", outputs: [["name": "a", "dst": "a.mp4"], ["name": "b", "dst": "rtmp://example.com/x"]],
                status: 403),
            Refused(testDescription: "A-Z a-z", outputs: [["name": "a/b", "dst": "a.mp4"]]),
            Refused(testDescription: "at least one", outputs: []),
            Refused(testDescription: "beside outputs", outputs: [["name": "a", "dst": "a.mp4"]], dst: "b.mp4"),
            Refused(testDescription: "none of its values", outputs: [["name": "a", "dst": "a.mp4", "when_slow": "never"]]),
            Refused(testDescription: "no output", outputs: [["name": "a", "dst": "a.mp4", "streams": ["1"]]]),
            Refused(testDescription: "opened again", outputs: [["name": "a", "dst": "a.mp4", "reconnect": true]]),
        ]

        @Test(arguments: refused)
        func badOutputsAreRefusedWithWhatIsWrong(_ bad: Refused) async throws {
            try await withServer(Self.allowed) { server in
                var body: [String: JSON] = ["outputs": bad.outputs, "streams": [Pictures.stream()], "open": true]
                body["dst"] = bad.dst
                let refused = try await server.curl("POST", "/v1/writers", body: .json(.object(body)))
                #expect(refused.status == bad.status && refused.json["detail"].string?.contains(bad.testDescription) == true, "\(refused.text)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.folder / "output").isEmpty)
            }
        }
    }
}

extension Pictures {
    static func joined(_ frames: ArraySlice<Data>) -> Data { frames.reduce(into: Data()) { $0 += $1 } }
}
