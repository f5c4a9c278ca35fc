import Foundation
import StreamWriter
import Testing

/// Every sample format through every encoder and container.
@Suite struct AudioMatrixTests {
    struct Target: Sendable, CustomTestStringConvertible {
        let encoder: String
        let container: String
        var rate = 48_000
        var channels = 2
        var option: [String: String] = [:]
        /// Gives samples of this format back as they were.
        var lossless: String?
        var testDescription: String { "\(encoder)/\(container)" }
    }

    /// By which FFmpeg's own encoder is meant, and not the library's.
    static let experimental = ["strict": "experimental"]

    static let targets = [
        Target(encoder: "pcm_s16le", container: "wav", lossless: "pcm_s16le"),
        Target(encoder: "pcm_s24le", container: "wav", lossless: "pcm_s24le"),
        Target(encoder: "pcm_f32le", container: "wav", channels: 1, lossless: "pcm_f32le"),
        Target(encoder: "pcm_u8", container: "wav", rate: 8000, lossless: "pcm_u8"),
        Target(encoder: "pcm_s16be", container: "aiff", channels: 6, lossless: "pcm_s16le"),
        Target(encoder: "pcm_s16le", container: "mkv", lossless: "pcm_s16le"),
        Target(encoder: "pcm_s24le", container: "mov", lossless: "pcm_s24le"),
        Target(encoder: "pcm_f64le", container: "nut", channels: 3, lossless: "pcm_f64le"),
        Target(encoder: "pcm_alaw", container: "wav", rate: 8000, channels: 1),
        Target(encoder: "flac", container: "flac", lossless: "pcm_s16le"),
        Target(encoder: "alac", container: "m4a", lossless: "pcm_s16le"),
        Target(encoder: "wavpack", container: "wv", lossless: "pcm_s16le"),
        Target(encoder: "tta", container: "tta", rate: 44_100, lossless: "pcm_s16le"),
        Target(encoder: "aac", container: "mp4"), Target(encoder: "aac", container: "aac", rate: 44_100),
        Target(encoder: "aac", container: "flv", rate: 44_100), Target(encoder: "aac", container: "ts"),
        Target(encoder: "libmp3lame", container: "mp3", rate: 44_100),
        Target(encoder: "libmp3lame", container: "avi", rate: 22_050, channels: 1),
        Target(encoder: "mp2", container: "mpg", rate: 32_000),
        Target(encoder: "libopus", container: "ogg"), Target(encoder: "libopus", container: "webm", channels: 1),
        Target(encoder: "opus", container: "ogg", option: experimental), Target(encoder: "libvorbis", container: "webm", rate: 44_100),
        Target(encoder: "libvorbis", container: "ogg"), Target(encoder: "vorbis", container: "ogg", rate: 44_100, option: experimental),
        Target(encoder: "g722", container: "wav", rate: 16_000, channels: 1),
        Target(encoder: "ac3", container: "ac3", channels: 6), Target(encoder: "eac3", container: "mkv"),
        Target(encoder: "wmav2", container: "asf", rate: 44_100),
    ]

    static let samples = 14_417

    @Test(arguments: SampleFormat.allCases, targets)
    func theOutputIsFFmpegs(format: SampleFormat, target: Target) throws {
        let data = Self.signal(format, channels: target.channels)
        let config = AudioStreamConfig(
            sampleRate: target.rate, numChannels: target.channels, format: format, encoder: target.encoder,
            encoderOption: target.option)
        let twin = try Twin(
            .audio(config), data, container: target.container,
            input: Self.reading(format, target), twin: Self.file(format, data, target))
        #expect(twin.streamDifferences == [])
        let stream = twin.ours.streams[0]
        #expect(stream["sample_rate"] == "\(target.rate)")
        #expect(stream["channels"] == "\(target.channels)")
        let seconds = Double(Self.samples) / Double(target.rate)
        if let duration = stream.number("duration") { #expect(abs(duration - seconds) < 0.1) }
        #expect(twin.packetDifference == nil)
        if target.lossless == "pcm_\(format.rawName)" {
            #expect(try decodeAudio(twin.oursPath, codec: "pcm_\(format.rawName)") == data)
        }
    }

    /// Something of everything: a tone, a little noise, silence and full scale.
    static func signal(_ format: SampleFormat, channels: Int) -> Data {
        var noise: UInt32 = 1
        let values = (0..<(samples * channels)).map { index -> Double in
            noise = noise &* 1_664_525 &+ 1_013_904_223
            let time = Double(index / channels)
            if time > 9000 { return time > 12_000 ? 0 : (index / channels % 100 < 50 ? 1 : -1) }
            return 0.5 * sin(time * 0.05 * Double(1 + index % channels)) + Double(noise >> 8) / 1e9
        }
        func whole<T: FixedWidthInteger>(_ scale: Double, _ type: T.Type, _ middle: Double = 0) -> Data {
            values.map { T(clamping: Int64(max(-9.2e18, min(9.2e18, ($0 * scale + middle).rounded())))) }
                .withUnsafeBytes { Data($0) }
        }
        switch format {
        case .u8: return whole(127, UInt8.self, 128)
        case .s16: return whole(32_767, Int16.self)
        case .s32: return whole(2_147_483_647, Int32.self)
        case .s64: return whole(9.2e18, Int64.self)
        case .flt: return values.map(Float.init).withUnsafeBytes { Data($0) }
        case .dbl: return values.withUnsafeBytes { Data($0) }
        }
    }

    private static func reading(_ format: SampleFormat, _ target: Target) -> [String] {
        // In packets of as many samples as FFmpeg's headerless formats have.
        if format == .s64 { return ["-max_size", "\(1024 * 8 * target.channels)", "-f", "wav"] }
        return ["-f", format.rawName, "-ar", "\(target.rate)", "-ac", "\(target.channels)"]
    }

    /// FFmpeg reads 64-bit samples only from a file with a header.
    private static func file(_ format: SampleFormat, _ data: Data, _ target: Target) -> Data? {
        guard format == .s64 else { return nil }
        var file = Data("RIFF".utf8)
        func add<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) } }
        let frame = target.channels * 8
        add(UInt32(data.count + 36))
        file.append(contentsOf: "WAVEfmt ".utf8)
        add(UInt32(16))
        add(UInt16(1))
        add(UInt16(target.channels))
        add(UInt32(target.rate))
        add(UInt32(target.rate * frame))
        add(UInt16(frame))
        add(UInt16(64))
        file.append(contentsOf: "data".utf8)
        add(UInt32(data.count))
        return file + data
    }
}

extension SampleFormat {
    /// FFmpeg's name of the headerless file.
    var rawName: String {
        switch self {
        case .u8: "u8"
        case .s16: "s16le"
        case .s32: "s32le"
        case .s64: "s64le"
        case .flt: "f32le"
        case .dbl: "f64le"
        }
    }
}
