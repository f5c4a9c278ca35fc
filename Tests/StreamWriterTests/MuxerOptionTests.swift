import Foundation
import StreamWriter
import Testing

/// What a muxer's own options make of the file.
@Suite struct MuxerOptionTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3
    let video = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48)

    /// Top-level boxes of an mp4 file, in order.
    private func boxes(_ name: String) throws -> [String] {
        let bytes = try folder.bytes(name)
        var names: [String] = []
        var offset = 0
        while offset + 8 <= bytes.count {
            let size = bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
            names.append(String(decoding: bytes[(offset + 4)..<(offset + 8)], as: UTF8.self))
            offset += max(8, size)
        }
        return names
    }

    @Test(arguments: ["", "faststart", "frag_keyframe+empty_moov"]) func movflagsDecideWhereTheIndexIs(flags: String) throws {
        let config = VideoStreamConfig(
            frameRate: Rational(25, 1)!, width: 64, height: 48, codecConfig: CodecConfig(gopSize: 5))
        let data = pictures(count: 10, bytesPerFrame: Self.frame)
        try encode(.video(config), data, to: folder.destination("a.mp4"), option: flags.isEmpty ? [:] : ["movflags": flags])
        let boxes = try boxes("a.mp4")
        switch flags {
        case "": #expect(boxes == ["ftyp", "free", "mdat", "moov"])
        case "faststart": #expect(boxes == ["ftyp", "moov", "free", "mdat"])
        default:
            #expect(boxes.starts(with: ["ftyp", "moov", "moof", "mdat", "moof", "mdat"]))
            #expect(boxes.last == "mfra")
        }
        #expect(try Probe(folder.path("a.mp4"), showing: ["frames"]).frames.count == 10)
    }

    @Test(arguments: [("mov", ["movflags": "faststart"]), ("mkv", ["cues_to_front": "1"]), ("flv", ["flvflags": "add_keyframe_index"])])
    func aSecondPassMovesMoreThanABuffer(container: String, option: [String: String]) throws {
        var config = video
        config.codecConfig.gopSize = 1
        config.encoder = "libx264"
        config.encoderOption = ["qp": "0"]
        let data = pictures(count: 200, bytesPerFrame: Self.frame)
        try encode(.video(config), data, to: folder.destination("plain.\(container)"))
        try encode(.video(config), data, to: folder.destination("moved.\(container)"), option: option)
        #expect(try folder.bytes("plain.\(container)").count > 150_000)
        #expect(try folder.bytes("plain.\(container)") != folder.bytes("moved.\(container)"))
        #expect(
            try decodeVideo(folder.path("plain.\(container)"), format: "yuv444p")
                == decodeVideo(folder.path("moved.\(container)"), format: "yuv444p"))
    }

    @Test func aDescriptorThatCannotBeReadIsSaidToBe() throws {
        let path = folder.path("a.mp4")
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let writer = try StreamWriter(destination: .file(descriptor: descriptor, name: "a.mp4"), format: nil)
        _ = try writer.addStream(.video(video))
        try writer.open(option: ["movflags": "faststart"])
        try writer.send(pictures(count: 3, bytesPerFrame: Self.frame))
        let error = try #require(throws: StreamWriterError.self) { try writer.close() }
        #expect(error.code == .destinationFailed)
        #expect(error.message.contains("read"))
    }

    @Test func aFlacWithoutItsHeaderHasNoMetadata() throws {
        let data = tone(samples: 20_000, channels: 2)
        for (name, option) in [("with.flac", [:]), ("without.flac", ["write_header": "false"])] {
            let writer = try StreamWriter(destination: folder.destination(name), format: nil)
            _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
            try writer.setMetadata(["artist": "torchaudio contributors"])
            try writer.open(option: option)
            try writer.send(data)
            _ = try writer.close()
            #expect(try decodeAudio(folder.path(name), codec: "pcm_s16le") == data)
        }
        #expect(try folder.bytes("with.flac").starts(with: Data("fLaC".utf8)))
        #expect(try folder.bytes("without.flac").first == 0xff)
        #expect(tag(try Probe(folder.path("with.flac")).format, "artist") == "torchaudio contributors")
        #expect(try Probe(folder.path("without.flac")).format["tags"].names.isEmpty)
    }

    private func tag(_ fields: Probe.Fields, _ name: String) -> String? {
        let tags: Probe.Fields = fields["tags"]
        return tags[name] ?? tags[name.uppercased()]
    }

    @Test(arguments: ["mp4", "mkv", "flac", "mp3", "ogg", "wav", "nut", "avi"]) func metadataIsInTheFile(container: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a.\(container)"), format: nil)
        let config = AudioStreamConfig(
            sampleRate: 48_000, numChannels: 2, format: .s16, metadata: ["title": "Left door", "handler_name": "Left door"])
        _ = try writer.addStream(.audio(config))
        try writer.setMetadata(["title": "first"])
        try writer.setMetadata(["title": "Grüße — 音", "artist": "A; B=C"])
        try writer.open()
        try writer.send(tone(samples: 9000, channels: 2))
        _ = try writer.close()
        let probe = try Probe(folder.path("a.\(container)"))
        // Ogg has no tags of the file: they are the stream's, and the stream's own win.
        if container == "ogg" {
            #expect(tag(probe.streams[0], "artist") == "A; B=C")
        } else {
            #expect(tag(probe.format, "title") == "Grüße — 音")
            #expect(tag(probe.format, "artist") == "A; B=C")
        }
        if ["mkv", "nut", "ogg"].contains(container) { #expect(tag(probe.streams[0], "title") == "Left door") }
        if container == "mp4" { #expect(tag(probe.streams[0], "handler_name") == "Left door") }
    }

    /// The chunk that a size of 64 bits comes to where it is needed (EBU Tech 3306).
    @Test(arguments: [([:], "JUNK"), (["rf64": "never"], "fmt "), (["rf64": "always"], "ds64")])
    func wavHasRoomToBecomeRF64(option: [String: String], chunk: String) throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)
        try encode(.audio(config), tone(samples: 4_800, channels: 2), to: folder.destination("a.wav"), option: option)
        #expect(try folder.bytes("a.wav").dropFirst(12).prefix(4) == Data(chunk.utf8))
        #expect(try decodeAudio(folder.path("a.wav"), codec: "pcm_s16le") == tone(samples: 4_800, channels: 2))
    }
}
