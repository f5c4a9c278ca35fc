import Foundation
import StreamWriter
import Synchronization
import Testing

/// Streams that send nothing while time goes on.
@Suite struct FillTests {
    let folder = TemporaryFolder()
    private static let frameBytes = 64 * 48 * 3

    private static func video(_ encoder: String = "mpeg4", fill: StreamFill? = nil) -> StreamConfig {
        .video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: encoder, fill: fill))
    }

    private static func sound(_ encoder: String? = "pcm_s16le", fill: StreamFill? = .silence, whenLate: WhenLate = .wait) -> StreamConfig {
        .audio(AudioStreamConfig(sampleRate: 8_000, numChannels: 1, format: .s16, encoder: encoder, fill: fill, whenLate: whenLate))
    }

    private func writer(_ name: String, _ streams: [StreamConfig]) throws -> StreamWriter {
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        for stream in streams { _ = try writer.addStream(stream) }
        try writer.open()
        return writer
    }

    private func samples(_ name: String) throws -> [Int16] {
        try decodeAudio(folder.path(name), codec: "pcm_s16le").withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
    }

    @Test(arguments: [("a.mkv", "pcm_s16le"), ("a.mov", "pcm_s16le"), ("a.flv", "aac"), ("a.avi", "pcm_s16le"), ("a.ts", "aac")])
    func aSoundThatIsNotSentIsSilence(name: String, encoder: String) throws {
        let writer = try writer(name, [name == "a.flv" ? Self.video("flv") : Self.video(), .audio(
            AudioStreamConfig(sampleRate: 44_100, numChannels: 1, format: .s16, encoder: encoder, fill: .silence))])
        try writer.send(pictures(count: 75, bytesPerFrame: Self.frameBytes))
        let filled = writer.progress(of: 1).idleSeconds
        // Up to half a second behind the pictures.
        #expect(filled > 2.4 && filled <= 3)
        let warning = try #require(try writer.close().streams[1].warnings.first)
        #expect(warning.code == .gapFilled && warning.parameter == "fill")
        let samples = try samples(name)
        #expect(abs(Double(samples.count) / 44_100 - filled) < 0.08 && samples.allSatisfy { abs($0) < 2 })
        let times = try probeList(folder.path(name), "packet", "pts_time", stream: 1).compactMap(Double.init)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }

    /// A container that would otherwise hold everything back has the packets.
    @Test func whatOthersSendGoesOutMeanwhile() throws {
        let writer = try writer("a.nut", [Self.video("rawvideo"), Self.sound()])
        try writer.send(pictures(count: 75, bytesPerFrame: Self.frameBytes))
        // The encoder's thread may have some of them still.
        let limit = Date(timeIntervalSinceNow: 20)
        while writer.bytesWritten <= 50 * Self.frameBytes && Date() < limit { usleep(5_000) }
        #expect(writer.bytesWritten > 50 * Self.frameBytes)
        writer.abort()
    }

    @Test func theLastPictureStandsWhereNoneComes() throws {
        let writer = try writer("a.nut", [Self.video("rawvideo", fill: .lastFrame), Self.sound(fill: nil)])
        // Before there is a picture there is none to stand.
        try writer.send(tone(samples: 8_000, channels: 1, rate: 8_000), to: 1)
        #expect(writer.progress(of: 0).idleSeconds == 0)
        let sent = pictures(count: 5, bytesPerFrame: Self.frameBytes)
        try writer.send(sent)
        try writer.send(tone(samples: 16_000, channels: 1, rate: 8_000), to: 1)
        let filled = writer.progress(of: 0).idleSeconds
        #expect(filled > 2.2 && filled <= 2.8)
        _ = try writer.close()
        let decoded = try decodeVideo(folder.path("a.nut"), format: "rgb24")
        let count = decoded.count / Self.frameBytes
        #expect(count == 5 + Int((filled * 25).rounded()))
        #expect(decoded.prefix(sent.count) == sent)
        for index in 5..<count {
            #expect(decoded[(index * Self.frameBytes)..<((index + 1) * Self.frameBytes)] == sent[(4 * Self.frameBytes)...])
        }
    }

    @Test func soundForTimeThatWasFilledIsRefusedWithTheTimeThatIsNext() throws {
        let writer = try writer("a.mkv", [Self.video(), Self.sound()])
        try writer.send(pictures(count: 50, bytesPerFrame: Self.frameBytes))
        let next = writer.progress(of: 1).nextPTS
        do {
            _ = try writer.beginChunk(stream: 1, pts: 0.2)
            Issue.record("taken")
        } catch {
            #expect(error.code == .ptsTooEarly && error.expectedPTS == next && next > 1.4)
        }
        try writer.send(tone(samples: 800, channels: 1, rate: 8_000), to: 1, pts: next)
        #expect(abs(writer.progress(of: 1).nextPTS - next - 0.1) < 1e-6)
        writer.abort()
    }

    @Test func aSampleThatHasComeInPartGoesBehindWhatIsFilled() throws {
        let writer = try writer("a.mkv", [Self.video(), Self.sound()])
        let sound = tone(samples: 800, channels: 1, rate: 8_000)
        let chunk = try writer.beginChunk(stream: 1, pts: nil)
        try sound[..<321].withUnsafeBytes { try chunk.write($0) }
        try writer.send(pictures(count: 50, bytesPerFrame: Self.frameBytes))
        try sound[321...].withUnsafeBytes { try chunk.write($0) }
        #expect(try chunk.finish().frames == 800)
        _ = try writer.close()
        let decoded = try samples("a.mkv")
        let sent = sound.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        #expect(Array(decoded.prefix(160)) == Array(sent.prefix(160)) && Array(decoded.suffix(640)) == Array(sent.suffix(640)))
        #expect(decoded.count > 12_000 && decoded.dropFirst(160).dropLast(640).allSatisfy { $0 == 0 })
    }

    /// The rest of it is where it belongs, to the sample.
    @Test func lateSoundIsLeftOutUpToTheTimeThatWasFilled() throws {
        let writer = try writer("a.mkv", [Self.video(), Self.sound(whenLate: .drop)])
        try writer.send(pictures(count: 50, bytesPerFrame: Self.frameBytes))
        let next = writer.progress(of: 1).nextPTS
        let sound = tone(samples: 16_000, channels: 1, rate: 8_000)
        let receipt = try writer.send(sound, to: 1, pts: 0.2, piece: 999)
        let dropped = Int((next - 0.2) * 8_000 + 0.5)
        #expect(receipt.framesDroppedLate == Int64(dropped) && receipt.frames == 16_000 && receipt.offset == 32_000)
        let summary = try writer.close()
        #expect(summary.streams[1].warnings.map(\.code).contains(.lateDropped))
        let decoded = try samples("a.mkv")
        let sent = sound.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        #expect(decoded.prefix(dropped + 1_600).allSatisfy { $0 == 0 })
        #expect(Array(decoded.dropFirst(dropped + 1_600)) == Array(sent.dropFirst(dropped)))
    }

    /// Where nothing is played at once, one that comes is waited for, so that the output does not hang on who is quicker.
    @Test func oneThatComesIsWaitedForInAFile() async throws {
        let writer = try writer("a.mkv", [Self.video(), Self.sound()])
        let sound = tone(samples: 4 * 8_000, channels: 1, rate: 8_000)
        let shown = pictures(count: 100, bytesPerFrame: Self.frameBytes)
        try writer.send(Data(sound.prefix(320)), to: 1)
        // Once sound is coming: it is waited for no longer than half a second.
        async let first = onThread {
            while writer.progress(of: 1).nextPTS < 0.03 { usleep(100) }
            return Result { try writer.send(shown) }
        }
        async let second = onThread { Result { try writer.send(Data(sound.dropFirst(320)), to: 1, piece: 320) } }
        for result in await [first, second] { _ = try result.get() }
        #expect(writer.progress(of: 1).idleSeconds == 0)
        _ = try writer.close()
        let decoded = try samples("a.mkv")
        #expect(decoded == sound.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) })
    }

    @Test func timeMayNotGoFurtherThanIsFilled() throws {
        let writer = try writer("a.mkv", [Self.video("libx264"), Self.sound()])
        try writer.send(pictures(count: 1, bytesPerFrame: Self.frameBytes))
        do {
            _ = try writer.beginChunk(stream: 0, pts: 4_000)
            Issue.record("taken")
        } catch {
            #expect(error.code == .invalidParameter && error.parameter == "pts" && error.message.contains("stream 1"))
        }
        writer.abort()
    }

    @Test(arguments: [(video(fill: .silence), "last-frame"), (sound(fill: .lastFrame), "silence")])
    func eachKindHasItsOwnFiller(config: StreamConfig, right: String) throws {
        let writer = try StreamWriter(destination: folder.destination("a.mkv"), format: nil)
        do {
            _ = try writer.addStream(config)
            Issue.record("taken")
        } catch {
            #expect(error.code == .unsupportedValue && error.parameter == "fill" && error.supported == [right])
        }
    }

    // MARK: By the clock

    /// Lets a test wait until a stream has come so far.
    private final class Reached: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let times: [Double]
        private let next = Mutex(0)

        init(_ times: [Double]) { self.times = times }

        func note(_ progress: StreamProgress) {
            next.withLock { next in
                while next < times.count, progress.nextPTS >= times[next] {
                    next += 1
                    semaphore.signal()
                }
            }
        }

        func wait() -> Bool { semaphore.wait(timeout: .now() + 20) == .success }
    }

    private func live(_ name: String, _ config: StreamConfig, _ reached: Reached) throws -> StreamWriter {
        // To libav a URL: what goes there may be watched.
        let writer = try StreamWriter(destination: .url("file://" + folder.path(name)), format: nil) { _, progress in reached.note(progress) }
        _ = try writer.addStream(config)
        try writer.open()
        return writer
    }

    @Test func aLiveStreamThatStopsGoesOnByTheClock() async throws {
        let reached = Reached([1.5])
        let writer = try live("a.nut", Self.sound(), reached)
        let started = ContinuousClock.now
        try writer.send(tone(samples: 1_600, channels: 1, rate: 8_000))
        #expect(await onThread { reached.wait() })
        // Not before its time.
        #expect(ContinuousClock.now - started >= .seconds(1.2))
        _ = try writer.close()
        let decoded = try samples("a.nut")
        #expect(decoded.count >= 12_000 && decoded.dropFirst(1_600).allSatisfy { $0 == 0 })
    }

    /// A chunk that is under way and brings nothing is idle too.
    @Test func aPictureStandsWhileItsChunkStands() async throws {
        let reached = Reached([1])
        let writer = try live("b.nut", Self.video("rawvideo", fill: .lastFrame), reached)
        let sent = pictures(count: 3, bytesPerFrame: Self.frameBytes)
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        // Half a picture more, the rest of which is late.
        try sent[..<(Self.frameBytes * 5 / 2)].withUnsafeBytes { try chunk.write($0) }
        #expect(await onThread { reached.wait() })
        try sent[(Self.frameBytes * 5 / 2)...].withUnsafeBytes { try chunk.write($0) }
        _ = try chunk.finish()
        _ = try writer.close()
        let decoded = try decodeVideo(folder.path("b.nut"), format: "rgb24")
        #expect(decoded.count / Self.frameBytes > 25 && decoded.count % Self.frameBytes == 0)
        #expect(decoded.prefix(2 * Self.frameBytes) == sent.prefix(2 * Self.frameBytes))
        let second = sent[Self.frameBytes..<(2 * Self.frameBytes)]
        #expect(decoded[(20 * Self.frameBytes)..<(21 * Self.frameBytes)] == second)
        #expect(decoded.suffix(Self.frameBytes) == sent.suffix(Self.frameBytes))
    }

    /// One that had stopped, and was not only held up, is not late for ever.
    @Test func timeGoesOnWithASourceThatHadStopped() async throws {
        let reached = Reached([1.2])
        let writer = try live("c.nut", Self.sound(whenLate: .drop), reached)
        try await onThread {
            Result {
                let chunk = try writer.beginChunk(stream: 0, pts: nil)
                try tone(samples: 1_600, channels: 1, rate: 8_000).withUnsafeBytes { try chunk.write($0) }
                #expect(reached.wait())
                let start = ContinuousClock.now
                var sent = 0
                while writer.progress(of: 0).frames == writer.progress(of: 0).framesDroppedLate + 1_600, ContinuousClock.now - start < .seconds(10) {
                    // A source sends as fast as time goes, however busy the machine is.
                    let due = Int((ContinuousClock.now - start) / .seconds(1) * 8_000)
                    try [Int16](repeating: 9_999, count: due - sent).withUnsafeBytes { try chunk.write($0) }
                    sent = due
                    usleep(20_000)
                }
                _ = try chunk.finish()
            }
        }.get()
        let late = writer.progress(of: 0).framesDroppedLate
        _ = try writer.close()
        #expect(late > 0 && late < 4 * 8_000)
        #expect(try samples("c.nut").contains(9_999))
    }
}
