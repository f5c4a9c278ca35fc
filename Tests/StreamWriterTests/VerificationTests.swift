import Foundation
import StreamWriter
import Testing

@Suite struct VerificationTests {
    let folder = TemporaryFolder()

    private static let audio = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16))
    private static let video = StreamConfig.video(
        VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48))

    private static func audio(_ encoder: String) -> StreamConfig {
        .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder))
    }

    private static func video(_ encoder: String, _ option: [String: String] = [:]) -> StreamConfig {
        .video(
            VideoStreamConfig(
                frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder, encoderOption: option))
    }

    /// Three rounds of each stream in turn, the second after a gap where `gap` says so.
    private func write(
        _ muxer: String, _ streams: [StreamConfig], option: [String: String] = [:], gap: Bool = false,
        metadata: [String: String] = [:]
    ) throws -> WriterSummary {
        let writer = try StreamWriter(destination: folder.destination("out"), format: muxer)
        for stream in streams { _ = try writer.addStream(stream) }
        try writer.setMetadata(metadata)
        try writer.open(option: option)
        for round in 0..<3 {
            for (index, stream) in streams.enumerated() {
                let pts = gap && round == 1 ? 1.5 : nil
                switch stream {
                case .audio: try writer.send(tone(samples: 12_000, channels: 2), to: index, pts: pts)
                case .video:
                    try writer.send(
                        pictures(count: 6, bytesPerFrame: 64 * 48 * 3, seed: UInt64(round)), to: index, pts: pts)
                }
            }
        }
        return try writer.close()
    }

    private func verify(_ muxer: String, _ summary: WriterSummary) throws -> VerifiedOutput? {
        let descriptor = Glibc.open(folder.path("out"), O_RDONLY)
        defer { Glibc.close(descriptor) }
        return try VerifiedOutput(of: descriptor, format: muxer, against: summary)
    }

    /// The lengths that every stream was sent: 36,000 samples, 18 pictures.
    private static let sent = ["audio": 0.75, "video": 0.72]

    @Test func everyMuxersOutputIsReadBackAsItWasWritten() throws {
        let list = String(decoding: try run(["ffmpeg", "-hide_banner", "-muxers"]), as: UTF8.self)
        let names = list.split(separator: "\n").drop { !$0.contains("--") }.dropFirst()
            .compactMap { $0.split(separator: " ").dropFirst().first?.split(separator: ",").first.map(String.init) }
        var verified: Set<String> = []
        for name in names {
            guard let info = try? StreamWriter.resolveMuxer(format: name, name: ""), info.needsFile, !info.isDevice
            else { continue }
            for streams in [[Self.audio], [Self.video], [Self.video, Self.audio]] {
                guard let summary = try? write(name, streams) else { continue }
                do {
                    guard let output = try verify(name, summary) else { continue }
                    verified.insert(name)
                    for (config, stream) in zip(streams, output.streams) {
                        guard let duration = stream?.duration else { continue }
                        let kind = if case .audio = config { "audio" } else { "video" }
                        // Encoders pad sound to whole blocks; the last picture's length is not in every container.
                        #expect(abs(duration - Self.sent[kind]!) < 0.08, "\(name): \(kind) lasts \(duration) s")
                    }
                } catch {
                    Issue.record("\(name) \(streams.count): \(error)")
                }
            }
        }
        let expected: Set = [
            "f4v", "ipod", "ismv", "mov", "mp4", "matroska", "webm", "nut", "flv", "avi", "asf", "ogg", "oga",
            "opus", "wav", "w64", "aiff", "au", "caf", "flac", "mp3", "mp2", "adts", "ac3", "eac3", "mpegts", "mpeg", "tta",
            "wv", "gif", "apng", "ivf", "mxf",
        ]
        #expect(verified.isSuperset(of: expected), "not verified: \(expected.subtracting(verified))")
    }

    /// 18 pictures of 25 a second, the last of them included.
    @Test(arguments: [("flv", "libx264"), ("flv", "flv1"), ("nut", "ffv1"), ("asf", "msmpeg4v3"), ("mpegts", "mpeg2video"), ("matroska", "libx264"), ("mxf", "mpeg2video"), ("ogg", "libtheora")])
    func theLastPictureCounts(muxer: String, encoder: String) throws {
        let found = try #require(try verify(muxer, try write(muxer, [Self.video(encoder)])))
        #expect(abs((found.streams[0]?.duration ?? 0) - 0.72) < 0.0025, "\(found.streams)")
    }

    @Test(arguments: ["mpegts", "flac", "mp3", "ac3", "mxf"]) func bytesThatAreMissingInTheMiddleAreDamage(muxer: String) throws {
        let summary = try write(muxer, [muxer == "mxf" ? Self.video : Self.audio])
        var bytes = try folder.bytes("out")
        // Without a third of it, between the first and the last packets: whole packets of mpegts.
        let packet = 188, start = bytes.count / 3 / packet * packet
        bytes.removeSubrange(start..<(start * 2))
        try bytes.write(to: folder.url.appendingPathComponent("out"))
        let error = #expect(throws: StreamWriterError.self) { try verify(muxer, summary) }
        #expect(error?.code == .outputDamaged)
    }

    @Test(arguments: [
        ("mp4", ["movflags": "faststart"]), ("mp4", ["movflags": "frag_keyframe+empty_moov"]),
        ("mp4", ["movflags": "frag_every_frame"]), ("mp4", ["frag_duration": "100000"]), ("mov", ["movflags": "cmaf"]),
        ("mp4", ["movflags": "dash+global_sidx"]), ("mp4", ["movflags": "negative_cts_offsets"]),
        ("matroska", ["live": "1"]), ("matroska", ["reserve_index_space": "5000"]), ("flv", ["flvflags": "no_duration_filesize"]),
        ("mpegts", ["mpegts_m2ts_mode": "1"]), ("mpegts", ["muxrate": "2000000"]), ("avi", ["write_channel_mask": "0"]),
        ("mp4", ["use_editlist": "0"]), ("mp4", ["avoid_negative_ts": "make_zero"]), ("nut", ["write_index": "0"]),
        ("mp4", ["output_ts_offset": "10"]), ("matroska", ["cues_to_front": "1"]),
    ])
    func optionsOfTheMuxerChangeNothingOfThat(muxer: String, option: [String: String]) throws {
        for gap in [false, true] {
            let summary = try write(
                muxer, [Self.video("libx264", ["bf": "2"]), Self.audio(muxer == "avi" ? "ac3" : "aac")], option: option,
                gap: gap && muxer != "avi")
            #expect(try verify(muxer, summary)?.streams.map { $0?.packets } == summary.streams.map { $0.packets })
        }
    }

    @Test(arguments: [
        ("mp4", [video("libx265"), audio("libopus")]), ("mp4", [video("mpeg4"), audio("libmp3lame")]),
        ("mp4", [video("libx264"), audio("alac"), audio("libmp3lame"), audio("ac3")]),
        ("mov", [video("prores_ks"), audio("pcm_s24le")]), ("matroska", [video("ffv1"), audio("flac")]),
        ("matroska", [video("libvpx-vp9"), audio("libvorbis")]), ("webm", [video("libvpx-vp9"), audio("libopus")]),
        ("mpegts", [video("libx264", ["bf": "3"]), audio("aac")]), ("flv", [video("flv1"), audio("libmp3lame")]),
        ("avi", [video("mjpeg"), audio("pcm_s16le")]), ("nut", [video("rawvideo"), audio("pcm_f32le")]),
        ("ogg", [video("libtheora"), audio("libopus")]), ("wav", [audio("adpcm_ms")]), ("caf", [audio("alac")]),
        ("mov", [video("qtrle"), video("png"), audio("adpcm_ima_qt")]),
    ])
    func mixturesOfEncodersAreReadBack(muxer: String, streams: [StreamConfig]) throws {
        #expect(try verify(muxer, try write(muxer, streams)) != nil)
    }

    @Test(arguments: [
        "mp4", "mov", "matroska", "webm", "nut", "flv", "avi", "asf", "ogg", "wav", "w64", "aiff", "au", "caf", "flac", "mp3",
        "adts", "ac3", "mpegts", "tta", "wv",
    ])
    func anOutputThatLacksItsLastThirdIsDamaged(muxer: String) throws {
        let info = try StreamWriter.resolveMuxer(format: muxer, name: "")
        let summary = try write(muxer, [info.defaultAudioEncoder == nil ? Self.video : Self.audio])
        #expect(try verify(muxer, summary) != nil)
        let size = try folder.bytes("out").count
        #expect(truncate(folder.path("out"), off_t(size * 2 / 3)) == 0)
        let error = #expect(throws: StreamWriterError.self) { try verify(muxer, summary) }
        #expect(error?.code == .outputDamaged)
        #expect(error?.message.contains("finished output") == true)
    }

    @Test func anotherOutputInItsPlaceIsDamaged() throws {
        _ = try write("mp4", [Self.video])
        let other = try write("mp4", [Self.video, Self.audio])
        _ = try write("mp4", [Self.video])
        #expect(throws: StreamWriterError.self) { try verify("mp4", other) }
    }

    @Test func readingBackCanBeCancelled() throws {
        let summary = try write("matroska", [Self.video, Self.audio])
        let descriptor = Glibc.open(folder.path("out"), O_RDONLY)
        defer { Glibc.close(descriptor) }
        let error = #expect(throws: StreamWriterError.self) {
            try VerifiedOutput(of: descriptor, format: "matroska", against: summary, isCancelled: { true })
        }
        #expect(error?.code == .wrongState)
    }

    @Test func titleOfTheFileIsKnownToBeDroppedWhereTheStreamsStandsInItsPlace() throws {
        let stream = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: "flac", metadata: ["title": "B"]))
        let summary = try write("ogg", [stream], metadata: ["title": "A", "mood": "blue"])
        #expect(try verify("ogg", summary)?.dropped(of: ["title": "A", "mood": "blue"]) == ["title"])
        #expect(try Probe(folder.path("out")).streams[0]["tags"]["title"] == "B")
    }

    @Test(arguments: [
        ("mp4", ["title": "A", "mood": "blue"], ["mood"]), ("matroska", ["title": "A", "mood": "blue"], []),
        ("ogg", ["TITLE": "A", "mood": "blue"], []), ("wav", ["title": "A", "mood": "blue"], ["mood"]),
        ("mp3", ["title": "A", "mood": "blue"], []), ("adts", ["title": "A"], ["title"]),
        ("mpegts", ["service_name": "A", "mood": "blue"], ["mood"]),
    ])
    func keysThatTheContainerDropsAreKnown(muxer: String, metadata: [String: String], dropped: [String]) throws {
        let summary = try write(muxer, [Self.audio], metadata: metadata)
        #expect(try verify(muxer, summary)?.dropped(of: metadata) == dropped)
    }
}
