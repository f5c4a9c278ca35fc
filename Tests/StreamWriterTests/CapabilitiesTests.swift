import Foundation
import StreamWriter
import Testing

/// Everything is held against what FFmpeg's command line prints, with the same libav.
@Suite struct CapabilitiesTests {
    // MARK: Lists

    @Test func theEncodersAreFFmpegs() throws {
        let printed = try FFmpegHelp("-encoders").rows
        for kind in [StreamDescription.Kind.audio, .video] {
            let encoders = Capabilities.encoders(kind)
            let rows = printed.filter { $0.flags.hasPrefix(kind == .audio ? "A" : "V") }.sorted { $0.name < $1.name }
            #expect(encoders.map(\.name) == rows.map(\.name))
            for (encoder, row) in zip(encoders, rows) {
                let flags = Array(row.flags)
                let codec = row.rest.hasSuffix("(codec \(encoder.codec))") ? " (codec \(encoder.codec))" : ""
                #expect(encoder.longName + codec == row.rest)
                #expect(encoder.kind == kind)
                #expect(encoder.threading.contains("frame") == (flags[1] == "F"), "\(encoder.name)")
                #expect(encoder.threading.contains("slice") == (flags[2] == "S"), "\(encoder.name)")
                #expect(encoder.isExperimental == (flags[3] == "X"), "\(encoder.name)")
                #expect(encoder.capabilities.contains("dr1") == (flags[5] == "D"), "\(encoder.name)")
            }
        }
    }

