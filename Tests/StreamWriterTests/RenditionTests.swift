import Foundation
import StreamWriter
import Testing

/// One stream, encoded several times.
@Suite struct RenditionTests {
    let folder = TemporaryFolder()
    static let (width, height) = (160, 96)
    let frame = width * height * 3

    private func video(_ renditions: [RenditionConfig], _ change: (inout VideoStreamConfig) -> Void = { _ in }) -> StreamConfig {
        var config = VideoStreamConfig(frameRate: Rational(30, 1)!, width: Self.width, height: Self.height)
        config.renditions = renditions
        change(&config)
        return .video(config)
    }

    private func rendition(_ name: String, _ encoder: String = "libx264", _ change: (inout RenditionConfig) -> Void = { _ in }) -> RenditionConfig {
        var rendition = RenditionConfig(name: name)
        rendition.encoder = encoder
        change(&rendition)
        return rendition
    }

    private func output(_ name: String, _ file: String, _ streams: [StreamSelection]? = nil) -> OutputConfig {
        var output = OutputConfig(name: name, destination: folder.destination(file))
        output.streams = streams
        return output
    }

    private let hd = StreamSelection(stream: 0, rendition: "hd")
    private let sd = StreamSelection(stream: 0, rendition: "sd")

    /// With an output of its own for each rendition.
    private func writeEach(_ stream: StreamConfig, _ data: Data, _ ending: String = "nut") throws -> WriterSummary {
        let outputs = stream.renditions.map { output($0.name, "\($0.name).\(ending)", [StreamSelection(stream: 0, rendition: $0.name)]) }
        let writer = try StreamWriter(outputs: outputs)
        _ = try writer.addStream(stream)
        try writer.open()
        try writer.send(data, piece: 100_000)
        return try writer.close()
    }

    /// Each is byte for byte what a writer of its own makes.
    private func requireAsAlone(_ stream: StreamConfig, _ data: Data, _ ending: String = "nut") throws {
        _ = try writeEach(stream, data, ending)
        for (name, config) in stream.encodings {
            try encode(config, data, to: folder.destination("alone-\(name!).\(ending)"), piece: 100_000)
            #expect(try folder.bytes("\(name!).\(ending)") == folder.bytes("alone-\(name!).\(ending)"), "\(name!)")
        }
    }

    // MARK: Encoding

    @Test func everyRenditionIsWhatAWriterOfItsOwnMakes() throws {
        let small = rendition("sd") { ($0.encoderWidth, $0.encoderHeight) = (80, 48) }
        let stream = video([
            rendition("hd"), small, rendition("slow", "mpeg4") { $0.encoderFrameRate = Rational(15, 1) },
            rendition("same") { $0.codecConfig.bitRate = 300_000 },
        ])
        try requireAsAlone(stream, pictures(count: 40, bytesPerFrame: frame))
        #expect(try probe(folder.path("sd.nut"))["width"] == "80")
        #expect(try probe(folder.path("slow.nut"))["nb_read_frames"] == "20")
    }

    @Test func picturesThatNeedNoConversionAreSharedWithWhatIsConverted() throws {
        let stream = video([rendition("kept", "rawvideo"), rendition("lossless", "ffv1"), rendition("played")]) { $0.format = "bgr0" }
        try requireAsAlone(stream, pictures(count: 12, bytesPerFrame: Self.width * Self.height * 4))
    }

    @Test(arguments: ["hflip", "fps=10", "scale=80:48,setsar=2/1", "trim=start_frame=5:end_frame=20,setpts=PTS-STARTPTS"])
    func theClientsFiltersRunOnceAndGiveWhatTheyGiveAlone(filter: String) throws {
        let stream = video([
            rendition("large", "ffv1"), rendition("small", "ffv1") { ($0.encoderWidth, $0.encoderHeight) = (64, 40) },
            rendition("rare", "ffv1") { $0.encoderFrameRate = Rational(5, 1) },
        ]) { $0.filterDesc = filter }
        let data = pictures(count: 30, bytesPerFrame: frame)
        let summary = try writeEach(stream, data)
        for ((name, config), rendition) in zip(stream.encodings, summary.streams[0].renditions) {
            let alone = try encode(config, data, to: folder.destination("alone-\(name!).nut")).streams[0]
            #expect(try folder.bytes("\(name!).nut") == folder.bytes("alone-\(name!).nut"), "\(name!) of \(filter)")
            #expect(rendition.framesEncoded == alone.framesEncoded && rendition.framesDropped == alone.framesDropped, "\(name!) of \(filter)")
        }
    }

