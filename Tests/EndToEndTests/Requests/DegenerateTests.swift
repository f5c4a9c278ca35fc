import Foundation
import Testing

extension EndToEnd {
    /// Numbers no one means, for everything that takes a number.
    @Suite struct DegenerateTests {
        /// As they stand in the JSON.
        private static let values = [
            "0", "-1", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "1e300", "-1e300",
            "0.5", "\"nan\"", "\"\"", "\"inf\"", "true", "[]", "{}", "[1]", "1000000000",
        ]

        /// A member in the place of the `#`, and what of the values it does take.
        private static let members: [(body: String, takes: Set<String>)] = [
            (#"{"format":"wav","buffer_size":#}"#, []),
            (audio(#""sample_rate":#,"num_channels":2"#), []),
            (audio(#""sample_rate":8000,"num_channels":#"#), []),
            (audio(#""sample_rate":8000,"num_channels":1,"encoder_sample_rate":#"#), []),
            (audio(#""sample_rate":8000,"num_channels":1,"encoder_num_channels":#"#), []),
            (audio(#""sample_rate":8000,"num_channels":1,"codec_config":{"bit_rate":#}"#), ["0", "-1", "2147483647", "1000000000"]),
            (
                audio(#""sample_rate":8000,"num_channels":1,"codec_config":{"compression_level":#}"#),
                ["0", "-1", "2147483647", "1000000000"]
            ),
            (audio(#""sample_rate":8000,"num_channels":1,"codec_config":{"qscale":#}"#), ["0", "-1", "0.5"]),
            (video(#""frame_rate":#,"width":64,"height":48"#), ["0.5"]),
            (video(#""frame_rate":25,"width":#,"height":48"#), []),
            (video(#""frame_rate":25,"width":64,"height":#"#), []),
            (video(#""frame_rate":25,"width":64,"height":48,"encoder_frame_rate":#"#), ["0.5"]),
            (video(#""frame_rate":25,"width":64,"height":48,"encoder_width":#"#), []),
            (video(#""frame_rate":25,"width":64,"height":48,"encoder_height":#"#), []),
            (video(#""frame_rate":25,"width":64,"height":48,"rotation":#"#), ["0"]),
            (
                video(#""frame_rate":25,"width":64,"height":48,"sample_aspect_ratio":#"#),
                ["0.5", "2147483647", "1000000000"]
            ),
            (video(#""frame_rate":25,"width":64,"height":48,"codec_config":{"gop_size":#}"#), ["0", "-1", "2147483647", "1000000000"]),
            (video(#""frame_rate":25,"width":64,"height":48,"codec_config":{"max_b_frames":#}"#), ["0", "-1"]),
        ]

        private static func audio(_ members: String) -> String {
            #"{"format":"matroska","streams":[{"type":"audio","encoder":"pcm_s16le",\#(members)}]}"#
        }

        private static func video(_ members: String) -> String {
            #"{"format":"matroska","streams":[{"type":"video","encoder":"mpeg4",\#(members)}]}"#
        }

        @Test func everyNumberThatCannotBeIsRefusedByName() async throws {
            try await withServer { server in
                let connection = try RawConnection(port: server.port)
                for (template, takes) in Self.members {
                    let before = template[..<template.firstIndex(of: "#")!]
                    let name = before.matches(of: /"([a-z_]+)":/).last.map { String($0.1) } ?? ""
                    for value in Self.values {
                        let body = template.replacingOccurrences(of: "#", with: value)
                        let answer = try await Self.create(body, on: connection)
                        let context = Comment(rawValue: "\(body): \(answer.status) \(answer.text)")
                        if takes.contains(value) {
                            #expect(answer.status == 201 || answer.status == 422, context)
                        } else {
                            #expect(answer.status == 422, context)
                            #expect(answer.json["parameter"].string?.hasSuffix(name) == true, context)
                        }
                        if let id = answer.json["id"].string {
                            #expect(try await connection.request("DELETE", "/v1/writers/\(id)").isDeleted)
                        }
                    }
                    for value in ["NaN", "Infinity", "1e999", "01", "+1", "0x10", "1."] {
                        let body = template.replacingOccurrences(of: "#", with: value)
                        #expect(try await Self.create(body, on: connection).status == 400, "\(body)")
                    }
                }
                #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
                try await Self.expectNoDeadEncoder(server)
            }
        }

        /// Options of encoders and muxers: libav has a range for each, and where it takes the number, the
        /// writer goes on.
        @Test(arguments: [
            ("libx264", "mp4", ["crf", "qp", "g", "bf", "refs", "b", "maxrate", "bufsize", "threads", "rc-lookahead", "slices", "qmin", "qmax", "me_range", "subq", "keyint_min", "sc_threshold", "qdiff", "level", "aq-strength", "deblock", "nal-hrd", "crf_max"]),
            ("mpeg4", "mp4", ["b", "g", "qmin", "qmax", "bf", "mbd", "trellis", "slices", "bt", "me_range", "last_pred", "dia_size", "ps", "rc_init_occupancy"]),
            ("libvpx-vp9", "webm", ["crf", "cpu-used", "lag-in-frames", "tile-columns", "b", "qmin", "qmax", "threads", "speed", "error-resilient"]),
            ("mjpeg", "avi", ["q", "qmin", "qmax", "huffman", "b", "slices"]),
            ("ffv1", "matroska", ["level", "coder", "context", "slices", "slicecrc", "g"]),
            ("gif", "gif", ["gifflags", "global_palette", "g"]),
        ])
        func anyNumberInAnOptionLeavesTheEncoderWell(encoder: String, muxer: String, options: [String]) async throws {
            try await withServer { server in
                let stream: JSON = [
                    "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": .string(encoder),
                ]
                for option in options {
                    try await Self.tryValues(on: server) { value in
                        var stream = stream
                        stream["encoder_option"] = .object([option: value])
                        return ["format": .string(muxer), "streams": [stream], "open": true]
                    }
                }
                try await Self.expectNoDeadEncoder(server)
            }
        }

        @Test(arguments: [
            ("mp4", ["frag_duration", "frag_size", "min_frag_duration", "video_track_timescale", "moov_size", "max_interleave_delta", "max_delay", "avoid_negative_ts", "write_tmcd", "brand"]),
            ("matroska", ["cluster_size_limit", "cluster_time_limit", "cues_to_front", "dash_track_number", "max_delay", "flush_packets"]),
            ("mpegts", ["mpegts_transport_stream_id", "muxrate", "pcr_period", "pat_period", "pes_payload_size", "mpegts_start_pid", "tables_version", "max_delay"]),
            ("flv", ["flvflags", "max_interleave_delta", "output_ts_offset"]),
            ("avi", ["reserve_index_space", "write_channel_mask"]),
        ])
        func anyNumberInAMuxerOptionLeavesTheEncoderWell(muxer: String, options: [String]) async throws {
            try await withServer { server in
                let stream: JSON = [
                    "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": muxer == "flv" ? "flv" : "mpeg4",
                ]
                for option in options {
                    try await Self.tryValues(on: server) { value in
                        ["format": .string(muxer), "streams": [stream], "open": ["option": .object([option: value])]]
                    }
                }
                try await Self.expectNoDeadEncoder(server)
            }
        }

        @Test func timesBeyondAnyRecordingAreRefused() async throws {
            try await withServer { server in
                for (type, bytes) in [("audio", 2), ("video", 64 * 48 * 3 / 2)] {
                    let stream: JSON =
                        type == "audio"
                        ? ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
                        : ["type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "mpeg4"]
                    let id = try await server.createWriter(["format": "matroska", "streams": [stream], "open": true])
                    for pts in ["-1", "2147483648", "9223372036854775808", "1e300", "1e999", "nan", "inf", "", "1e", "0,5", "0x1"] {
                        let answer = try await server.curl(
                            "POST", "/v1/writers/\(id)/streams/0/chunks?pts=\(pts)", body: .bytes(Data(count: bytes)))
                        #expect(answer.status == 422, "\(pts): \(answer.status) \(answer.text)")
                        #expect(answer.json["parameter"] == "pts", "\(pts): \(answer.text)")
                    }
                    for pts in ["0", "1e9"] {
                        let answer = try await server.curl(
                            "POST", "/v1/writers/\(id)/streams/0/chunks?pts=\(pts)", body: .bytes(Data(count: bytes)))
                        #expect(answer.status == 200 || answer.status == 422, "\(pts): \(answer.status) \(answer.text)")
                    }
                    #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                }
                try await Self.expectNoDeadEncoder(server)
            }
        }

        // MARK: Means

        private static func create(_ body: String, on connection: RawConnection) async throws -> Response {
            try await connection.request(
                "POST", "/v1/writers", headers: ["Content-Type: application/json"], body: Data(body.utf8))
        }

        private static let numbers: [JSON] = [
            "0", "-1", "1", "2147483647", "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808", "1e300", "-1e300",
            "nan", "inf", "", "0.5", 1e9,
        ]

        /// Creates with each value; what is taken takes pictures, and ends.
        private static func tryValues(on server: PenstockServer, _ body: @Sendable (JSON) -> JSON) async throws {
            let connection = try RawConnection(port: server.port)
            for value in numbers {
                let body = body(value)
                let created = try await connection.request("POST", "/v1/writers", json: body)
                let context = Comment(rawValue: "\(body): \(created.status) \(created.text)")
                #expect(created.status == 201 || created.status == 422, context)
                guard let id = created.json["id"].string else { continue }
                let pictures = Data(repeating: 0x55, count: 3 * 64 * 48 * 3 / 2)
                for (path, bytes) in [("streams/0/chunks", pictures), ("finalize", Data())] {
                    let headers = ["Content-Type: application/octet-stream"]
                    let answer = try await connection.request(
                        "POST", "/v1/writers/\(id)/\(path)", headers: bytes.isEmpty ? [] : headers, body: bytes)
                    #expect([200, 409, 422].contains(answer.status), "\(body): \(path) \(answer.status) \(answer.text)")
                }
                #expect(try await connection.request("DELETE", "/v1/writers/\(id)").isDeleted)
            }
        }

        static func expectNoDeadEncoder(_ server: PenstockServer) async throws {
            let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
            let exits = metrics.values.keys.filter { $0.hasPrefix("penstock_encoder_exits_total") }
            #expect(Set(exits).subtracting(["penstock_encoder_exits_total reason=exit_0"]) == [])
            let serverErrors = metrics.values.filter { $0.key.contains(/status=5\d\d/) }
            #expect(serverErrors == [:])
        }
    }
}
