import Foundation
import StreamWriter
import Testing

/// One encoding, several outputs.
@Suite struct OutputsTests {
    let folder = TemporaryFolder()
    let frame = 64 * 48 * 3
    let video = StreamConfig.video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "libx264"))
    let audio = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "aac"))

    private func output(_ name: String, _ file: String) -> OutputConfig {
        OutputConfig(name: name, destination: folder.destination(file))
    }

    /// Of one second of both.
    private func write(_ outputs: [OutputConfig], streams: [StreamConfig]? = nil) throws -> StreamWriter {
        let writer = try StreamWriter(outputs: outputs)
        for stream in streams ?? [video, audio] { _ = try writer.addStream(stream) }
        try writer.open()
        try writer.send(pictures(count: 30, bytesPerFrame: frame))
        if (streams ?? [video, audio]).count > 1 { try writer.send(tone(samples: 48_000, channels: 1), to: 1) }
        return writer
    }

    @Test func everyOutputHasThePacketsAndTheFirstIsAsIfItWereAlone() throws {
        _ = try write([output("a", "alone.mp4")]).close()
        let writer = try write([output("a", "a.mp4"), output("b", "b.mkv"), output("c", "c.flv"), output("d", "d.ts")])
        _ = try writer.close()
        #expect(try folder.bytes("a.mp4") == folder.bytes("alone.mp4"))
        let expected = try decodeVideo(folder.path("alone.mp4"), format: "yuv420p")
        #expect(expected.count == 30 * frame / 2)
        for file in ["b.mkv", "c.flv", "d.ts"] {
            #expect(try decodeVideo(folder.path(file), format: "yuv420p") == expected, "\(file)")
            #expect(try probe(folder.path(file), stream: 1)["codec_name"] == "aac", "\(file)")
        }
        #expect(writer.outputProgress.map(\.state) == [.closed, .closed, .closed, .closed])
        for (progress, file) in zip(writer.outputProgress, ["a.mp4", "b.mkv", "c.flv", "d.ts"]) {
            #expect(progress.bytesWritten == Int64(try folder.bytes(file).count), "\(file)")
            #expect(progress.packets == writer.outputProgress[0].packets && progress.packetsDropped == 0)
        }
    }

    @Test func anOutputMayHaveSomeOfTheStreamsInItsOwnOrder() throws {
        var sound = output("sound", "sound.mkv")
        sound.streams = [1]
        var swapped = output("swapped", "swapped.mkv")
        swapped.streams = [1, 0]
        _ = try write([output("all", "all.mkv"), sound, swapped]).close()
        #expect(try probe(folder.path("sound.mkv"))["codec_name"] == "aac")
        #expect(try probe(folder.path("sound.mkv"), stream: 1).isEmpty)
        #expect(try probe(folder.path("swapped.mkv"), stream: 0)["codec_name"] == "aac")
        #expect(try probe(folder.path("swapped.mkv"), stream: 1)["nb_read_frames"] == "30")
        let expected = try decodeAudio(folder.path("all.mkv"), codec: "pcm_s16le")
        #expect(try decodeAudio(folder.path("sound.mkv"), codec: "pcm_s16le") == expected)
    }

    @Test func metadataIsTheWritersOrTheOutputsOwn() throws {
        var own = output("own", "own.mp4")
        own.metadata = ["title": "two"]
        let writer = try StreamWriter(outputs: [output("first", "first.mp4"), own])
        _ = try writer.addStream(video)
        try writer.setMetadata(["title": "one"])
        try writer.open()
        try writer.send(pictures(count: 3, bytesPerFrame: frame))
        _ = try writer.close()
        #expect(try probeFormat(folder.path("first.mp4"))["TAG:title"] == "one")
        #expect(try probeFormat(folder.path("own.mp4"))["TAG:title"] == "two")
    }

    @Test func aStreamOfNoOutputAndAnOutputOfNoStreamAreRefused() throws {
        var first = output("first", "first.mp4")
        first.streams = [0]
        let writer = try StreamWriter(outputs: [first])
        _ = try writer.addStream(video)
        #expect(code { _ = try writer.addStream(audio) } == .invalidParameter)
        var second = output("second", "second.mp4")
        second.streams = [0, 3]
        let other = try StreamWriter(outputs: [output("first", "third.mp4"), second])
        _ = try other.addStream(video)
        #expect(code { try other.open() } == .invalidParameter)
    }

    @Test func whatOneOfTheContainersDoesNotTakeIsRefusedByItsName() throws {
        let writer = try StreamWriter(outputs: [output("record", "a.mkv"), output("web", "b.webm")])
        do {
            _ = try writer.addStream(video)
            Issue.record("taken")
        } catch {
            #expect(error.code == .unsupportedValue && error.message.contains("output web: ") && error.message.contains("webm"))
        }
    }

    private var unreachable: OutputConfig {
        OutputConfig(name: "live", destination: .url("tcp://127.0.0.1:9"), format: "mpegts")
    }

    @Test func aWriterGoesOnWithoutAnOutputThatItCanDoWithout() throws {
        var live = unreachable
        live.onFailure = .continue
        let writer = try write([output("record", "a.mp4"), live], streams: [video])
        let summary = try writer.close()
        #expect(summary.streams[0].packets == 30)
        #expect(writer.outputProgress[0].state == .closed && writer.outputProgress[1].state == .failed)
        #expect(writer.outputProgress[1].error?.code == .destinationFailed)
        #expect(try probe(folder.path("a.mp4"))["nb_read_frames"] == "30")
    }

    @Test func aWriterFailsWithAnOutputThatItNeeds() throws {
        let writer = try StreamWriter(outputs: [output("record", "a.mp4"), unreachable])
        _ = try writer.addStream(video)
        do {
            try writer.open()
            Issue.record("opened")
        } catch {
            #expect(error.code == .destinationFailed && error.message.contains("output live: "))
        }
    }

    @Test func anOutputThatIsTooSlowLeavesOutWholeGroupsOfPicturesAndHoldsNoOther() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var slow = OutputConfig(name: "slow", destination: .file(descriptor: ends[1], name: "pipe.ts"))
        slow.whenSlow = .drop
        slow.onFailure = .continue
        var config = VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "libx264")
        config.codecConfig.gopSize = 10
        let writer = try write([output("record", "a.mp4"), slow], streams: [.video(config)])
        // The queue and the pipe are full long before.
        for _ in 0..<60 { try writer.send(pictures(count: 30, bytesPerFrame: frame)) }
        #expect(writer.outputProgress[1].packetsDropped > 0 && writer.outputProgress[0].packetsDropped == 0)
        let reader = Reader(ends[0])
        while writer.outputProgress[1].lag > 0 { usleep(5_000) }
        for _ in 0..<2 { try writer.send(pictures(count: 30, bytesPerFrame: frame)) }
        _ = try writer.close()
        let got = folder.path("got.ts")
        try reader.bytes().write(to: URL(fileURLWithPath: got))
        #expect(try probe(folder.path("a.mp4"))["nb_read_frames"] == "\(63 * 30)")
        let flags = try probeList(got, "packet", "flags")
        let times = try probeList(got, "packet", "dts_time").compactMap(Double.init)
        #expect(flags.count == Int(writer.outputProgress[1].packets) && times.count == flags.count)
        // Behind each gap comes a key frame, in the order of decoding.
        let packets = Array(zip(times, flags))
        let afterGaps = zip(packets, packets.dropFirst()).filter { $1.0 - $0.0 > 0.05 }.map { $1.1 }
        #expect(!afterGaps.isEmpty && afterGaps.allSatisfy { $0.hasPrefix("K") })
    }

    @Test func packetsLeaveAtThePaceOfTheirTimes() throws {
        var paced = output("paced", "a.ts")
        paced.pace = .realtime
        let began = ContinuousClock.now
        _ = try write([paced], streams: [video]).close()
        // 30 pictures: the last one's time is 29/30 s behind the first's.
        #expect(ContinuousClock.now - began > .milliseconds(900))
        #expect(try probe(folder.path("a.ts"))["nb_read_frames"] == "30")
    }

    /// All of the pictures, and then all of the sound.
    @Test func pacedStreamsLeaveSideBySideThoughOneWasSentFirst() throws {
        var paced = output("paced", "a.flv")
        paced.pace = .realtime
        let writer = try StreamWriter(outputs: [paced])
        for stream in [video, audio] { _ = try writer.addStream(stream) }
        // The muxer holds nothing back: packets are in the file in the order that they left in.
        try writer.open(option: ["max_interleave_delta": "1"])
        for _ in 0..<4 { try writer.send(pictures(count: 30, bytesPerFrame: frame)) }
        for _ in 0..<4 { try writer.send(tone(samples: 48_000, channels: 1), to: 1) }
        _ = try writer.close()
        let text = try run(["ffprobe", "-v", "error", "-show_entries", "packet=stream_index", "-of", "csv=p=0", folder.path("a.flv")])
        let streams = String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.prefix(1) }
        #expect(streams.count { $0 == "0" } == 120 && streams.count { $0 == "1" } > 150)
        // However long sending took, behind each other they would be apart.
        let firstSound = try #require(streams.firstIndex(of: "1")), lastPicture = try #require(streams.lastIndex(of: "0"))
        #expect(streams[firstSound..<lastPicture].count { $0 == "0" } > 10)
    }

    @Test func anAbortEndsOutputsThatWait() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let stuck = OutputConfig(name: "stuck", destination: .file(descriptor: ends[1], name: "pipe.nut"))
        let writer = try StreamWriter(outputs: [output("record", "a.nut"), stuck])
        _ = try writer.addStream(.video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 640, height: 480, encoder: "rawvideo")))
        try writer.open()
        let sender = Sender(writer)
        // More than the pipe and the queue hold: the sender waits.
        while writer.outputProgress[1].lag < 1 { usleep(5_000) }
        writer.abort()
        #expect(sender.error() == .wrongState)
    }
}

/// Sends pictures until that fails.
private final class Sender: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var code: StreamWriterError.Code?

    init(_ writer: StreamWriter) {
        Thread { [self] in
            do {
                while true { try writer.send(pictures(count: 10, bytesPerFrame: 640 * 480 * 3)) }
            } catch {
                code = (error as? StreamWriterError)?.code
            }
            done.signal()
        }.start()
    }

    func error() -> StreamWriterError.Code? {
        done.wait()
        return code
    }
}

/// What comes through a pipe, until its end.
private final class Reader: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var data = Data()

    init(_ descriptor: Int32) {
        Thread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count <= 0 { break }
                data.append(contentsOf: buffer[..<count])
            }
            done.signal()
        }.start()
    }

    func bytes() -> Data {
        done.wait()
        return data
    }
}
