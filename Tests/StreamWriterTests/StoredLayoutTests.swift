import Foundation
import StreamWriter
import Testing

/// Channels that are named are found by ffprobe, or `warnings` say what it finds.
@Suite struct StoredLayoutTests {
    let folder = TemporaryFolder()

    static let layouts = [("3.1", 4), ("quad", 4), ("5.0", 5), ("5.1", 6), ("5.1(side)", 6), ("7.1", 8)]

    @Test(arguments: [
        ("wav", "pcm_s16le"), ("w64", "pcm_s16le"), ("avi", "pcm_s16le"), ("asf", "pcm_s16le"), ("mov", "pcm_s16le"), ("caf", "pcm_s16le"), ("aiff", "pcm_s16be"),
        ("au", "pcm_s16be"), ("voc", "pcm_s16le"), ("nut", "pcm_s16le"), ("matroska", "pcm_s16le"), ("flac", "flac"), ("ogg", "flac"), ("matroska", "flac"),
        ("nut", "flac"), ("wv", "wavpack"), ("tta", "tta"), ("ipod", "alac"), ("ipod", "aac"), ("adts", "aac"), ("ac3", "ac3"), ("mp4", "eac3"),
        ("ogg", "libopus"), ("ogg", "libvorbis"), ("webm", "libvorbis"), ("mp3", "libmp3lame"),
    ])
    func channelLayoutIsFoundOrSaid(muxer: String, encoder: String) throws {
        var checked = 0
        for (layout, channels) in Self.layouts {
            let config = AudioStreamConfig(sampleRate: 48_000, numChannels: channels, channelLayout: layout, format: .s16, encoder: encoder)
            let writer = try StreamWriter(destination: folder.destination("out"), format: muxer)
            // Some refuse a layout that they do not have.
            guard let index = try? writer.addStream(.audio(config)) else { continue }
            try writer.open()
            try writer.send(Data(count: 4800 * channels * 2))
            _ = try writer.close()
            let warnings = writer.description(of: index).warnings
            let found: String? = try Probe(folder.path("out")).streams[0]["channel_layout"]
            checked += 1
            // kAudioChannelLayoutTag_MPEG_7_1_C is L R C LFE Ls Rs Rls Rrs; FFmpeg 5.1 reads it as it writes it.
            let isExchanged = ["aiff", "caf"].contains(muxer) && layout == "7.1"
            if isExchanged && isFFmpeg7 { #expect(found?.contains("FL+FR+FC+LFE+SL+SR+BL+BR") == true) }
            let isSaid = warnings.contains { $0.parameter == "channel_layout" || $0.code == .channelsMixed }
            if found == layout && !StoredTests.isTablesVersion { continue }
            #expect(isSaid == (found != layout || isExchanged), "\(layout): ffprobe finds \(found ?? "none"), \(warnings)")
        }
        #expect(checked > 1)
    }

    @Test func channelsThatAreNotNamedNeedNoWord() throws {
        for muxer in ["wav", "au", "nut", "matroska", "tta"] {
            for channels in [1, 2, 6] {
                let writer = try StreamWriter(destination: folder.destination("out"), format: muxer)
                let index = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: channels, format: .s16)))
                #expect(writer.description(of: index).warnings.filter { $0.parameter == "channel_layout" } == [], "\(muxer) \(channels)")
            }
        }
    }
}