    @Test func theMuxersAreFFmpegs() throws {
        let devices = try FFmpegHelp("-devices").rows.filter { $0.flags.contains("E") }
        let printed = try FFmpegHelp("-muxers").rows.filter { $0.flags.contains("E") }
        let ours = Capabilities.outputDevices()
        #expect(ours.map(\.name) == devices.map(\.name).sorted())
        #expect(ours.allSatisfy { $0.opensItself })
        // FFmpeg's list of muxers has the devices too.
        let muxers = Capabilities.muxers() + ours
        let rows = printed.sorted { $0.name < $1.name }
        #expect(muxers.map(\.name).sorted() == rows.map(\.name))
        for row in rows { #expect(muxers.first { $0.name == row.name }?.longName == row.rest) }
        for muxer in muxers { #expect(Capabilities.muxer(named: muxer.name)?.name == muxer.name) }
    }

    @Test func theFiltersAreFFmpegs() throws {
        let lines = try FFmpegHelp("-filters").lines.compactMap {
            $0.wholeMatch(of: /\s[T.][S.][C.] (\S+)\s+(\S+)->(\S+)\s*(.*)/)
        }
        let filters = Capabilities.filters()
        #expect(filters.map(\.name) == lines.map { String($0.1) }.sorted())
        for line in lines {
            let filter = try #require(filters.first { $0.name == line.1 })
            #expect(letters(filter.inputs) == line.2, "\(filter.name)")
            #expect(letters(filter.outputs) == line.3, "\(filter.name)")
            #expect(filter.description == line.4)
        }
    }

    private func letters(_ pads: [String]) -> String {
        // FFmpeg's list shows a dynamic count only where nothing is fixed.
        let fixed = pads.filter { $0 != "dynamic" }.map { $0 == "audio" ? "A" : "V" }.joined()
        return fixed.isEmpty ? (pads.isEmpty ? "|" : "N") : fixed
    }

    @Test func theProtocolsAreFFmpegs() throws {
        let lines = try FFmpegHelp("-protocols").lines
        let start = try #require(lines.firstIndex(of: "Output:"))
        let printed = lines[(start + 1)...].map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(Capabilities.outputProtocols() == printed.sorted())
    }

    @Test func theVersionsAreFFmpegs() throws {
        let lines = try FFmpegHelp("-version").lines
        #expect(lines[0].hasPrefix("ffmpeg version \(Capabilities.ffmpegVersion) "))
        let versions = Capabilities.libraryVersions
        #expect(versions.count == 7)
        for (library, version) in versions {
            let line = try #require(lines.first { $0.hasPrefix(library + " ") })
            let loaded = line.split(separator: "/")[1].filter { $0 != " " }
            #expect(version == loaded)
        }
    }

    // MARK: One encoder

    @Test(arguments: [
        "libx264", "aac", "libmp3lame", "mpeg2video", "flac", "libopus", "libvorbis", "opus", "libx265", "libvpx-vp9",
        "libaom-av1", "libsvtav1", "ffv1", "prores_ks", "mjpeg", "png", "rawvideo", "pcm_s16le", "ac3", "sbc",
        "h264_vaapi", "h264_nvenc", "h264_qsv",
    ])
    func theEncoderIsFFmpegs(name: String) throws {
        guard let encoder = Capabilities.encoder(named: name) else { return skip("encoder \(name)") }
        let help = try FFmpegHelp("-h", "encoder=\(name)")
        #expect(help.lines[0] == "Encoder \(encoder.name) [\(encoder.longName)]:")
        #expect((encoder.capabilities.isEmpty ? ["none"] : encoder.capabilities) == help.words("General capabilities:"))
        let threading = encoder.threading.isEmpty ? "none" : encoder.threading.joined(separator: " and ")
        #expect(threading == help.words("Threading capabilities:")?.joined(separator: " "))
        let formats = encoder.kind == .audio ? "Supported sample formats:" : "Supported pixel formats:"
        #expect(encoder.formats == help.words(formats))
        #expect(encoder.sampleRates?.map { "\($0)" } == help.words("Supported sample rates:"))
        #expect(encoder.frameRates?.map(fraction) == help.words("Supported framerates:"))
        // libopus lists none, and takes those of RFC 7845, 5.1.1.2.
        let mapped = name == "libopus" ? ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"] : nil
        #expect(encoder.channelLayouts == help.words("Supported channel layouts:").map(layouts) ?? mapped)
        #expect(encoder.hardwareDevices == help.words("Supported hardware devices:"))
        expectSame(encoder.options.filter(\.isPrivate), help.options.filter { $0.flags.hasPrefix("E") }, "E")
    }

    private func skip(_ missing: String) { print("skipped: this libav has no \(missing)") }

    private func fraction(_ rate: String) -> String { rate.contains("/") ? rate : rate + "/1" }

    /// FFmpeg puts a space after each name, and a name may have spaces: "3 channels (FL+FR+LFE)".
    private func layouts(_ words: [String]) -> [String] {
        words.reduce(into: []) { layouts, word in
            if let last = layouts.last, last.allSatisfy(\.isNumber) || word.hasPrefix("(") {
                layouts[layouts.count - 1] += " " + word
            } else {
                layouts.append(word)
            }
        }
    }

    /// The private options are exactly those printed, in that order, each with all it says.
    private func expectSame(_ own: [OptionCapability], _ printed: [FFmpegHelp.Option], _ flag: Character?) {
        // Of a name that comes twice only the first is listed.
        var names: Set<String> = []
        let printed = printed.filter { names.insert($0.name).inserted }
        #expect(own.map(\.name) == printed.map(\.name))
        for (own, theirs) in zip(own, printed) {
            var theirs = theirs
            if let flag { theirs.choices.removeAll { !$0.flags.contains(flag) } }
            #expect(own.differences(from: theirs) == [])
        }
    }

    @Test(arguments: ["pcm_s16le", "rawvideo"])
    func genericOptionsAreFFmpegs(encoder name: String) throws {
        let encoder = try #require(Capabilities.encoder(named: name))
        let media: Character = encoder.kind == .audio ? "A" : "V"
        let printed = try FFmpegHelp("-h", "full", section: "AVCodecContext").options
            .filter { $0.flags.hasPrefix("E") && $0.flags.contains(media) }
        #expect(printed.count > 20)
        for option in encoder.options { #expect(!option.isPrivate) }
        #expect(encoder.options.map(\.name) == printed.map(\.name))
        for (own, theirs) in zip(encoder.options, printed) {
            var theirs = theirs
            // libav starts audio from the default of `ab`.
            if encoder.kind == .audio && own.name == "b" { theirs.defaultValue = "128000" }
            theirs.choices.removeAll { !$0.flags.hasPrefix("E") || !$0.flags.contains(media) }
            #expect(own.differences(from: theirs) == [])
        }
    }

    @Test func genericDefaultsAreTheEncodersOwn() throws {
        // x264 is left to choose where libav's own encoders have a fixed value.
        let x264 = try #require(Capabilities.encoder(named: "libx264"))
        #expect(x264.options.first { $0.name == "g" }?.defaultValue == "-1")
        #expect(x264.options.first { $0.name == "b" }?.defaultValue == "0")
        let mpeg4 = try #require(Capabilities.encoder(named: "mpeg4"))
        #expect(mpeg4.options.first { $0.name == "g" }?.defaultValue == "12")
        #expect(mpeg4.options.first { $0.name == "b" }?.defaultValue == "200000")
    }

    /// As they are written here, too: each goes through the writer that checks every option.
    @Test(arguments: ["libx264", "mpeg2video", "aac", "flac"])
    func everyOptionTakesItsDefault(encoder name: String) throws {
        let folder = TemporaryFolder()
        let encoder = try #require(Capabilities.encoder(named: name))
        // The sample rate is the stream's own; libav's "not set yet" is no rate.
        for option in encoder.options where option.name != "ar" {
            guard let value = option.defaultValue else { continue }
            let writer = try StreamWriter(destination: folder.destination("\(option.name).mkv"), format: nil)
            do {
                if encoder.kind == .audio {
                    var config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, encoder: name)
                    config.encoderOption = [option.name: value]
                    _ = try writer.addStream(.audio(config))
                } else {
                    var config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: name)
                    config.encoderOption = [option.name: value]
                    _ = try writer.addStream(.video(config))
                }
            } catch {
                Issue.record("\(option.name)=\(value): \(error)")
            }
        }
    }

    @Test func anOptionIsListedOnce() {
        for encoder in Capabilities.encoders(.video) + Capabilities.encoders(.audio) {
            let options = Capabilities.encoder(named: encoder.name)?.options ?? []
            #expect(Set(options.map(\.name)).count == options.count, "\(encoder.name)")
        }
        // x264's own `profile` takes a name, the generic one a number.
        let profile = Capabilities.encoder(named: "libx264")?.options.filter { $0.name == "profile" }
        #expect(profile?.map(\.type) == ["string"])
    }

    @Test func anEncoderIsFoundByItsCodec() {
        #expect(Capabilities.encoder(named: "h264")?.name == "libx264")
        #expect(Capabilities.encoder(named: "libx264")?.codec == "h264")
        #expect(Capabilities.encoder(named: "nosuchencoder") == nil)
        #expect(Capabilities.encoder(named: "ass") == nil)
    }

    /// libav's tables leave out what these insist on; a stream is checked against it.
    @Test func whatAnEncoderInsistsOnIsListed() {
        #expect(Capabilities.encoder(named: "g722")?.sampleRates == [16_000])
        #expect(Capabilities.encoder(named: "g722")?.channelLayouts == ["mono"])
        #expect(Capabilities.encoder(named: "mpeg1video")?.frameRates?.count == 8)
    }

    // MARK: One muxer, one filter

    @Test(arguments: [
        "mp4", "hls", "a64", "mov", "matroska", "webm", "mpegts", "flv", "mp3", "wav", "ogg", "segment", "dash", "tee",
        "image2", "adts", "null", "rtsp", "sdl", "alsa",
    ])
    func theMuxerIsFFmpegs(name: String) throws {
        guard let muxer = Capabilities.muxer(named: name) else { return skip("muxer \(name)") }
        let help = try FFmpegHelp("-h", "muxer=\(name)")
        #expect(help.lines[0] == "Muxer \(muxer.name) [\(muxer.longName)]:")
        let extensions = muxer.extensions.isEmpty ? nil : muxer.extensions.joined(separator: ",") + "."
        #expect(extensions == help.words("Common extensions:")?.joined())
        #expect(muxer.mimeType.map { $0 + "." } == help.words("Mime type:")?.joined())
        for (encoder, label) in [
            (muxer.defaultAudioEncoder, "Default audio codec:"), (muxer.defaultVideoEncoder, "Default video codec:"),
        ] {
            guard let encoder else { continue }
            #expect(Capabilities.encoder(named: encoder).map { $0.codec + "." } == help.words(label)?.joined())
        }
        expectSame(muxer.options.filter(\.isPrivate), help.options.filter { $0.flags.hasPrefix("E") }, "E")
    }

    @Test func genericMuxingOptionsAreFFmpegs() throws {
        let muxer = try #require(Capabilities.muxer(named: "wav"))
        let printed = try FFmpegHelp("-h", "full", section: "AVFormatContext").options
            .filter { $0.flags.hasPrefix("E") }
        #expect(printed.count > 10)
        expectSame(muxer.options.filter { !$0.isPrivate }, printed, "E")
    }

    @Test func aMuxerHasAllItsNames() {
        #expect(Capabilities.muxer(named: "ssegment")?.name == "stream_segment,ssegment")
        #expect(Capabilities.muxer(named: "mp4")?.seeksBack == true)
        #expect(Capabilities.muxer(named: "mpegts")?.seeksBack == false)
        #expect(Capabilities.muxer(named: "nosuchmuxer") == nil)
    }

    @Test(arguments: [
        "scale", "overlay", "aresample", "drawtext", "amix", "fps", "loudnorm", "split", "color", "concat", "zscale",
    ])
    func theFilterIsFFmpegs(name: String) throws {
        guard let filter = Capabilities.filters().first(where: { $0.name == name })
        else { return skip("filter \(name)") }
        let help = try FFmpegHelp("-h", "filter=\(name)")
        expectSame(filter.options.filter(\.isPrivate), help.options, nil)
        let hasTimeline = help.lines.contains { $0.hasPrefix("This filter has support for timeline") }
        #expect(filter.options.contains { $0.name == "enable" && !$0.isPrivate } == hasTimeline)
        #expect(filter.inputs.contains("dynamic") == isDynamic(help, "Inputs:"))
        #expect(filter.outputs.contains("dynamic") == isDynamic(help, "Outputs:"))
    }

    private func isDynamic(_ help: FFmpegHelp, _ heading: String) -> Bool {
        let start = help.lines.firstIndex { $0.hasSuffix(heading) } ?? 0
        let pads = help.lines[(start + 1)...].prefix { $0.hasPrefix("     ") }
        return pads.contains { $0.contains("dynamic (depending on the options)") }
    }
}
