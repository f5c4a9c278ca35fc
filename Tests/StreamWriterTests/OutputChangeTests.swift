import Foundation
import StreamWriter
import Synchronization
import Testing

private final class Flag: Sendable {
    private let state = Atomic(false)

    var isSet: Bool { state.load(ordering: .acquiring) }

    func set() { state.store(true, ordering: .releasing) }
}

/// Outputs that come and go while the writer is open.
@Suite struct OutputChangeTests {
    let folder = TemporaryFolder()
    let frame = 64 * 48 * 3

    private func video(_ encoder: String = "libx264") -> StreamConfig {
        .video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: encoder))
    }

    private let audio = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "aac"))

    private func output(_ name: String, _ file: String) -> OutputConfig {
        OutputConfig(name: name, destination: folder.destination(file))
    }

    private func open(_ first: String, _ streams: [StreamConfig]) throws -> StreamWriter {
        let writer = try StreamWriter(outputs: [output("first", first)])
        for stream in streams { _ = try writer.addStream(stream) }
        try writer.open()
        return writer
    }

    /// Seconds of both streams.
    private func send(_ seconds: Int, to writer: StreamWriter) throws {
        for _ in 0..<seconds {
            try writer.send(pictures(count: 30, bytesPerFrame: frame))
            try writer.send(tone(samples: 48_000, channels: 1), to: 1)
        }
    }

    @Test(arguments: ["late.mkv", "late.flv", "late.mp4"])
    func oneThatComesLateBeginsAtAKeyFrameWhichIsItsZero(file: String) throws {
        let writer = try open("first.mp4", [video(), audio])
        try send(2, to: writer)
        try writer.flush()
        #expect(try writer.addOutput(output("late", file)).isEmpty)
        try send(2, to: writer)
        let progress = try writer.removeOutput(named: "late", within: nil)
        #expect(progress.state == .closed && progress.packetsDropped == 0 && progress.error == nil)
        #expect(progress.bytesWritten == Int64(try folder.bytes(file).count))
        try send(1, to: writer)
        _ = try writer.close()
        #expect(writer.outputProgress.map(\.state) == [.closed, .closed])

        let all = try decodeVideo(folder.path("first.mp4"), format: "yuv420p")
        #expect(all.count == 150 * frame / 2)
        // From the first picture that was encoded after it came; the encoder held some of those before.
        let late = try decodeVideo(folder.path(file), format: "yuv420p")
        let start = try #require(all.range(of: late), "the pictures are none of the writer's")
        #expect((58...62).contains(start.lowerBound / (frame / 2)) && start.lowerBound % (frame / 2) == 0)
        #expect(late.count / (frame / 2) >= 15)
        let times = try probeList(folder.path(file), "packet", "pts_time").compactMap(Double.init)
        #expect(abs(times.min() ?? -1) < 0.1, "it begins at \(times.min() ?? -1) s")
        #expect(try probeList(folder.path(file), "packet", "flags").first?.hasPrefix("K") == true)
        // Sound came out of its encoder long before the key frame did.
        let sound = try probeList(folder.path(file), "packet", "pts_time", stream: 1).compactMap(Double.init)
        let shown = try probeList(folder.path(file), "packet", "pts_time").compactMap(Double.init)
        #expect(abs((sound.min() ?? -1) - (shown.min() ?? -2)) < 0.03, "its sound begins at \(sound.min() ?? -1) s, its pictures at \(shown.min() ?? -2) s")
        let (picturesEnd, soundEnd) = (Double(late.count / (frame / 2)) / 30, Double(try decodeAudio(folder.path(file), codec: "pcm_s16le").count) / 96_000)
        // The encoder holds more pictures than sound.
        #expect((0...1.4).contains(soundEnd - picturesEnd), "\(picturesEnd) s of pictures and \(soundEnd) s of sound")
    }

    @Test func picturesThatAreBehindTheSoundBeginWhereThatIs() throws {
        let writer = try open("first.mkv", [video(), audio])
        try writer.send(tone(samples: 96_000, channels: 1), to: 1)
        try writer.send(pictures(count: 15, bytesPerFrame: frame))
        _ = try writer.addOutput(output("late", "late.mkv"))
        for _ in 0..<4 { try writer.send(pictures(count: 30, bytesPerFrame: frame)) }
        try writer.send(tone(samples: 120_000, channels: 1), to: 1)
        _ = try writer.close()
        let pictures = try decodeVideo(folder.path("late.mkv"), format: "yuv420p").count / (frame / 2)
        let samples = try decodeAudio(folder.path("late.mkv"), codec: "pcm_s16le").count / 2
        // A key frame was asked for when pictures were there.
        #expect(pictures > 20 && abs(Double(pictures) / 30 - Double(samples) / 48_000) < 0.2, "\(pictures) pictures and \(samples) samples")
    }

    @Test func soundAloneBeginsWithItsNextPacket() throws {
        let writer = try open("first.mka", [audio])
        try writer.send(tone(samples: 48_000, channels: 1))
        _ = try writer.addOutput(output("late", "late.mka"))
        try writer.send(tone(samples: 48_000, channels: 1))
        _ = try writer.close()
        let samples = try decodeAudio(folder.path("late.mka"), codec: "pcm_s16le").count / 2
        #expect((47_000...52_000).contains(samples), "\(samples) samples")
    }

    @Test func whatTheEncodersWereNotMadeForIsRefusedAndTheWriterGoesOn() throws {
        let writer = try open("first.ts", [video(), audio])
        try send(1, to: writer)
        func refusal(_ file: String, streams: [StreamSelection]? = nil, name: String = "late") -> StreamWriterError? {
            var config = output(name, file)
            config.streams = streams
            do { _ = try writer.addOutput(config) } catch { return error }
            return nil
        }
        #expect(refusal("late.mkv")?.message.contains("headers of h264") == true)
        #expect(refusal("late.webm")?.code == .unsupportedValue)
        #expect(refusal("late.mka", streams: [7])?.code == .invalidParameter)
        #expect(refusal("late.adts", streams: [1])?.message.contains("can't tell gaps in time") == true)
        #expect(refusal("again.ts", name: "first")?.parameter == "name")
        #expect(throws: StreamWriterError.self) { try writer.removeOutput(named: "first", within: nil) }
        #expect(throws: StreamWriterError.self) { try writer.removeOutput(named: "none", within: nil) }
        try send(1, to: writer)
        _ = try writer.close()
        #expect(try decodeVideo(folder.path("first.ts"), format: "yuv420p").count == 60 * frame / 2)
        #expect(refusal("late.ts")?.code == .wrongState)
    }

    @Test func oneThatCantBeOpenedLeavesTheWriterAsItWas() throws {
        let writer = try open("first.mkv", [video()])
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        let nowhere = OutputConfig(name: "live", destination: .url("tcp://127.0.0.1:9"), format: "mpegts")
        #expect(code { _ = try writer.addOutput(nowhere) } == .destinationFailed)
        #expect(writer.outputProgress.count == 1)
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        _ = try writer.close()
        #expect(try decodeVideo(folder.path("first.mkv"), format: "yuv420p").count == 60 * frame / 2)
    }

    @Test func segmentsThatComeLateAreToldToBeUneven() throws {
        let writer = try open("first.mkv", [video()])
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        var late = OutputConfig(name: "late", destination: .url(folder.path("late.m3u8")), format: "hls")
        late.option = ["hls_time": "1"]
        #expect(try writer.addOutput(late).map(\.code) == [.segmentsUneven])
        try writer.send(pictures(count: 60, bytesPerFrame: frame))
        _ = try writer.close()
        #expect(try decodeVideo(folder.path("late.m3u8"), format: "yuv420p").count >= 30 * frame / 2)
    }

    @Test func outputsComeAndGoWhileChunksAreTaken() throws {
        let writer = try open("first.mkv", [video("mpeg4"), audio])
        let (isEnough, isOver) = (Flag(), Flag())
        let rounds = Mutex(0)
        let (bytes, samples) = (pictures(count: 30, bytesPerFrame: frame), tone(samples: 48_000, channels: 1))
        let sender = Thread {
            while !isEnough.isSet {
                _ = try? writer.send(bytes)
                _ = try? writer.send(samples, to: 1)
                rounds.withLock { $0 += 1 }
            }
            isOver.set()
        }
        sender.start()
        defer { isEnough.set() }
        for number in 0..<5 {
            let before = rounds.withLock { $0 }
            _ = try writer.addOutput(output("late", "late\(number).mkv"))
            // Half of them get a key frame.
            while number.isMultiple(of: 2), rounds.withLock({ $0 }) < before + 2 { usleep(1_000) }
            #expect(try writer.removeOutput(named: "late", within: nil).state == .closed)
        }
        isEnough.set()
        while !isOver.isSet { usleep(1_000) }
        _ = try writer.close()
        #expect(try decodeVideo(folder.path("first.mkv"), format: "yuv420p").count == rounds.withLock { $0 } * 30 * frame / 2)
        // One that no key frame came for is empty, which ffprobe takes for no file.
        let flags = try (0..<5).compactMap { number in
            try StreamWriterTests.output(of: ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=flags", "-of", "csv=p=0", folder.path("late\(number).mkv")])
        }.filter { !$0.isEmpty }
        #expect(!flags.isEmpty && flags.allSatisfy { $0.first == UInt8(ascii: "K") })
    }

    @Test func closingEndsThemAll() throws {
        let writer = try open("first.mkv", [video(), audio])
        try send(1, to: writer)
        _ = try writer.addOutput(output("late", "late.mkv"))
        try send(1, to: writer)
        _ = try writer.close()
        #expect(writer.outputProgress.map(\.state) == [.closed, .closed])
        #expect(try decodeVideo(folder.path("late.mkv"), format: "yuv420p").count == 30 * frame / 2)
        #expect(code { _ = try writer.addOutput(output("more", "more.mkv")) } == .wrongState)
    }
}
