import Foundation
import StreamWriter
import Testing

/// Field order, codec tags and what screens need to know.
@Suite struct ContainerMarkTests {
    let folder = TemporaryFolder()
    static let hevc = ["preset": "ultrafast", "x265-params": "pools=none:frame-threads=1:log-level=none"]
    static let display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"

    private func stream(_ name: String, _ encoder: String, format: String? = nil, _ change: (inout VideoStreamConfig) -> Void) throws -> Probe.Fields {
        var config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 64, format: "yuv420p", encoder: encoder, encoderOption: encoder == "libx265" ? Self.hevc : [:])
        change(&config)
        let bytes = config.format == "yuv420p10le" ? 64 * 64 * 3 : 64 * 64 * 3 / 2
        var data = pictures(count: 4, bytesPerFrame: bytes)
        if config.format == "yuv420p10le" { for index in stride(from: 1, to: data.count, by: 2) { data[index] &= 3 } }
        try encode(.video(config), data, to: folder.destination(name), format: format)
        return try Probe(folder.path(name)).streams[0]
    }

    private func error(_ name: String, _ encoder: String, _ change: (inout VideoStreamConfig) -> Void) throws -> StreamWriterError {
        try #require(throws: StreamWriterError.self) { try stream(name, encoder, change) }
    }

    @Test(arguments: [("libx264", "a.mkv"), ("prores_ks", "a.mov"), ("mpeg2video", "a.mkv")])
    func fieldOrderIsInTheFile(encoder: String, name: String) throws {
        for order in ["tt", "bb"] { #expect(try stream(name, encoder) { $0.fieldOrder = order }["field_order"] == order) }
    }

    @Test func fieldsAreCodedAsSuch() throws {
        _ = try stream("a.mkv", "libx264") { $0.fieldOrder = "tt" }
        let frames = try Probe(folder.path("a.mkv"), showing: ["frames"]).frames
        #expect(frames.map { ($0["interlaced_frame"] as String?) ?? "" } == ["1", "1", "1", "1"])
        #expect(frames.allSatisfy { $0["top_field_first"] == "1" })
        _ = try stream("b.mkv", "libx264") { _ in }
        #expect(try Probe(folder.path("b.mkv"), showing: ["frames"]).frames.allSatisfy { $0["interlaced_frame"] == "0" })
    }

    @Test(arguments: [("setfield=tff", ["tt", "tb"]), ("setfield=bff", ["bb", "bt"]), ("setfield=prog", ["progressive"])])
    func whatSetfieldSaysIsInTheFile(filter: String, expected: [String]) throws {
        for (encoder, name) in [("libx264", "a.mkv"), ("prores_ks", "a.mov")] {
            let order = try stream(name, encoder) { $0.filterDesc = filter }["field_order"] ?? ""
            #expect(expected.contains(order), "\(encoder): \(order)")
        }
    }

    @Test(arguments: ["a.mp4", "a.mov"]) func hevcHasTheTagThatApplesPlayersTake(name: String) throws {
        #expect(try stream(name, "libx265") { _ in }["codec_tag_string"] == "hvc1")
        #expect(try stream(name, "libx265") { $0.codecTag = "hev1" }["codec_tag_string"] == "hev1")
        #expect(try decodeVideo(folder.path(name), format: "yuv420p").count == 4 * 64 * 64 * 3 / 2)
    }

    @Test func hevcInFragmentsOfHLSHasItToo() throws {
        let writer = try StreamWriter(destination: .url(folder.path("a.m3u8")), format: nil)
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 64, format: "yuv420p", encoder: "libx265", encoderOption: Self.hevc)))
        try writer.open(option: ["hls_segment_type": "fmp4"])
        try writer.send(pictures(count: 4, bytesPerFrame: 64 * 64 * 3 / 2))
        _ = try writer.close()
        #expect(try Probe(folder.path("a.m3u8")).streams[0]["codec_tag_string"] == "hvc1")
    }

    @Test func codecTagIsTheClientsOrRefused() throws {
        #expect(try stream("a.mp4", "libx264") { $0.codecTag = "avc3" }["codec_tag_string"] == "avc3")
        #expect(try stream("a.avi", "mpeg4") { $0.codecTag = "DX50" }["codec_tag_string"] == "DX50")
        #expect(try error("a.mp4", "libx264") { $0.codecTag = "hvc1" }.supported == ["avc1", "avc3"])
        #expect(try error("a.ts", "libx264") { $0.codecTag = "avc1" }.code == .unsupportedValue)
        for tag in ["", "abc", "abcde", "äbc"] { #expect(try error("a.mp4", "libx264") { $0.codecTag = tag }.parameter == "codec_tag") }
    }

    @Test(arguments: [("libx265", "a.mp4"), ("libx265", "a.mkv"), ("libsvtav1", "a.mp4"), ("libx264", "a.mkv"), ("libvpx-vp9", "a.mkv")])
    func screenAndBrightnessAreInTheFile(encoder: String, name: String) throws {
        let stream = try stream(name, encoder) {
            $0.format = "yuv420p10le"
            $0.masteringDisplay = Self.display
            $0.contentLightLevel = "1000,400"
        }
        let data: [Probe.Fields] = stream["side_data_list"]
        let display = try #require(data.first { $0["side_data_type"] == "Mastering display metadata" })
        let value = { (name: String) -> Double in
            let parts = (display[name] ?? "").split(separator: "/").compactMap { Double($0) }
            return parts.count == 2 ? parts[0] / parts[1] : .nan
        }
        for (name, expected) in [("red_x", 0.68), ("red_y", 0.32), ("green_x", 0.265), ("blue_y", 0.06), ("white_point_x", 0.3127), ("max_luminance", 1000), ("min_luminance", 0.005)] {
            #expect(abs(value(name) - expected) < 0.0001, "\(name)")
        }
        let light = try #require(data.first { $0["side_data_type"] == "Content light level metadata" })
        #expect(light["max_content"] == "1000")
        #expect(light["max_average"] == "400")
    }

    @Test func hevcItselfSaysItToo() throws {
        _ = try stream("a.hevc", "libx265") { $0.masteringDisplay = Self.display; $0.contentLightLevel = "1000,400" }
        let frame = try #require(try Probe(folder.path("a.hevc"), showing: ["frames"]).frames.first)
        let data: [Probe.Fields] = frame["side_data_list"]
        #expect(data.contains { $0["side_data_type"] == "Mastering display metadata" && $0["red_x"] == "34000/50000" })
        #expect(data.contains { $0["max_content"] == "1000" })
    }

    @Test(arguments: ["", "x", "G(1,2)B(1,2)R(1,2)WP(1,2)", "G(1,2)B(1,2)R(1,2)WP(1,2)L(1,2)", "G(1,2)B(1,2)R(1,2)WP(1,99999)L(2,1)", "G(1,2)G(1,2)R(1,2)WP(1,2)L(2,1)", "G(1,2)B(1,2)R(1,2)WP(1,2)L(2,1"])
    func malformedScreenIsRefused(text: String) throws {
        #expect(try error("a.mp4", "libx265") { $0.masteringDisplay = text }.parameter == "mastering_display")
    }

    @Test(arguments: ["", "1000", "1000,", "1,2,3", "-1,2", "70000,1", "1000,4e2"]) func malformedBrightnessIsRefused(text: String) throws {
        #expect(try error("a.mp4", "libx265") { $0.contentLightLevel = text }.parameter == "content_light_level")
    }

    @Test func unknownFieldOrderIsRefused() throws {
        #expect(try error("a.mkv", "libx264") { $0.fieldOrder = "tff" }.supported == ["progressive", "tt", "bb", "tb", "bt"])
    }
}
