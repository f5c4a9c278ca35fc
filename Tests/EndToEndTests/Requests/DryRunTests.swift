import Foundation
import Testing

extension EndToEnd {
    /// `POST /v1/writers?dry_run=true`: what creating would answer, and nothing more.
    @Suite struct DryRunTests {
        private static let video: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48]
        private static let audio: JSON = ["type": "audio", "sample_rate": 44_100, "num_channels": 2, "format": "s16"]

        private func dryRun(_ body: JSON, on server: PenstockServer) async throws -> Response {
            try await server.curl("POST", "/v1/writers?dry_run=true", body: .json(body))
        }

        private func with(_ stream: JSON, _ name: String, _ value: JSON) -> JSON {
            var stream = stream
            stream[name] = value
            return stream
        }

        private func contents(_ server: PenstockServer) -> [String] {
            (FileManager.default.enumerator(atPath: server.folder.path)?.allObjects as? [String] ?? [])
                .filter { $0.hasPrefix("output/") || $0.hasPrefix("state/writers/") }.sorted()
        }

        @Test func answerIsThatOfCreatingAndNothingIsLeft() async throws {
            let opus: JSON = [
                "type": "audio", "sample_rate": 44_100, "num_channels": 2, "format": "s16", "encoder": "libopus",
                "codec_config": ["bit_rate": 64_000],
            ]
            let descriptions: [JSON] = [
                ["dst": "a/b/c.mp4", "metadata": ["title": "t"], "streams": [Self.video, Self.audio], "open": true],
                ["format": "webm", "streams": [opus], "open": ["option": ["live": 1]]],
                ["format": "flac", "streams": [Self.audio], "open": ["option": ["write_header": false]]],
                ["dst": "show/live.m3u8", "streams": [Self.video], "open": ["option": ["hls_time": 2]]],
                ["dst": "stills/img%d.png", "streams": [Self.video], "open": true],
                ["dst": "parts/p%d.mkv", "format": "segment", "streams": [Self.video, Self.audio]],
                ["format": "null", "streams": [Self.audio], "open": true],
                ["format": "mp4"],
            ]
            try await withServer { server in
                for description in descriptions {
                    let dry = try await dryRun(description, on: server)
                    #expect(dry.status == 200, "\(dry.text)")
                    #expect(dry.json["dry_run"] == true)
                    #expect(dry["Location"] == nil)
                    #expect(dry.json["id"] == .null)
                    // The gateway removes the writer's folder once the encoder has ended, after the response.
                    try await eventually("nothing is left of \(dry.text)") { contents(server) == [] }
                    let real = try await server.curl("POST", "/v1/writers", body: .json(description))
                    try #require(real.status == 201, "\(real.text)")
                    for member in ["dst", "format", "metadata", "streams"] {
                        #expect(dry.json[member] == real.json[member], "\(member)")
                    }
                    #expect(try await server.curl("DELETE", "/v1/writers/\(real.json["id"].string!)").isDeleted)
                    for folder in ["a", "show", "stills", "parts"] {
                        try? FileManager.default.removeItem(atPath: server.outputFolder + "/" + folder)
                    }
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
            }
        }

        @Test func refusalIsThatOfCreating() async throws {
            let descriptions: [JSON] = [
                ["dst": "a.mp4", "streams": [with(Self.video, "encoder", "x264")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "encoder_option", ["crff": 1])], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "filter_desc", "nosuch")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "encoder_format", "rgb24")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.audio, "encoder_sample_rate", 12_345)], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "widht", 1)], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "codec_tag", "nope")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "field_order", "tff")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "mastering_display", "x")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.video, "content_light_level", "x")], "open": true],
                ["dst": "a.mp4", "streams": [with(Self.audio, "channel_layout", "5.1")], "open": true],
                ["dst": "a.mp4", "streams": [Self.video], "open": ["option": ["movflag": 1]]],
                ["dst": "a.m3u8", "streams": [Self.video], "open": ["option": ["hls_tme": 1]]],
                ["dst": "a.wav", "streams": [Self.video], "open": true],
                ["dst": "a.mp4", "open": true],
                ["dst": "a.nosuch"], ["dst": "../a.mp4"], ["dst": "/a.mp4"], ["dst": "rtmp://a/b"], [:],
                ["dst": "exists.mp4", "streams": [Self.video], "open": true],
                ["dst": "x", "format": "sdl"], ["dst": "x", "format": "tee"],
            ]
            try await withServer { server in
                try Data("kept".utf8).write(to: URL(fileURLWithPath: server.outputFolder + "/exists.mp4"))
                for description in descriptions {
                    let dry = try await dryRun(description, on: server)
                    let real = try await server.curl("POST", "/v1/writers", body: .json(description))
                    #expect(real.status >= 400, "\(real.text)")
                    #expect(dry.status == real.status, "\(dry.text) and \(real.text)")
                    for member in ["type", "detail", "parameter", "supported", "pointer", "libav_error"] {
                        #expect(dry.json[member] == real.json[member], "\(member): \(dry.text) and \(real.text)")
                    }
                }
                try await eventually("nothing is left but what was there") { contents(server) == ["output/exists.mp4"] }
                #expect(try server.output("exists.mp4") == Data("kept".utf8))
                let neither = try await server.curl("POST", "/v1/writers?dry_run=maybe", body: .json(["format": "mp4"]))
                #expect(neither.status == 422)
                #expect(neither.json["parameter"] == "dry_run")
                let other = try await server.curl("POST", "/v1/writers?dryrun=true", body: .json(["format": "mp4"]))
                #expect(other.status == 422)
                #expect(other.problem == "unknown-parameter")
            }
        }

        /// Whether or not the request has `open`: what can't work is refused when the stream is added.
        @Test func answerIsThatOfCreatingForEveryPairOfContainerAndEncoder() async throws {
            let formats = ["mp4", "mov", "webm", "matroska", "mpegts", "mpeg", "vcd", "avi", "flv", "ogg", "wav", "caf", "adts", "mp3", "ac3", "flac", "chromaprint"]
            let pairs = formats.flatMap { format in
                ["libvpx", "libx264", "mjpeg", "aac", "flac", "libmp3lame", "pcm_s16le"].map { (format, $0) }
            }
            try await withServer { server in
                var refused = 0
                for (index, (format, encoder)) in pairs.enumerated() {
                    let isVideo = ["libvpx", "libx264", "mjpeg"].contains(encoder)
                    let stream = with(isVideo ? Self.video : Self.audio, "encoder", .string(encoder))
                    var description: JSON = ["format": .string(format), "streams": [stream]]
                    if index % 2 == 0 { description["open"] = true }
                    let dry = try await dryRun(description, on: server)
                    let real = try await server.curl("POST", "/v1/writers", body: .json(description))
                    #expect((dry.status == 200) == (real.status == 201), "\(dry.text) and \(real.text)")
                    for member in ["type", "detail", "parameter", "supported", "pointer", "streams"] {
                        #expect(dry.json[member] == real.json[member], "\(member): \(dry.text) and \(real.text)")
                    }
                    if real.status != 201 { refused += 1; continue }
                    let id = real.json["id"].string!
                    if index % 2 == 1 {
                        let opened = try await server.curl("POST", "/v1/writers/\(id)/open", body: .json([:]))
                        // Sound might still have come.
                        let isCover = isVideo && ["flac", "mp3"].contains(format)
                        #expect(opened.status == (isCover ? 422 : 200), "\(format), \(encoder): \(opened.text)")
                    }
                    _ = try await server.curl("DELETE", "/v1/writers/\(id)")
                }
                #expect(refused > pairs.count / 2 && refused < pairs.count * 4 / 5, "\(refused) of \(pairs.count)")
            }
        }

        /// Each is tried, whichever of them it is, and the outputs that would be opened by their muxers are looked at.
        @Test func everyOutputIsTried() async throws {
            func several(_ outputs: [JSON], _ streams: [JSON] = [Self.video, Self.audio]) -> JSON { ["outputs": .array(outputs), "streams": .array(streams), "open": true] }
            let file: JSON = ["name": "a", "dst": "a.mp4"], playlist: JSON = ["name": "b", "dst": "b/b.m3u8", "option": ["hls_time": 2]]
            let renditions: JSON = [
                "type": "video", "frame_rate": 25, "width": 64, "height": 48, "renditions": [["name": "hd", "encoder": "libx264"], ["name": "sd", "encoder": "libx264", "encoder_width": 32, "encoder_height": 24]],
            ]
            let sound: JSON = ["name": "c", "dst": "c.wav", "streams": ["1"]]
            let taken = [
                several([file, playlist]), several([playlist, file]), several([file, sound]), several([playlist, sound, file]),
                several([["name": "x", "dst": "x.mp4", "streams": ["0:hd"]], ["name": "y", "dst": "y.mkv", "streams": ["0:sd"]]], [renditions]),
            ]
            let refused = [
                several([file, ["name": "c", "dst": "c.mp4", "option": ["movflag": 1]]]), several([playlist, ["name": "c", "dst": "c.mp4", "option": ["movflag": 1]]]),
                several([file, ["name": "c", "dst": "c/c.m3u8", "option": ["hls_tme": 1]]]), several([file, ["name": "c", "dst": "c.wav"]]),
                several([file, ["name": "c", "dst": "exists.mp4"]]), several([file, ["name": "c", "dst": "rtmp://a/b"]]),
                several([["name": "x", "dst": "x.mp4", "streams": ["1"]]]), several([["name": "x", "dst": "x.mp4", "streams": ["0:uhd"]]], [renditions]),
                several([file, ["name": "c", "dst": "c.mp4", "streams": ["2"]]]),
                // The first decides what both have, and mp4 has no PCM.
                several([sound, file]),
            ]
            try await withServer { server in
                try Data("kept".utf8).write(to: URL(fileURLWithPath: server.outputFolder + "/exists.mp4"))
                for description in refused {
                    let dry = try await dryRun(description, on: server)
                    let real = try await server.curl("POST", "/v1/writers", body: .json(description))
                    #expect(real.status >= 400 && dry.status == real.status, "\(dry.text) and \(real.text)")
                    // Which output it is, one says by its name and the other by the pointer.
                    for member in ["type", "parameter", "supported"] { #expect(dry.json[member] == real.json[member], "\(member): \(dry.text) and \(real.text)") }
                }
                for description in taken {
                    let dry = try await dryRun(description, on: server)
                    #expect(dry.status == 200, "\(dry.text)")
                    try await eventually("nothing is left") { contents(server) == ["output/exists.mp4"] }
                    let real = try await server.curl("POST", "/v1/writers", body: .json(description))
                    try #require(real.status == 201, "\(real.text)")
                    #expect(dry.json["streams"] == real.json["streams"], "\(dry.text) and \(real.text)")
                    let names: (JSON) -> [JSON] = { $0["outputs"].array.map { ["name": $0["name"], "dst": $0["dst"], "format": $0["format"]] } }
                    #expect(names(dry.json) == names(real.json) && !names(dry.json).isEmpty, "\(dry.text) and \(real.text)")
                    #expect(try await server.curl("DELETE", "/v1/writers/\(real.json["id"].string!)").isDeleted)
                    try await eventually("nothing is left of what was made") { contents(server).filter { !$0.hasSuffix("exists.mp4") && $0 != "output/b" } == [] }
                    try? FileManager.default.removeItem(atPath: server.outputFolder + "/b")
                }
            }
        }

        @Test func destinationIsNotTouched() async throws {
            let port = try LoopbackPort.free()
            try await withServer(["--allow-output", "rtmp://127.0.0.1:*/*"]) { server in
                // Nobody listens there: creating would be 502.
                for option in [["listen": 1], [:]] as [JSON] {
                    let dry = try await dryRun(
                        [
                            "dst": .string("rtmp://127.0.0.1:\(port.number)/live/key"), "streams": [Pictures.stream()],
                            "open": ["option": option],
                        ], on: server)
                    #expect(dry.status == 200, "\(dry.text)")
                    #expect(dry.json["format"] == "flv")
                    #expect(dry.json["dst"] == .string("rtmp://127.0.0.1:\(port.number)/***"))
                    #expect(dry.json["streams"][0]["encoder"] == "libx264")
                }
            }
        }
    }
}
