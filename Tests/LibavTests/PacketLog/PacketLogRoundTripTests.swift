import Foundation
import Libav
import Testing

/// What goes through bytes makes the same file.
@Suite struct PacketLogRoundTripTests {
    private func expectSameFiles(_ clip: EncodedClip, _ muxers: String..., options: [String: String] = [:]) throws {
        let copy = try clip.throughBytes()
        for muxer in muxers {
            let direct = try clip.muxed(muxer, options: options)
            #expect(direct.count > 100, "\(muxer) wrote almost nothing")
            #expect(try copy.muxed(muxer, options: options) == direct, "\(clip.parameters.encoderName) in \(muxer)")
        }
    }

    private static func layout(_ name: String) throws -> ChannelLayout { try #require(ChannelLayout(name: name)) }

    @Test func h264MakesTheSameFilesThroughBytes() throws {
        let clip = try EncodedClip.video("libx264", "yuv420p", options: ["preset": "ultrafast", "bf": "2"])
        try expectSameFiles(clip, "mp4", "mov", "matroska", "mpegts", "flv")
        let inBand = try EncodedClip.video("libx264", "yuv420p", options: ["preset": "ultrafast"], globalHeader: false)
        try expectSameFiles(inBand, "mpegts", "h264", "avi")
    }

    @Test func hevcMakesTheSameFilesThroughBytes() throws {
        let clip = try EncodedClip.video("libx265", "yuv420p", options: ["preset": "ultrafast", "x265-params": "log-level=none:bframes=2"])
        try expectSameFiles(clip, "mp4", "matroska", "mpegts")
    }

    /// Alpha is beside each packet.
    @Test func vp9WithAlphaMakesTheSameFilesThroughBytes() throws {
        let vp8 = try EncodedClip.video("libvpx", "yuva420p", options: ["deadline": "realtime", "auto-alt-ref": "0"])
        try expectSameFiles(vp8, "webm", "matroska")
        let vp9 = try EncodedClip.video("libvpx-vp9", "yuva420p", options: ["deadline": "realtime", "cpu-used": "8"])
        try expectSameFiles(vp9, "webm", "matroska", "ivf")
        let packet = try #require(vp9.packets.first)
        #expect(try packet.recordBytes.count > packet.byteCount + 100, "nothing is beside the first packet")
    }

    @Test func av1MakesTheSameFilesThroughBytes() throws {
        let clip = try EncodedClip.video("libaom-av1", "yuv420p", options: ["usage": "realtime", "cpu-used": "8"])
        try expectSameFiles(clip, "mp4", "webm", "ivf")
    }

    @Test func olderCodecsOfPicturesMakeTheSameFilesThroughBytes() throws {
        try expectSameFiles(EncodedClip.video("mpeg4", "yuv420p", options: ["bf": "2"]), "mp4", "avi", "matroska")
        try expectSameFiles(EncodedClip.video("mpeg2video", "yuv420p", globalHeader: false), "mpegts", "mpeg", "mxf")
        try expectSameFiles(EncodedClip.video("libtheora", "yuv420p"), "ogg", "matroska")
        try expectSameFiles(EncodedClip.video("prores_ks", "yuv422p10le"), "mov", "matroska")
        try expectSameFiles(EncodedClip.video("ffv1", "yuv420p"), "matroska", "avi")
        try expectSameFiles(EncodedClip.video("rawvideo", "rgb24"), "avi", "nut", "rawvideo")
    }

    @Test func picturesOfPalettesAndPNGMakeTheSameFilesThroughBytes() throws {
        try expectSameFiles(EncodedClip.video("gif", "bgr8"), "gif")
        try expectSameFiles(EncodedClip.video("png", "rgb24"), "image2pipe", "mov", "matroska")
        // Tells its headers anew with its last packet.
        try expectSameFiles(EncodedClip.video("apng", "rgb24"), "apng")
    }

    @Test func codecsOfSoundMakeTheSameFilesThroughBytes() throws {
        let stereo = try Self.layout("stereo")
        try expectSameFiles(EncodedClip.audio("aac", "fltp", stereo), "adts", "mp4", "mpegts", "flv", "matroska")
        try expectSameFiles(EncodedClip.audio("libopus", "s16", stereo), "ogg", "webm", "mp4")
        try expectSameFiles(EncodedClip.audio("flac", "s16", stereo), "flac", "ogg", "matroska")
        try expectSameFiles(EncodedClip.audio("libvorbis", "fltp", stereo), "ogg", "webm")
        try expectSameFiles(EncodedClip.audio("libmp3lame", "s16p", stereo), "mp3", "mov")
        try expectSameFiles(EncodedClip.audio("adpcm_ms", "s16", stereo), "wav", "avi")
        try expectSameFiles(EncodedClip.audio("pcm_s16le", "s16", stereo), "wav", "avi", "mov", "caf")
    }

    @Test func soundOfManyChannelsMakesTheSameFilesThroughBytes() throws {
        try expectSameFiles(EncodedClip.audio("ac3", "fltp", Self.layout("5.1(side)")), "ac3", "mp4", "mpegts")
        try expectSameFiles(EncodedClip.audio("pcm_s24le", "s32", Self.layout("7.1")), "wav", "mov", "w64")
        try expectSameFiles(EncodedClip.audio("libopus", "flt", Self.layout("5.1")), "ogg", "matroska")
        try expectSameFiles(EncodedClip.audio("pcm_f32le", "flt", Self.layout("ambisonic 1")), "wav", "mov")
        try expectSameFiles(EncodedClip.audio("pcm_s16le", "s16", Self.layout("11 channels")), "wav", "matroska")
    }

    @Test func masteringAndRotationMakeTheSameFilesThroughBytes() throws {
        var presentation = StreamPresentation(metadata: ["language": "deu", "handler_name": "Größe"])
        presentation.disposition = ["default", "forced"]
        presentation.rotation = 90
        var mastering = MasteringMetadata()
        mastering.chromaticities = [13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450]
        mastering.luminance = [10_000_000, 1]
        mastering.lightLevel = [1000, 400]
        presentation.mastering = mastering
        let options = ["preset": "ultrafast"]
        let clip = try EncodedClip.video("libx264", "yuv420p", options: options, presentation: presentation)
        #expect(try clip.throughBytes().parameters.presentation == presentation)
        try expectSameFiles(clip, "mp4", "matroska")
        let plain = try EncodedClip.video("libx264", "yuv420p", options: options)
        #expect(try clip.muxed("matroska").count > plain.muxed("matroska").count + 60)
    }

    @Test func whatIsSaidOfAStreamIsTheSameThroughBytes() throws {
        let clip = try EncodedClip.video("libx264", "yuv420p", options: ["preset": "ultrafast", "bf": "2"])
        let copy = try StreamParameters(decoding: clip.parameters.encoded)
        #expect(copy.media == .video)
        #expect(copy.codecName == "h264")
        #expect(copy.encoderName == "libx264")
        #expect(copy.timeBase == Fraction(1, 25))
        #expect(copy.frameRate == Fraction(25, 1))
        #expect(copy.sampleAspectRatio == Fraction(4, 3))
        #expect(copy.lead == 2)
        #expect(copy.hasGlobalHeader)
        #expect(copy.presentation == StreamPresentation(metadata: ["language": "eng"]))
        #expect(try copy.encoded == clip.parameters.encoded)
    }

    /// No encoder of ours is opened with channels of an order of their own; a filter of libav's may give them.
    @Test func channelsOfAnOrderOfTheirOwnGoThroughBytes() throws {
        let clip = try EncodedClip.audio("pcm_s16le", "s16", ChannelLayout(name: "2.1")!)
        let bytes = try clip.parameters.encoded
        // Native order, three channels, front left, right and low frequencies.
        let native: [UInt8] = [1, 3, 0, 0, 0, 0b1011, 0, 0, 0, 0, 0, 0, 0]
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: native) })
        var custom: [UInt8] = [2, 3, 0, 0, 0]
        for (id, name) in [(UInt8(1), "right"), (3, "boom"), (0, "left")] {
            custom += [id, 0, 0, 0] + Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
        }
        let changed = bytes[..<start] + custom + bytes[(start + native.count)...]
        let parameters = try StreamParameters(decoding: Array(changed))
        #expect(try parameters.encoded == Array(changed))
        let direct = EncodedClip(parameters: parameters, packets: clip.packets)
        try expectSameFiles(direct, "mov", "matroska")
        #expect(try direct.muxed("mov") != clip.muxed("mov"))
    }

    @Test func packetOfPointersIsRefused() throws {
        let clip = try EncodedClip.video("wrapped_avframe", "yuv420p", gopSize: nil)
        let error = #expect(throws: PacketLogError.self) { try clip.parameters.encoded }
        #expect(error?.kind == .unsayable)
        let bytes = try EncodedClip.video("rawvideo", "yuv420p", gopSize: nil).parameters.encoded
        // The name behind the version, the kind and its own length.
        let forged = bytes[..<2] + [15, 0, 0, 0] + Array("wrapped_avframe".utf8) + bytes[(6 + 8)...]
        #expect(throws: PacketLogError.self) { try StreamParameters(decoding: Array(forged)) }
    }
}
