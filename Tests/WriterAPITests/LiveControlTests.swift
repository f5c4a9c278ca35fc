import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// What is asked of an open writer while it takes chunks.
@Suite struct LiveControlTests {
    private static let video = """
        {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p", "encoder": "libx264",
         "encoder_option": {"preset": "ultrafast", "maxrate": "800000", "bufsize": "400000"}, "codec_config": {"bit_rate": 800000}}
        """
    private static let sound = #"{"type": "audio", "sample_rate": 8000, "num_channels": 1, "format": "s16", "encoder": "flac"}"#

    private func scene(open: Bool = true, _ streams: [String] = [video, sound]) throws -> WriterScene {
        let scene = try WriterScene()
        try scene.create(#"{"dst": "a.mkv", "streams": [\#(streams.joined(separator: ","))]\#(open ? #", "open": true"# : "")}"#)
        return scene
    }

    private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    private func stream(_ scene: WriterScene, _ index: Int = 0) -> JSONObject? {
        scene.resource.resource["streams"]?.arrayValue?[index].objectValue
    }

    @Test func aKeyFrameIsAskedForWhileAChunkIsTaken() throws {
        let scene = try scene()
        _ = try scene.resource.claimStream(0, from: nil) {}
        #expect(try scene.resource.requestKeyFrame(ofStream: nil)["streams"] == [0])
        #expect(try scene.resource.requestKeyFrame(ofStream: 0)["streams"] == [0])
        #expect(problem { _ = try scene.resource.requestKeyFrame(ofStream: 1) }?.code == .unsupportedValue)
        #expect(problem { _ = try scene.resource.requestKeyFrame(ofStream: 2) }?.code == .streamNotFound)
        scene.resource.releaseStream(0)
        #expect(scene.resource.phase == .alive(.open), "what is refused fails no writer")
    }

    @Test func aBitRateIsChangedWhileAChunkIsTaken() throws {
        let scene = try scene()
        let target = try scene.resource.claimStream(0, from: nil) {}
        #expect(stream(scene)?["encoder_bit_rate"] == 800_000)
        let body = #"{"codec_config": {"bit_rate": "200k"}, "encoder_option": {"bufsize": 100000}}"#
        let shown = try scene.resource.changeStream(0, try json(body)).objectValue
        #expect(shown?["codec_config"]?.objectValue?["bit_rate"] == 200_000)
        #expect(shown?["encoder_option"]?.objectValue?["maxrate"] == "200000" && shown?["encoder_option"]?.objectValue?["bufsize"] == "100000")
        #expect(shown?["encoder_bit_rate"] == 800_000, "not before the next frame")
        let chunk = try target.writer.beginChunk(stream: 0, pts: nil)
        try [UInt8](repeating: 0x80, count: 64 * 48 * 3 / 2).withUnsafeBytes { try chunk.write($0) }
        _ = try chunk.finish()
        #expect(stream(scene)?["encoder_bit_rate"] == 200_000)
        #expect(scene.snapshots.last?.resource["streams"]?.arrayValue?[0].objectValue?["codec_config"]?.objectValue?["bit_rate"] == 200_000)
        scene.resource.releaseStream(0)
    }

    @Test(arguments: [
        (1, #"{"codec_config": {"bit_rate": 64000}}"#, ProblemCode.unsupportedValue, "codec_config.bit_rate"),
        (0, #"{"codec_config": {"bit_rate": 900000}, "encoder_option": {"maxrate": "1M"}}"#, .unsupportedValue, "encoder_option.maxrate"),
        (0, #"{"codec_config": {"bit_rate": -1}}"#, .invalidParameter, "codec_config.bit_rate"),
        (0, #"{"codec_config": {}}"#, .invalidParameter, "codec_config.bit_rate"),
        (0, #"{}"#, .invalidParameter, "codec_config.bit_rate"),
        (0, #"{"codec_config": {"bit_rate": 64000, "gop_size": 2}}"#, .unknownParameter, "codec_config.gop_size"),
        (0, #"{"codec_config": {"bit_rate": 64000}, "encoder": "libx265"}"#, .unknownParameter, "encoder"),
        (0, #"{"codec_config": {"bit_rate": 64000}, "encoder_option": {"crf": "23"}}"#, .unknownOption, "encoder_option.crf"),
    ])
    func whatCannotBeChangedIsRefusedByNameAndLeavesTheWriterAsItWas(
        index: Int, body: String, code: ProblemCode, parameter: String
    ) throws {
        let scene = try scene()
        let before = stream(scene, index)
        let found = problem { _ = try scene.resource.changeStream(index, try json(body)) }
        #expect(found?.code == code && found?.parameter == parameter, "\(String(describing: found))")
        if index == 1 { #expect(found?.supported?.contains("aac") == true) }
        #expect(stream(scene, index) == before && scene.resource.phase == .alive(.open))
    }

    @Test func bothNeedAnOpenWriter() throws {
        let scene = try scene(open: false)
        let rate = try json(#"{"codec_config": {"bit_rate": 64000}}"#)
        for found in [problem { _ = try scene.resource.requestKeyFrame(ofStream: nil) }, problem { _ = try scene.resource.changeStream(0, rate) }] {
            #expect(found?.code == .wrongState && found?.detail.contains("configuring") == true)
        }
        _ = try scene.resource.open(OpenRequest())
        _ = try scene.resource.requestKeyFrame(ofStream: 0)
        _ = try scene.resource.finalize()
        #expect(problem { _ = try scene.resource.requestKeyFrame(ofStream: 0) }?.code == .wrongState)
        #expect(problem { _ = try scene.resource.changeStream(0, rate) }?.code == .wrongState)
    }

    @Test func fillAndWhenLateAreShownAndCounted() throws {
        let live = #", "fill": "silence", "when_late": "drop"}"#
        let scene = try scene([Self.video, Self.sound.dropLast() + live])
        #expect(stream(scene, 1)?["fill"] == "silence" && stream(scene, 1)?["when_late"] == "drop")
        #expect(stream(scene, 0)?["fill"] == nil && stream(scene, 0)?["frames_dropped_late"] == nil)
        let pictures = try scene.resource.claimStream(0, from: nil) {}.writer.beginChunk(stream: 0, pts: nil)
        try [UInt8](repeating: 0x80, count: 50 * 64 * 48 * 3 / 2).withUnsafeBytes { try pictures.write($0) }
        _ = try pictures.finish()
        scene.resource.releaseStream(0)
        let filled = try #require(stream(scene, 1)?["filled_seconds"]?.numberValue)
        #expect(filled > 1.4 && filled <= 2)
        let sound = try scene.resource.claimStream(1, from: nil, pts: 0) {}.writer.beginChunk(stream: 1, pts: 0)
        try [UInt8](repeating: 0, count: 16_000).withUnsafeBytes { try sound.write($0) }
        let receipt = try sound.finish()
        scene.resource.releaseStream(1)
        #expect(receipt.framesDroppedLate == 8_000 && stream(scene, 1)?["frames_dropped_late"] == 8_000)
        let result = try scene.resource.finalize()["result"]?.objectValue
        let codes = result?["warnings"]?.arrayValue?.compactMap { $0.objectValue?["code"]?.stringValue } ?? []
        #expect(codes.contains("gap-filled") && codes.contains("late-dropped"), "\(codes)")
    }

    @Test(arguments: [(#""fill": "tone""#, "fill"), (#""fill": "last-frame""#, "fill"), (#""when_late": "sometimes""#, "when_late")])
    func otherWordsAreRefused(member: String, parameter: String) throws {
        let scene = try WriterScene()
        let found = problem { try scene.create(#"{"dst": "a.mkv", "streams": [\#(Self.sound.dropLast()), \#(member)}]}"#) }
        #expect(found?.parameter?.hasSuffix(parameter) == true && found?.supported?.isEmpty == false, "\(String(describing: found))")
    }

    @Test(arguments: [
        (sound, nil, 20.0), (sound, "0", 0), (sound, "2.5", 2.5), (sound, "10000", 10_000), (video, nil, 0), (video, "40", 40),
    ])
    func theLatencyInForceIsShown(stream config: String, latency: String?, shown: Double) throws {
        let scene = try WriterScene()
        let member = latency.map { ", \"latency\": \($0)" } ?? ""
        try scene.create(#"{"dst": "a.mkv", "streams": [\#(config.trimmed.dropLast())\#(member)}]}"#)
        #expect(stream(scene)?["latency"]?.numberValue == shown)
    }

    @Test(arguments: [
        (sound, #""latency": -1"#, ProblemCode.invalidParameter, "latency"), (sound, #""latency": 10001"#, .invalidParameter, "latency"),
        (sound, #""latency": "20""#, .invalidParameter, "latency"), (sound, #""latency": 1e300"#, .invalidParameter, "latency"),
        (sound, #""latency": 101, "fill": "silence""#, .unsupportedValue, "latency"),
        (sound, #""latency": 101, "when_late": "drop""#, .unsupportedValue, "latency"),
        (video, #""latency": 40, "when_late": "drop""#, .unsupportedValue, "latency"),
    ])
    func aLatencyThatCannotBeIsRefused(stream: String, members: String, code: ProblemCode, parameter: String) throws {
        let scene = try WriterScene()
        let found = problem { try scene.create(#"{"dst": "a.mkv", "streams": [\#(stream.trimmed.dropLast()), \#(members)}]}"#) }
        #expect(found?.code == code && found?.parameter == parameter, "\(String(describing: found))")
    }

    @Test func noStreamComesLaterThanThoseThatAreFilledCanWait() throws {
        let slow = Self.sound.dropLast() + #", "latency": 200}"#
        let filled = Self.sound.dropLast() + #", "fill": "silence"}"#
        for (streams, parameter) in [([slow, filled], "fill"), ([filled, slow], "latency")] {
            let found = problem { _ = try self.scene(streams.map(String.init)) }
            #expect(found?.code == .unsupportedValue && found?.parameter == parameter, "\(String(describing: found))")
        }
    }
}

extension String {
    fileprivate var trimmed: Substring {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
