import Foundation
import Testing

extension EndToEnd {
    /// Key frames, bit rates and streams that stop, by the real programs.
    @Suite struct LiveControlTests {
        private static let frame = Data(repeating: 0x80, count: 64 * 48 * 3 / 2)

        private static let streams: JSON = [
            [
                "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "libx264",
                "encoder_option": ["preset": "ultrafast", "maxrate": "800000", "bufsize": "400000"],
                "codec_config": ["bit_rate": 800_000, "gop_size": 500],
            ],
            ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "fill": "silence", "when_late": "drop"],
        ]

        @Test func aRunningWriterIsSteered() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "a.mkv", "streams": Self.streams, "open": true])
                let path = "/v1/writers/\(id)"
                func send(_ frames: Int) async throws {
                    let body = Data((0..<frames).flatMap { _ in Self.frame })
                    let receipt = try await server.curl("POST", "\(path)/streams/0/chunks", body: .bytes(body))
                    try #require(receipt.status == 200, "\(receipt.text)")
                }
                try await send(50)
                let asked = try await server.curl("POST", "\(path)/keyframe?stream=0")
                #expect(asked.status == 200 && asked.json["streams"] == [0], "\(asked.text)")
                let changed = try await server.curl("PATCH", "\(path)/streams/0", body: .json(["codec_config": ["bit_rate": 300_000]]))
                #expect(changed.status == 200 && changed.json["codec_config"]["bit_rate"] == 300_000, "\(changed.text)")
                try await send(25)
                let writer = try await server.curl("GET", path).json
                #expect(writer["streams"][0]["encoder_bit_rate"] == 300_000)
                #expect(writer["streams"][1]["filled_seconds"].double ?? 0 > 2.4)
                // For time that was filled.
                let late = try await server.curl("POST", "\(path)/streams/1/chunks?pts=1", body: .bytes(Data(count: 1_600)))
                #expect(late.status == 200 && late.json["frames_dropped_late"] == 800, "\(late.text)")
                let refused = try await server.curl("PATCH", "\(path)/streams/1", body: .json(["codec_config": ["bit_rate": 64_000]]))
                #expect(refused.status == 422 && refused.json["parameter"] == "codec_config.bit_rate")
                let ended = try await server.curl("POST", "\(path)/finalize")
                let codes = ended.json["result"]["warnings"].array.compactMap { $0["code"].string }
                #expect(codes.contains("gap-filled") && codes.contains("late-dropped"), "\(ended.text)")
                for (method, target) in [("POST", "\(path)/keyframe"), ("PATCH", "\(path)/streams/0")] {
                    let over = try await server.curl(method, target)
                    #expect(over.status == 409 && over.json["state"] == "closed", "\(over.text)")
                }
                let file = server.outputFolder + "/a.mkv"
                let result = try await Tool.run("ffprobe", ["-v", "error", "-of", "json", "-show_packets", "-select_streams", "v", file])
                let keys = try JSON(result.output)["packets"].array.enumerated().filter { $1["flags"].string?.contains("K") == true }.map(\.offset)
                #expect(keys == [0, 50])
                let isCounted = try await eventually {
                    try await server.curl("GET", "/metrics").text.contains(#"penstock_frames_dropped_late_total{kind="audio"} 800"#)
                }
                #expect(isCounted)
            }
        }
    }
}
