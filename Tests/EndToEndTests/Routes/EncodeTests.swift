import Foundation
import Testing

extension EndToEnd {
    /// `POST /v1/encode`: raw in, encoded out, in one request.
    @Suite struct EncodeTests {
        private static let video =
            "frame_rate=25&width=64&height=48&pixel_format=yuv420p&encoder=libx264"
            + "&encoder_option.preset=ultrafast&encoder_option.qp=0&encoder_option.tune=zerolatency&codec_config.gop_size=5"

        private func encode(_ query: String, _ body: Data, on server: PenstockServer) async throws -> Response {
            try await server.curl("POST", "/v1/encode?" + query, body: .bytes(body))
        }

        @Test func clientThatSendsAllBeforeItReadsAnythingGetsAllOfIt() async throws {
            let frame = Data((0..<320 * 240 * 3).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) })
            let count = 150
            try await withServer { server in
                for framing in ["Content-Length: \(frame.count * count)", "Transfer-Encoding: chunked"] {
                    let connection = try RawConnection(port: server.port)
                    let path = "/v1/encode?format=rawvideo&encoder=rawvideo&frame_rate=25&width=320&height=240"
                    try await connection.send(RawConnection.head("POST", path, headers: [framing]))
                    for _ in 0..<count {
                        if framing.hasPrefix("Transfer") {
                            try await connection.send(Data("\(String(frame.count, radix: 16))\r\n".utf8) + frame + Data("\r\n".utf8))
                        } else {
                            try await connection.send(frame)
                        }
                    }
                    if framing.hasPrefix("Transfer") { try await connection.send("0\r\n\r\n") }
                    let response = try await connection.response(to: "POST")
                    #expect(response.status == 200)
                    #expect(response["Transfer-Encoding"] == "chunked", "sent while it was encoded")
                    #expect(response.body.count == frame.count * count)
                    #expect(response.body.prefix(frame.count) == frame && response.body.suffix(frame.count) == frame)
                    let again = try await connection.request("GET", "/livez")
                    #expect(again.status == 200, "the connection goes on")
                }
            }
        }

        @Test func outputBeginsBeforeTheBodyEnds() async throws {
            let pictures = Pictures(60)
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                try await connection.send(
                    RawConnection.head("POST", "/v1/encode?format=mpegts&" + Self.video, contentLength: pictures.data.count))
                for frame in pictures.frames[..<30] { try await connection.send(frame) }
                let head = try await connection.head()
                #expect(head.status == 200, "with half of the body still to come")
                #expect(head["Content-Type"] == "video/MP2T")
                for frame in pictures.frames[30...] { try await connection.send(frame) }
                let response = try await connection.withBody(head, to: "POST")
                try response.body.write(to: URL(fileURLWithPath: server.outputFolder + "/out.ts"))
                #expect(try await Pictures.decoded(server.outputFolder + "/out.ts") == pictures.frames)
            }
        }

        /// The same bytes as a writer's, whether they are streamed or spooled.
        @Test(arguments: ["mpegts", "matroska", "mp4", "nut"])
        func outputIsTheWritersOwn(_ format: String) async throws {
            let pictures = Pictures(30)
            let exact = "&option.fflags=bitexact"
            try await withServer { server in
                let id = try await server.createWriter([
                    "format": .string(format), "metadata": ["title": "same"], "streams": [Pictures.stream()],
                    "open": ["option": ["fflags": "bitexact"]],
                ])
                try await server.sendChunk(pictures.data, to: id, stream: 0)
                try await server.finalize(id)
                let written = try await server.curl("GET", "/v1/writers/\(id)/output")
                let response = try await encode("format=\(format)&metadata.title=same&" + Self.video + exact, pictures.data, on: server)
                #expect(response.status == 200, "\(response.problem ?? "")")
                #expect(response.body == written.body)
                #expect(response["Content-Type"] == written["Content-Type"])
                #expect(response["Content-Disposition"]?.hasPrefix("attachment; filename=\"output.") == true)
            }
        }

        @Test(arguments: [("matroska", "flac", "audio/x-matroska", "mka"), ("webm", "libopus", "audio/webm", "webm"), ("ipod", "aac", "audio/mp4", "m4a"), ("ogg", "libopus", "audio/ogg", "ogg"), ("mov", "pcm_s16le", "video/quicktime", "mov")])
        func soundAloneIsCalledSound(format: String, encoder: String, mediaType: String, ending: String) async throws {
            try await withServer { server in
                let query = "format=\(format)&encoder=\(encoder)&sample_rate=48000&num_channels=1&sample_format=s16"
                let response = try await encode(query, Data(count: 9_600), on: server)
                #expect(response["Content-Type"] == mediaType, "\(response.text.prefix(300))")
                #expect(response["Content-Disposition"] == "attachment; filename=\"output.\(ending)\"")
            }
        }

        @Test func everyKindOfParameterIsTakenFromTheQuery() async throws {
            let samples = Data(count: 16_000 * 2 * 2)
            try await withServer { server in
                let response = try await encode(
                    "format=mp4&type=audio&sample_rate=16000&num_channels=2&sample_format=s16&encoder=aac"
                        + "&encoder_sample_rate=32000&encoder_num_channels=1&codec_config.bit_rate=48000"
                        + "&encoder_option.aac_coder=fast&filter_desc=volume%3D0.5&metadata.title=A%20%26%20B"
                        + "&option.movflags=faststart", samples, on: server)
                try #require(response.status == 200, "\(response.text)")
                #expect(response["Content-Type"] == "audio/mp4")
                let path = server.outputFolder + "/out.mp4"
                try response.body.write(to: URL(fileURLWithPath: path))
                let probe = try await Tool.ffprobe(path)
                #expect(probe["format"]["tags"]["title"] == "A & B")
                #expect(probe["streams"][0]["sample_rate"] == "32000")
                #expect(probe["streams"][0]["channels"] == 1)
                #expect(response.body.range(of: Data("moov".utf8))!.lowerBound < response.body.range(of: Data("mdat".utf8))!.lowerBound)

                let packed = try await encode(
                    "format=rawvideo&encoder=rawvideo&frame_rate=30000/1001&width=4&height=2&pixel_format=rgb24&layout=nchw"
                        + "&encoder_format=rgb24", Data((0..<24).map { UInt8($0) }), on: server)
                #expect(packed.body == Data((0..<8).flatMap { [$0, $0 + 8, $0 + 16] as [UInt8] }), "\(packed.text)")
            }
        }

        @Test func whatIsWrongIsSaidBeforeTheBodyIsRead() async throws {
            let cases: [(query: String, status: Int, code: String, parameter: String)] = [
                ("sample_rate=8000&num_channels=1", 422, "invalid-parameter", "format"),
                ("format=wave&sample_rate=8000&num_channels=1", 422, "unknown-format", "format"),
                ("format=wav&num_channels=1", 422, "invalid-parameter", "sample_rate"),
                ("format=wav&sample_rate=x&num_channels=1", 422, "invalid-parameter", "sample_rate"),
                ("format=wav&sample_rate=8000&num_channels=1&sample_format=s17", 422, "invalid-parameter", "sample_format"),
                ("format=wav&sample_rate=8000&num_channels=1&rate=1", 422, "unknown-parameter", "rate"),
                ("format=wav&sample_rate=8000&num_channels=1&encoder=x264", 422, "unknown-encoder", "encoder"),
                ("format=wav&sample_rate=8000&num_channels=1&encoder_option.crf=1", 422, "unknown-option", "encoder_option.crf"),
                ("format=wav&sample_rate=8000&num_channels=1&option.crf=1", 422, "unknown-option", "option.crf"),
                ("format=wav&sample_rate=8000&num_channels=1&filter_desc=nosuch", 422, "invalid-filter", "filter_desc"),
                ("format=mp4&frame_rate=25&width=64&height=48&pixel_format=rgb25", 422, "unsupported-value", "pixel_format"),
                ("format=image2&frame_rate=25&width=64&height=48", 422, "invalid-parameter", "format"),
                ("format=hls&frame_rate=25&width=64&height=48", 422, "invalid-parameter", "format"),
                ("format=alsa&sample_rate=8000&num_channels=1", 422, "invalid-parameter", "format"),
                ("format=tee&frame_rate=25&width=64&height=48", 422, "invalid-parameter", "format"),
            ]
            try await withServer { server in
                for (query, status, code, parameter) in cases {
                    // A body that never comes: none of it may be waited for.
                    let connection = try RawConnection(port: server.port, deadlineInSeconds: 10)
                    try await connection.send(
                        RawConnection.head("POST", "/v1/encode?" + query, headers: ["Expect: 100-continue"], contentLength: 921_600))
                    let response = try await connection.withBody(try await connection.head(), to: "POST")
                    #expect(response.status == status, "\(query): \(response.text)")
                    #expect(response.problem == code, "\(query): \(response.text)")
                    #expect(response.json["parameter"].string == parameter, "\(query): \(response.text)")
                }
                let partial = try await encode("format=wav&sample_rate=8000&num_channels=2&sample_format=s16", Data(count: 6), on: server)
                #expect(partial.status == 400)
                #expect(partial.problem == "partial-frame")
                #expect(partial.json["bytes_per_frame"] == 4)
                let text = try await server.curl(
                    "POST", "/v1/encode?format=wav&sample_rate=8000&num_channels=1", headers: ["Content-Type: text/plain"],
                    body: .text("x"))
                #expect(text.status == 415)
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
            }
        }

        @Test func bodyThatEndsWithinAFrameCutsAnAnswerThatHasBegun() async throws {
            let pictures = Pictures(60)
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                try await connection.send(
                    RawConnection.head("POST", "/v1/encode?format=mpegts&" + Self.video, headers: ["Transfer-Encoding: chunked"]))
                let (begin, rest) = (pictures.data.prefix(pictures.data.count / 2), pictures.data.dropFirst(pictures.data.count / 2))
                try await connection.sendChunked(begin, piece: 100_000, ends: false)
                let head = try await connection.head()
                #expect(head.status == 200)
                try await connection.sendChunked(rest.dropLast(100), piece: 100_000)
                await #expect(throws: HarnessError.self, "the last chunk never comes") {
                    _ = try await connection.withBody(head, to: "POST")
                }
                // Nothing was sent yet of an output that is spooled: the answer can still be the problem.
                let spooled = try RawConnection(port: server.port)
                try await spooled.send(
                    RawConnection.head("POST", "/v1/encode?format=mp4&" + Self.video, headers: ["Transfer-Encoding: chunked"]))
                try await spooled.sendChunked(pictures.data.dropLast(100), piece: 100_000)
                let refusal = try await spooled.response(to: "POST")
                #expect(refusal.status == 400)
                #expect(refusal.problem == "partial-frame")
                #expect(try await encode("format=mpegts&" + Self.video, pictures.data, on: server).status == 200)
            }
        }

        @Test func clientThatGoesAwayLeavesNothing() async throws {
            let pictures = Pictures(30)
            try await withServer { server in
                for _ in 0..<5 {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send(
                        RawConnection.head("POST", "/v1/encode?format=mpegts&" + Self.video, contentLength: pictures.data.count * 2))
                    try await connection.send(pictures.data)
                    _ = try await connection.head()
                }
                try await eventually("the end of what was left") {
                    try FileManager.default.contentsOfDirectory(atPath: server.folder / "state/writers").isEmpty
                }
                #expect(try await encode("format=mpegts&" + Self.video, pictures.data, on: server).status == 200)
            }
        }

        @Test func arrayIsEncodedAsItsRawBytesAre() async throws {
            let samples = Data((0..<4_000).map { UInt8(truncatingIfNeeded: $0 * 37) })
            let query = "format=wav&sample_rate=8000&num_channels=2&sample_format=s16"
            try await withServer { server in
                let raw = try await encode(query, samples, on: server)
                for version in [1, 2, 3] as [UInt8] {
                    let array = NPY(version: version, dtype: "<i2", shape: [1_000, 2], data: samples)
                    let response = try await server.curl(
                        "POST", "/v1/encode?" + query, headers: ["Content-Type: application/x-npy"], body: .bytes(array.file))
                    #expect(response.status == 200, "\(response.text)")
                    #expect(response.body == raw.body, "version \(version)")
                }
            }
        }

        /// It used to be encoded as far as it went, and nothing was said.
        @Test func arrayThatEndsBeforeItsPromiseIsNoEncoding() async throws {
            try await withServer { server in
                let array = NPY(dtype: "<i2", shape: [1_000, 2], data: Data(count: 3_000))
                let response = try await server.curl(
                    "POST", "/v1/encode?format=wav&sample_rate=8000&num_channels=2&sample_format=s16",
                    headers: ["Content-Type: application/x-npy", "Transfer-Encoding: chunked"], body: .bytes(array.file))
                #expect(response.status == 400 && response.problem == "partial-frame", "\(response.text)")
                #expect(response.json["detail"].string == "The array's head promises 4000 bytes of data and 3000 came.")
            }
        }
    }
}
