import Foundation
import StreamWriter
import Testing

/// Writers that end with nothing to write, and with a stream that stayed silent.
@Suite struct EmptyOutputTests {
    private let folder = TemporaryFolder()

    private static let sound = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16))
    private static let dvPictures = StreamConfig.video(
        VideoStreamConfig(frameRate: Rational(25, 1)!, width: 720, height: 576, encoder: "dvvideo", encoderFormat: "yuv420p"))

    private static func pictures(_ encoder: String? = nil) -> StreamConfig {
        .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder))
    }

    private static let muxers: [String] = {
        let list = (try? run(["ffmpeg", "-hide_banner", "-muxers"])).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return list.split(separator: "\n").drop { !$0.contains("--") }.dropFirst()
            .compactMap { $0.split(separator: " ").dropFirst().first?.split(separator: ",").first.map(String.init) }
            // It takes no encoder's packets.
            .filter { $0 != "uncodedframecrc" }
    }()

    private func open(_ muxer: String, _ streams: [StreamConfig]) throws -> StreamWriter? {
        guard let info = try? StreamWriter.resolveMuxer(format: muxer, name: ""), info.needsFile, !info.isDevice else { return nil }
        let writer = try StreamWriter(destination: folder.destination(muxer), format: muxer)
        do {
            for stream in streams { _ = try writer.addStream(stream) }
            try writer.open()
            return writer
        } catch {
            return nil
        }
    }

    /// With a flush and without.
    @Test func aWriterWithoutAFrameEndsWell() throws {
        var ended = 0
        for muxer in Self.muxers {
            for streams in [[Self.sound], [Self.pictures()], [Self.sound, Self.pictures()]] {
                guard let writer = try open(muxer, streams) else { continue }
                if streams.count == 2 { try writer.flush() }
                let summary = try writer.close()
                #expect(summary.duration == 0, "\(muxer)")
                #expect(summary.bytesWritten == Int64(try folder.bytes(muxer).count), "\(muxer)")
                ended += 1
            }
        }
        #expect(ended > 100)
    }

    /// It ends as the container has it, or the stream is named and the writer goes on.
    @Test func aStreamThatStaysSilentIsLeftOutOrAskedFor() throws {
        var named: Set<String> = []
        for muxer in Self.muxers {
            for silent in 0..<2 {
                let streams = muxer == "dv" ? [Self.dvPictures, Self.sound] : [Self.pictures(), Self.sound]
                guard let writer = try open(muxer, streams) else { continue }
                let sent = 1 - silent
                let size = muxer == "dv" ? 720 * 576 * 3 : 64 * 48 * 3
                try writer.send(sent == 0 ? Data(count: size * 5) : tone(samples: 9_600, channels: 2), to: sent)
                do {
                    _ = try writer.close()
                } catch {
                    named.insert(muxer)
                    let isNamed = ["has no frame", "ends at 0.0 s"].contains { error.message.contains("stream \(silent) \($0)") }
                    #expect(error.code == .invalidSamples && isNamed, "\(muxer): \(error)")
                    try writer.send(silent == 0 ? Data(count: size * 5) : tone(samples: 9_600, channels: 2), to: silent)
                    _ = try writer.close()
                }
            }
        }
        // What openapi.yaml says of finalize.
        #expect(named == ["dv", "mp3", "mxf"])
    }

    /// Its files are its own.
    @Test func dashAsksForAFrameInEveryStream() throws {
        let writer = try StreamWriter(destination: .url(folder.path("a.mpd")), format: nil)
        _ = try writer.addStream(Self.pictures("libx264"))
        try writer.open()
        #expect(throws: StreamWriterError.self) { _ = try writer.close() }
        try writer.send(Data(count: 64 * 48 * 3))
        _ = try writer.close()
        #expect(writer.bytesWritten > 1_000, "of the files that it makes")
    }
}