    @Test func soundOfOneUploadIsEncodedInBlocksOfEveryEncodersOwn() throws {
        var config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)
        config.renditions = [
            rendition("aac", "aac"), rendition("opus", "libopus"), rendition("flac", "flac"),
            rendition("mono", "aac") { ($0.encoderNumChannels, $0.encoderSampleRate) = (1, 24_000) },
        ]
        let data = tone(samples: 50_000, channels: 2)
        try requireAsAlone(.audio(config), data)
        config.filterDesc = "volume=0.5"
        let summary = try writeEach(.audio(config), data)
        #expect(summary.streams[0].renditions.map(\.framesEncoded) == [50_000, 50_000, 50_000, 25_000])
        #expect(summary.streams[0].framesEncoded == 25_000, "the least of them")
    }

    @Test func gapsAreFilledAndLateTimesKeptInEveryRendition() throws {
        let stream = video([rendition("hd"), rendition("sd") { ($0.encoderWidth, $0.encoderHeight) = (80, 48) }])
        let writer = try StreamWriter(outputs: [output("a", "a.mkv", [hd]), output("b", "b.avi", [sd])])
        _ = try writer.addStream(stream)
        try writer.open()
        try writer.send(pictures(count: 5, bytesPerFrame: frame))
        try writer.send(pictures(count: 5, bytesPerFrame: frame), pts: 1)
        _ = try writer.close()
        let times = try Probe(folder.path("a.mkv"), showing: ["frames"]).frames.compactMap { $0.number("pts_time") }
        #expect(times.last.map { abs($0 - 1.133) < 0.002 } == true)
    }

    // MARK: Outputs

    @Test func anOutputHasTheRenditionsThatItNamesAndAllWithoutNames() throws {
        let stream = video([rendition("hd"), rendition("sd") { ($0.encoderWidth, $0.encoderHeight) = (80, 48) }])
        let audio = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "aac"))
        let writer = try StreamWriter(outputs: [
            output("all", "all.mkv"), output("swapped", "swapped.mkv", [1, sd]), output("both", "both.mp4", [0]), output("live", "live.flv", [sd, 1]),
        ])
        for stream in [stream, audio] { _ = try writer.addStream(stream) }
        try writer.open()
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        try writer.send(tone(samples: 48_000, channels: 1), to: 1)
        let summary = try writer.close()
        func tracks(_ file: String) throws -> [String] {
            try Probe(folder.path(file)).streams.map { ($0["width"] as String?) ?? "audio" }
        }
        #expect(try tracks("all.mkv") == ["160", "80", "audio"])
        #expect(try tracks("swapped.mkv") == ["audio", "80"])
        #expect(try tracks("both.mp4") == ["160", "80"])
        #expect(try Set(tracks("live.flv")) == ["80", "audio"])
        #expect(summary.outputs.map { $0?.tracks.map(\.rendition) } == [["hd", "sd", nil], [nil, "sd"], ["hd", "sd"], ["sd", nil]])
        #expect(summary.streams[0].renditions.map(\.packets) == [30, 30] && summary.streams[0].packets == 60)
    }

    @Test func finishedFilesAreHeldAgainstTheirOwnTracks() throws {
        let stream = video([rendition("hd"), rendition("sd", "mpeg4") { $0.encoderFrameRate = Rational(10, 1) }])
        let writer = try StreamWriter(outputs: [output("b", "b.mp4", [sd]), output("a", "a.mkv", [hd])])
        _ = try writer.addStream(stream)
        try writer.open()
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        let summary = try writer.close()
        for (index, file) in ["b.mp4", "a.mkv"].enumerated() {
            let descriptor = open(folder.path(file), O_RDONLY)
            defer { close(descriptor) }
            let found = try VerifiedOutput(of: descriptor, format: index == 0 ? "mp4" : "matroska", against: #require(summary.of(output: index)))
            #expect(found?.streams.map { $0?.packets } == [index == 0 ? 10 : 30])
        }
    }

    @Test func whatIsChosenIsToldOfEach() throws {
        let writer = try StreamWriter(outputs: [output("a", "a.mkv")])
        _ = try writer.addStream(
            video([
                rendition("hd"), rendition("sd", "mpeg4") { ($0.encoderWidth, $0.encoderHeight, $0.codecConfig.bitRate) = (80, 48, 200_000) },
                rendition("gif", "gif"),
            ]))
        let chosen = writer.description(of: 0)
        #expect(chosen.renditions.map(\.name) == ["hd", "sd", "gif"])
        #expect(chosen.renditions.map(\.encoder) == ["libx264", "mpeg4", "gif"])
        #expect(chosen.renditions.map(\.encoderWidth) == [160, 80, 160] && chosen.encoderWidth == 160)
        #expect(chosen.renditions[1].bitRate == 200_000)
        #expect(chosen.renditions[0].warnings != chosen.renditions[2].warnings)
    }

    // MARK: While it runs

    @Test func keyFramesAreAskedOfAllOrOfOne() throws {
        let stream = video([rendition("hd"), rendition("sd") { ($0.encoderWidth, $0.encoderHeight) = (80, 48) }, rendition("same")])
        let outputs = ["hd", "sd", "same"].map { output($0, "\($0).mkv", [StreamSelection(stream: 0, rendition: $0)]) }
        let writer = try StreamWriter(outputs: outputs)
        _ = try writer.addStream(stream)
        try writer.open()
        try writer.send(pictures(count: 10, bytesPerFrame: frame))
        #expect(try writer.requestKeyFrame(ofStream: 0, rendition: "same") == [0])
        try writer.send(pictures(count: 10, bytesPerFrame: frame))
        #expect(try writer.requestKeyFrame() == [0])
        try writer.send(pictures(count: 10, bytesPerFrame: frame))
        #expect(code { try writer.requestKeyFrame(ofStream: 0, rendition: "uhd") } == .invalidParameter)
        #expect(code { try writer.requestKeyFrame(rendition: "hd") } == .invalidParameter)
        _ = try writer.close()
        func keys(_ file: String) throws -> [Int] {
            try Probe(folder.path(file), showing: ["frames"]).frames.enumerated().filter { $0.element["key_frame"] == "1" }.map(\.offset)
        }
        #expect(try keys("hd.mkv") == [0, 20] && keys("sd.mkv") == [0, 20])
        #expect(try keys("same.mkv") == [0, 10, 20])
    }

    @Test func bitRatesAreChangedByName() throws {
        let renditions = ["hd", "sd"].map { rendition($0) { ($0.codecConfig.bitRate, $0.encoderOption) = (400_000, ["maxrate": "400000", "bufsize": "400000"]) } }
        let writer = try StreamWriter(outputs: [output("a", "a.mkv")])
        _ = try writer.addStream(video(renditions))
        try writer.open()
        #expect(code { try writer.changeBitRate(ofStream: 0, to: BitRateChange(bitRate: 100_000)) } == .invalidParameter)
        _ = try writer.changeBitRate(ofStream: 0, rendition: "sd", to: BitRateChange(bitRate: 100_000))
        try writer.send(pictures(count: 10, bytesPerFrame: frame))
        #expect(writer.progress(of: 0).renditions.map(\.bitRate) == [nil, 100_000])
        _ = try writer.close()
    }

    @Test func segmentsOfAnAdaptiveOutputBeginAtTheSameTimesWhateverOneRenditionSays() throws {
        let stream = video([rendition("hd") { $0.codecConfig.gopSize = 7 }, rendition("sd") { ($0.encoderWidth, $0.encoderHeight) = (80, 48) }])
        let path = folder.path("show/master.m3u8")
        try FileManager.default.createDirectory(atPath: folder.path("show"), withIntermediateDirectories: true)
        var config = OutputConfig(name: "abr", destination: .url(path), format: "hls")
        // FFmpeg 7.1 tells no rates of segments that are no longer than half a second.
        config.option = ["hls_time": "0.6", "hls_list_size": "0"]
        let writer = try StreamWriter(outputs: [config])
        let audio = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "aac", codecConfig: CodecConfig(bitRate: 32_000), language: "en"))
        for stream in [stream, audio] { _ = try writer.addStream(stream) }
        try writer.open(option: config.option!)
        for second in 0..<2 {
            try writer.send(pictures(count: 30, bytesPerFrame: frame, seed: UInt64(second)))
            try writer.send(tone(samples: 48_000, channels: 1), to: 1)
        }
        _ = try writer.close()
        #expect(writer.description(of: 0).renditions.map { $0.keyFrames?.seconds } == [0.6, 0.6])
        let master = try #require(String(data: folder.bytes("show/master.m3u8"), encoding: .utf8))
        let variants = master.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(variants == ["master_hd.m3u8", "master_sd.m3u8"])
        #expect(master.contains("RESOLUTION=160x96") && master.contains("RESOLUTION=80x48") && master.contains("TYPE=AUDIO"), "\(master)")
        let rates = master.split(separator: "\n").filter { $0.hasPrefix("#EXT-X-STREAM-INF") }.compactMap { line in
            line.split(separator: "BANDWIDTH=").last.flatMap { Int($0.prefix(while: \.isNumber)) }
        }
        var lengths: [[String]] = []
        for variant in variants {
            let list = try #require(String(data: folder.bytes("show/\(variant)"), encoding: .utf8)).split(separator: "\n")
            lengths.append(list.filter { $0.hasPrefix("#EXTINF") }.map(String.init))
            let sizes = try list.filter { !$0.hasPrefix("#") }.map { try folder.bytes("show/\($0)").count }
            let sound = try (0..<3).map { try folder.bytes("show/master_audio\($0).ts").count }
            // RFC 8216 4.3.4.2: no segment has more; and not much less. FFmpeg 7.1 leaves out the sound, which is a group,
            // and what it writes of a segment after it has measured it.
            let peak = Double((sizes.max()! + (isFFmpeg7 ? 0 : sound.max()!)) * 8) / 0.6
            #expect(Double(rates[lengths.count - 1]) >= (isFFmpeg7 ? peak * 0.9 : peak.rounded(.down)) && Double(rates[lengths.count - 1]) < peak * 1.25, "\(rates), \(peak)")
            for segment in list where !segment.hasPrefix("#") {
                let frames = try Probe(folder.path("show/\(segment)"), showing: ["frames"]).frames
                #expect(frames.first?["key_frame"] == "1" && frames.count <= 18, "\(segment)")
            }
        }
        #expect(lengths[0] == lengths[1] && lengths[0].count == 4)
    }

    @Test(.enabled(if: isFFmpeg7, "FFmpeg 5.1 has the rates of the encoders"))
    func segmentsWhoseRatesAreNotToldAreRefused() throws {
        var config = OutputConfig(name: "abr", destination: .url(folder.path("master.m3u8")), format: "hls")
        config.option = ["hls_time": "0.5"]
        let writer = try StreamWriter(outputs: [config])
        _ = try writer.addStream(video([rendition("hd"), rendition("sd")]))
        do {
            try writer.open(option: config.option!)
            Issue.record("opened")
        } catch {
            #expect(error.parameter == "option.hls_time" && error.message.contains("more than 0.5"))
        }
    }

    // MARK: Refusals

    @Test func whatStandsBesideRenditionsOrCanNotBeToldApartIsRefused() throws {
        func refusal(_ stream: StreamConfig, _ outputs: [OutputConfig]? = nil) -> StreamWriterError? {
            do throws(StreamWriterError) {
                let writer = try StreamWriter(outputs: outputs ?? [output("a", "refused.mkv")])
                _ = try writer.addStream(stream)
                return nil
            } catch {
                return error
            }
        }
        let two = [rendition("hd"), rendition("sd")]
        #expect(refusal(video(two) { $0.encoder = "libx264" })?.parameter == "encoder")
        #expect(refusal(video(two) { $0.encoderWidth = 80 })?.parameter == "encoder_width")
        #expect(refusal(video(two) { $0.codecConfig.gopSize = 8 })?.parameter == "codec_config")
        #expect(refusal(video([rendition("hd"), rendition("hd")]))?.parameter == "renditions.1.name")
        #expect(refusal(video([rendition("a:b")]))?.parameter == "renditions.0.name")
        #expect(refusal(video((0..<9).map { rendition("r\($0)") }))?.parameter == "renditions")
        let unknown = refusal(video([rendition("hd"), rendition("sd", "nosuch")]))
        #expect(unknown?.parameter == "renditions.1.encoder" && unknown?.message.hasPrefix("rendition sd: ") == true)
        let odd = refusal(video([rendition("hd"), rendition("sd") { $0.encoderWidth = 81 }]))
        #expect(odd?.parameter?.hasPrefix("renditions.1.encoder") == true, "\(String(describing: odd))")
        #expect(refusal(video(two), [output("a", "refused.mkv", [hd])])?.message.contains("rendition sd of stream 0") == true)
        #expect(refusal(video([rendition("hd"), rendition("sd", "vp9")]), [output("a", "refused.flv")])?.parameter != nil)
        let writer = try StreamWriter(outputs: [output("a", "refused.mkv", [hd, StreamSelection(stream: 0, rendition: "uhd")])])
        _ = try writer.addStream(video([rendition("hd")]))
        #expect(code { try writer.open() } == .invalidParameter)
    }
}
