import Foundation
import StreamWriter
import Testing

/// Times in the file: gaps, the end, and what a flush in between leaves.
@Suite struct TimingTests {
    let folder = TemporaryFolder()
    static let frame = 64 * 48 * 3

    @Test(arguments: ["mp4", "mov", "mkv", "nut", "flv", "ts"], ["libx264", "mpeg4"])
    func gapsSurviveInEveryContainer(container: String, encoder: String) throws {
        if container == "flv" && encoder == "mpeg4" { return }
        let writer = try StreamWriter(destination: folder.destination("a." + container), format: nil)
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder)))
        try writer.open()
        let starts = [0.0, 0.08, 0.48, 2, 2.04, 7]
        for (index, start) in starts.enumerated() {
            try writer.send(pictures(count: 1, bytesPerFrame: Self.frame, seed: UInt64(index + 1)), pts: start)
        }
        _ = try writer.close()
        let times = try Probe(folder.path("a." + container), showing: ["frames"]).frames
            .compactMap { $0.number("best_effort_timestamp_time") }
        #expect(times.count == starts.count)
        for (time, start) in zip(times, starts) { #expect(abs(time - times[0] - start) < 0.0011, "\(times)") }
    }

    @Test(arguments: ["mp4", "mov", "mkv", "flv", "avi", "3gp"], ["libx264", "mpeg4"])
    func theLastFrameKeepsItsDuration(container: String, encoder: String) throws {
        if ["flv", "3gp"].contains(container) && encoder == "mpeg4" { return }
        let config = VideoStreamConfig(frameRate: Rational(5, 1)!, width: 64, height: 48, encoder: encoder)
        try encode(.video(config), pictures(count: 7, bytesPerFrame: Self.frame), to: folder.destination("a." + container))
        let duration = try #require(Probe(folder.path("a." + container)).format.number("duration"))
        // Where a container counts from the first decoding time, that is before zero.
        let start = try Probe(folder.path("a." + container)).format.number("start_time") ?? 0
        #expect(abs(duration - 1.4) < 0.002 || abs(duration - start - 1.4) < 0.002, "\(duration) from \(start)")
    }

    @Test(arguments: ["mp4", "mkv", "flv", "ts", "mov"]) func flushingMidwayKeepsPictureAndSoundTogether(container: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a." + container), format: nil)
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264")))
        _ = try writer.addStream(
            .audio(AudioStreamConfig(sampleRate: 44_100, numChannels: 2, format: .s16, encoder: "aac")))
        try writer.open()
        for round in 0..<3 {
            try writer.send(pictures(count: 10, bytesPerFrame: Self.frame, seed: UInt64(round + 1)), to: 0)
            try writer.send(tone(samples: 17_640, channels: 2, rate: 44_100), to: 1)
            if round < 2 { try writer.flush() }
        }
        _ = try writer.close()
        // A decoder that has to conceal anything says so.
        let complaints = try run(["sh", "-c", "ffmpeg -v warning -i '\(folder.path("a." + container))' -f null - 2>&1"])
        #expect(String(decoding: complaints, as: UTF8.self) == "")
        let probe = try Probe(folder.path("a." + container), showing: ["frames", "packets"])
        let times = probe.frames(of: 0).compactMap { $0.number("best_effort_timestamp_time") }
        #expect(times.count == 30)
        for (index, time) in times.enumerated() { #expect(abs(time - times[0] - Double(index) / 25) < 0.0011) }
        let samples = probe.frames(of: 1).compactMap { $0.number("nb_samples") }.reduce(0, +)
        #expect(abs(samples - 3 * 17_640) < 3 * 2048)
        for stream in 0..<2 {
            let order = probe.packets(of: stream).compactMap { $0.number("dts_time") }
            #expect(zip(order, order.dropFirst()).allSatisfy { $0 < $1 })
        }
    }
}
