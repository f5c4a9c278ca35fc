import Foundation
import Testing

extension EndToEnd {
    /// What encoders and muxers of libav's end their process at is refused, with its place and what would be
    /// right, or works; and what was accepted before stays.
    @Suite struct StrangeInputTests {
        private static func floats(_ count: Int, _ changes: [Int: Float] = [:]) -> Data {
            let samples = (0..<count).map { changes[$0] ?? Float(sin(Double($0) / 20)) / 2 }
            return samples.withUnsafeBytes { Data($0) }
        }

        private static func chunks(_ id: String, _ stream: Int = 0, pts: Double? = nil) -> String {
            "/v1/writers/\(id)/streams/\(stream)/chunks" + (pts.map { "?pts=\($0)" } ?? "")
        }

        @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30])
        func aSampleThatMP3DoesNotTakeIsRefusedByItsPlaceAndTheWriterGoesOn(value: Float) async throws {
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "a.mp3", "open": true,
                    "streams": [["type": "audio", "sample_rate": 44_100, "num_channels": 2, "encoder": "libmp3lame", "encoder_format": "fltp"]],
                ])
                let refused = try await server.curl(
                    "POST", Self.chunks(id), body: .bytes(Self.floats(2 * 3000, [2 * 700 + 1: value])))
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.problem == "invalid-samples")
                #expect(refused.json["frame"] == 700)
                #expect(refused.json["channel"] == 1)
                #expect(refused.json["offset"].int == 700 * 8)
                #expect(refused.json["detail"].string?.contains("libmp3lame") == true)
                let resumed = try await server.curl("POST", Self.chunks(id), body: .bytes(Self.floats(2 * 2300)))
                #expect(resumed.status == 200, "\(resumed.text)")
                #expect(resumed.json["offset"].int == 3000 * 8)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 200)
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        /// Converted, one was a click at full scale.
        @Test func whatIsConvertedToIntegersMayBeLoudButNoNumberLess() async throws {
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "a.mp3", "open": true,
                    "streams": [["type": "audio", "sample_rate": 44_100, "num_channels": 1, "encoder": "libmp3lame", "encoder_format": "s16p"]],
                ])
                let taken = try await server.curl("POST", Self.chunks(id), body: .bytes(Self.floats(5000, [700: 1e30])))
                #expect(taken.status == 200, "\(taken.text)")
                let refused = try await server.curl("POST", Self.chunks(id), body: .bytes(Self.floats(5000, [900: .nan])))
                #expect(refused.status == 422 && refused.problem == "invalid-samples" && refused.json["frame"] == 900, "\(refused.text)")
                #expect(refused.json["detail"].string?.contains("is nan in channel 0, and libmp3lame takes finite samples only") == true, "\(refused.text)")
                try await server.finalize(id)
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test func floatsThatAFilterMakesTooLargeFailTheirWriterWithTheReason() async throws {
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "a.mp3", "open": true,
                    "streams": [
                        [
                            "type": "audio", "sample_rate": 44_100, "num_channels": 1, "encoder": "libmp3lame", "encoder_format": "fltp",
                            "filter_desc": "aeval=exprs=val(0)*1e30:c=same",
                        ]
                    ],
                ])
                let refused = try await server.curl("POST", Self.chunks(id), body: .bytes(Self.floats(5000)))
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.problem == "encoding-failed")
                #expect(refused.json["detail"].string?.contains("libmp3lame: the filters gave") == true, "\(refused.text)")
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test(arguments: [("tta", "tta", 1, 7), ("alac", "ipod", 6, 3)])
        func aLastBlockThatIsTooShortIsRefusedAndMoreMayBeSent(encoder: String, format: String, channels: Int, short: Int) async throws {
            try await withServer { server in
                let id = try await server.createWriter([
                    "format": .string(format), "open": true,
                    "streams": [
                        ["type": "audio", "sample_rate": 44_100, "num_channels": .number(Double(channels)), "format": .string(channels == 1 ? "u8" : "s16"), "encoder": .string(encoder)]
                    ],
                ])
                let bytes = channels * (channels == 1 ? 1 : 2)
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Data(repeating: 0x81, count: short * bytes))).status == 200)
                let refused = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.problem == "invalid-samples")
                #expect(refused.json["detail"].string?.contains("send 1 more") == true, "\(refused.text)")
                #expect(try await server.writer(id)["state"] == "open")
                // What is no whole frame of the encoder is not given to it yet.
                #expect(try await server.curl("POST", "/v1/writers/\(id)/flush").status == 200)
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Data(repeating: 0x81, count: bytes))).status == 200)
                let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(closed.status == 200, "\(closed.text)")
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test(arguments: [("adpcm_ima_ssi", "kvag", "s16", 2), ("pcm_dvd", "vob", "s32", 4)])
        func aLastBlockOfAnyLengthIsFilledUpWithSilence(encoder: String, format: String, samples: String, bytes: Int) async throws {
            try await withServer { server in
                for count in [1, 9, 1001] {
                    let id = try await server.createWriter([
                        "format": .string(format), "open": true,
                        "streams": [
                            [
                                "type": "audio", "sample_rate": 48_000, "num_channels": 1, "format": .string(samples), "encoder": .string(encoder),
                                "encoder_format": .string(samples),
                            ]
                        ],
                    ])
                    #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Data(repeating: 1, count: count * bytes))).status == 200)
                    let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                    #expect(closed.status == 200, "\(count): \(closed.text)")
                }
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        // MARK: Sizes

        /// Each with the nearest size that is taken. In yuv420p, which all of them but edgedetect get, a plane of
        /// chroma has half as many lines.
        @Test(arguments: [
            ("bwdif", (16, 12), (16, 13), "16x12 must be at least 1x13"),
            ("blurdetect", (6, 16), (7, 7), "6x16 must be at least 7x7"),
            ("edgedetect=mode=colormix", (16, 3), (16, 4), "16x3 must be at least 4x4"),
            ("vaguedenoiser", (4, 16), (5, 5), "4x16 must be at least 5x5"),
            ("split[a][b];[a][b]varblur", (2, 16), (3, 3), "2x16 must be at least 3x3"),
            ("signature", (31, 64), (32, 32), "31x64 must be at least 32x32"),
            ("kerndeint", (16, 10), (16, 12), "the height, 10, must be a multiple of 4"),
            ("split[a][b];[a][b]hstack", (15, 16), (16, 16), "15x16 must be multiples of 2x2"),
        ])
        func aPictureThatAFilterReadsBeyondIsRefusedBeforeAnyIsSentAndTheNextSizeTaken(
            filter: String, refused: (Int, Int), taken: (Int, Int), reason: String
        ) async throws {
            try await withServer { server in
                func writer(_ size: (Int, Int)) -> JSON {
                    let stream: JSON = [
                        "type": "video", "frame_rate": 25, "width": .number(Double(size.0)), "height": .number(Double(size.1)),
                        "format": "yuv420p", "encoder": "rawvideo", "filter_desc": .string(filter),
                    ]
                    return ["format": "nut", "open": true, "streams": [stream]]
                }
                let answer = try await server.curl("POST", "/v1/writers", body: .json(writer(refused)))
                #expect(answer.status == 422, "\(answer.text)")
                #expect(answer.json["parameter"] == "filter_desc")
                let name = filter.split(separator: "=")[0].split(separator: "]").last.map(String.init) ?? filter
                #expect(answer.json["detail"].string?.contains(name) == true, "\(answer.text)")
                #expect(answer.json["detail"].string?.contains(reason) == true, "\(answer.text)")
                let id = try await server.createWriter(writer(taken))
                let picture = taken.0 * taken.1 + 2 * ((taken.0 + 1) / 2) * ((taken.1 + 1) / 2)
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Data(count: 3 * picture))).status == 200)
                try await server.finalize(id)
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test func aPictureThatSMCReadsBeyondIsRefusedByItsHeight() async throws {
            try await withServer { server in
                func writer(_ height: Double) -> JSON {
                    let stream: JSON = [
                        "type": "video", "frame_rate": 25, "width": 16, "height": .number(height), "format": "rgb8", "encoder": "smc",
                    ]
                    return ["format": "mov", "open": true, "streams": [stream]]
                }
                let answer = try await server.curl("POST", "/v1/writers", body: .json(writer(3)))
                #expect(answer.status == 422, "\(answer.text)")
                #expect(answer.json["parameter"] == "encoder_height")
                #expect(answer.json["detail"].string?.contains("smc takes pictures from 1x4 on, and not 16x3") == true, "\(answer.text)")
                let id = try await server.createWriter(writer(4))
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Data(count: 16 * 4 * 2))).status == 200)
                try await server.finalize(id)
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test func theSixthChannelThatDCAReadsBeforeItsFrameIsRefused() async throws {
            try await withServer { server in
                let stream: JSON = [
                    "type": "audio", "sample_rate": 48_000, "num_channels": 6, "format": "s32", "encoder": "dca",
                    "encoder_option": ["strict": "experimental"],
                ]
                let answer = try await server.curl(
                    "POST", "/v1/writers", body: .json(["format": "dts", "open": true, "streams": [stream]]))
                #expect(answer.status == 422, "\(answer.text)")
                #expect(answer.json["detail"].string?.contains("dca takes up to 5 channels, and not 6") == true, "\(answer.text)")
            }
        }

        // MARK: Times

        private static func picture(_ value: UInt8) -> Data { Data(repeating: value, count: 64 * 48 * 3 / 2) }

        private static func video(_ encoder: String) -> JSON {
            ["type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": .string(encoder)]
        }

        @Test(arguments: [("mp4", "frag_every_frame"), ("mp4", ""), ("mov", "frag_keyframe+empty_moov"), ("avi", "")])
        func aJumpThatTheFormatCannotHoldIsRefusedAndAShorterOneTaken(format: String, flags: String) async throws {
            try await withServer { server in
                let option: JSON = flags.isEmpty ? [:] : ["movflags": .string(flags)]
                let id = try await server.createWriter([
                    "format": .string(format), "open": ["option": option], "streams": [Self.video("mpeg4")],
                ])
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Self.picture(1))).status == 200)
                let refused = try await server.curl("POST", Self.chunks(id, pts: 1e6), body: .bytes(Self.picture(2)))
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.json["parameter"] == "pts")
                #expect(refused.json["detail"].string?.contains(format) == true, "\(refused.text)")
                #expect(try await server.curl("POST", Self.chunks(id, pts: 1000), body: .bytes(Self.picture(3))).status == 200)
                let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(closed.status == 200, "\(closed.text)")
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test(arguments: [0, 1])
        func anASFOfWhichOneStreamIsSentWholeBeforeTheOther(first: Int) async throws {
            try await withServer { server in
                let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "wmav2"]
                let id = try await server.createWriter(["dst": "a.asf", "open": true, "streams": [Self.video("msmpeg4"), audio]])
                let bodies = [Data((0..<60 * 25).flatMap { Self.picture(UInt8(truncatingIfNeeded: $0)) }), Data(count: 60 * 8_000 * 2)]
                for stream in [first, 1 - first] {
                    let taken = try await server.curl("POST", Self.chunks(id, stream), body: .bytes(bodies[stream]))
                    #expect(taken.status == 200, "\(taken.text)")
                }
                let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(closed.status == 200, "\(closed.text)")
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test func anHLSWriterIsFlushed() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a/a.m3u8", "open": true, "streams": [Self.video("mpeg2video")]])
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Self.picture(1))).status == 200)
                let flushed = try await server.curl("POST", "/v1/writers/\(id)/flush")
                #expect(flushed.status == 200, "\(flushed.text)")
                #expect(try await server.curl("POST", Self.chunks(id), body: .bytes(Self.picture(2))).status == 200)
                #expect(try await server.curl("POST", "/v1/writers/\(id)/finalize").status == 200)
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }

        @Test func aDASHStreamWithoutAFrameIsNamedAndMayStillGetOne() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a/a.mpd", "open": true, "streams": [Self.video("mpeg4"), Self.video("mpeg4")]])
                #expect(try await server.curl("POST", Self.chunks(id, 1), body: .bytes(Self.picture(1))).status == 200)
                let refused = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.json["detail"].string?.contains("stream 0") == true, "\(refused.text)")
                #expect(try await server.curl("POST", Self.chunks(id, 0), body: .bytes(Self.picture(1))).status == 200)
                let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
                #expect(closed.status == 200, "\(closed.text)")
                try await DegenerateTests.expectNoDeadEncoder(server)
            }
        }
    }
}
