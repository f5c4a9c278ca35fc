import Foundation
import StreamWriter
import Testing

@Suite struct LifecycleTests {
    let folder = TemporaryFolder()
    let frame = 64 * 48 * 3
    let config = VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "libx264")

    private func opened(_ config: StreamConfig, _ name: String, format: String? = nil) throws -> StreamWriter {
        let writer = try StreamWriter(destination: folder.destination(name), format: format)
        _ = try writer.addStream(config)
        try writer.open()
        return writer
    }

    @Test func theWrongOrderOfCallsIsRefusedByState() throws {
        let writer = try StreamWriter(destination: folder.destination("a.mp4"), format: nil)
        #expect(code { try writer.open() } == .wrongState)
        #expect(code { try writer.flush() } == .wrongState)
        #expect(code { _ = try writer.close() } == .wrongState)
        #expect(code { _ = try writer.beginChunk(stream: 0, pts: nil) } == .wrongState)
        _ = try writer.addStream(.video(config))
        try writer.setMetadata(["title": "one"])
        try writer.setMetadata(["artist": "two"])
        try writer.open()
        #expect(code { try writer.open() } == .wrongState)
        #expect(code { _ = try writer.addStream(.video(config)) } == .wrongState)
        #expect(code { try writer.setMetadata([:]) } == .wrongState)
        _ = try writer.close()
        #expect(code { _ = try writer.close() } == .wrongState)
        #expect(code { try writer.flush() } == .wrongState)
        writer.abort()
        #expect(try probeFormat(folder.path("a.mp4"))["TAG:artist"] == "two")
        #expect(try probeFormat(folder.path("a.mp4"))["TAG:title"] == nil)
    }

    @Test func abortWritesNoTrailer() throws {
        let writer = try opened(.video(config), "a.mp4")
        try writer.send(pictures(count: 5, bytesPerFrame: frame))
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        writer.abort()
        #expect(code { _ = try chunk.finish() } == .wrongState)
        #expect(code { _ = try writer.close() } == .wrongState)
        writer.abort()
        #expect(try folder.bytes("a.mp4").range(of: Data("moov".utf8)) == nil)
    }

    @Test func aWriterThatIsLetGoOfFreesEverything() throws {
        weak var gone: StreamWriter?
        do {
            let writer = try opened(.video(config), "a.mp4")
            let chunk = try writer.beginChunk(stream: 0, pts: nil)
            try pictures(count: 9, bytesPerFrame: frame).withUnsafeBytes { try chunk.write($0) }
            gone = writer
        }
        #expect(gone == nil)
    }

    @Test(arguments: ["libx264", "mpeg4", "ffv1", "mjpeg"])
    func flushThenContinueKeepsEveryFrameAndTime(encoder: String) throws {
        var config = config
        config.encoder = encoder
        let writer = try opened(.video(config), "a.mkv")
        try writer.send(pictures(count: 7, bytesPerFrame: frame))
        try writer.flush()
        let flushed = writer.progress(of: 0)
        // x264 looks further ahead than that, and is not drained.
        #expect(flushed.packets == (encoder == "libx264" ? 0 : 7))
        try writer.flush()
        try writer.send(pictures(count: 5, bytesPerFrame: frame, seed: 3))
        let summary = try writer.close()
        #expect(summary.streams[0].packets == 12)
        let times = try probeList(folder.path("a.mkv"), "frame", "pts_time").compactMap(Double.init)
        #expect(times.map { ($0 * 30).rounded() } == (0..<12).map(Double.init))
    }

    @Test(arguments: ["aac", "libmp3lame", "libopus", "flac", "pcm_s16le"])
    func flushThenContinueKeepsAudioGoing(encoder: String) throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: encoder)
        let writer = try opened(.audio(config), "a.mka", format: "matroska")
        try writer.send(tone(samples: 48_000, channels: 2))
        try writer.flush()
        try writer.send(tone(samples: 48_000, channels: 2))
        let summary = try writer.close()
        #expect(summary.duration == 2)
        let times = try probeList(folder.path("a.mka"), "packet", "pts_time").compactMap(Double.init)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(times.last! > 1.9 && times.last! < 2.05)
        let samples = try decodeAudio(folder.path("a.mka"), codec: "pcm_s16le").count / 4
        #expect(abs(samples - 96_000) < 4096)
    }

    @Test func flushWithAFilterContinuesToo() throws {
        var config = config
        config.filterDesc = "hflip"
        config.encoderFrameRate = Rational(60, 1)!
        let writer = try opened(.video(config), "a.mkv")
        try writer.send(pictures(count: 6, bytesPerFrame: frame))
        try writer.flush()
        try writer.send(pictures(count: 6, bytesPerFrame: frame))
        _ = try writer.close()
        let times = try probeList(folder.path("a.mkv"), "frame", "pts_time").compactMap(Double.init)
        #expect(times.map { ($0 * 60).rounded() } == (0..<24).map(Double.init))
    }

    @Test func aFullDiskFailsTheWriterOnce() throws {
        let destination = Destination.file(descriptor: open("/dev/full", O_WRONLY | O_CLOEXEC), name: "a.nut")
        let writer = try StreamWriter(destination: destination, format: nil)
        var raw = config
        raw.encoder = "rawvideo"
        _ = try writer.addStream(.video(raw))
        var first: StreamWriterError?
        do {
            try writer.open()
            for _ in 0..<20 { try writer.send(pictures(count: 20, bytesPerFrame: frame)) }
        } catch { first = error as? StreamWriterError }
        let failure = try #require(first)
        #expect(failure.code == .noSpace)
        #expect(throws: failure) { try writer.flush() }
        #expect(throws: failure) { _ = try writer.close() }
        #expect(throws: failure) { _ = try writer.beginChunk(stream: 0, pts: nil) }
    }

    @Test func theDescriptorIsClosedWhateverHappens() throws {
        let closes: [(StreamWriter) throws -> Void] = [
            { $0.abort() }, { _ = try $0.addStream(.video(config)); try $0.open(); _ = try $0.close() },
        ]
        for close in closes {
            let descriptor = folder.create("fd.mp4")
            let writer = try StreamWriter(destination: .file(descriptor: descriptor, name: "fd.mp4"), format: nil)
            try close(writer)
            #expect(isClosed(descriptor, folder.path("fd.mp4")))
        }
        let refused = folder.create("fd.none")
        #expect(code { _ = try StreamWriter(destination: .file(descriptor: refused, name: "fd.none"), format: nil) } == .unknownFormat)
        #expect(isClosed(refused, folder.path("fd.none")))
    }

    /// Whether the number no longer stands for that file; another test may use the number again.
    private func isClosed(_ descriptor: Int32, _ path: String) -> Bool {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        return target != path
    }

    @Test func streamsUploadInParallel() async throws {
        let writer = try StreamWriter(destination: folder.destination("many.mkv"), format: nil)
        for _ in 0..<4 { _ = try writer.addStream(.video(config)) }
        try writer.open()
        await withTaskGroup(of: Void.self) { group in
            for stream in 0..<4 {
                group.addTask {
                    let data = pictures(count: 6, bytesPerFrame: 64 * 48 * 3, seed: UInt64(stream + 2))
                    let failure = await onThread {
                        code { for _ in 0..<5 { try writer.send(data, to: stream) } }
                    }
                    #expect(failure == nil)
                }
            }
        }
        let summary = try writer.close()
        #expect(summary.streams.map(\.packets) == [30, 30, 30, 30])
        for stream in 0..<4 {
            #expect(try probe(folder.path("many.mkv"), stream: stream)["nb_read_frames"] == "30")
        }
    }

    @Test func abortEndsAnUploadInFlight() async throws {
        let writer = try opened(.video(config), "a.mp4")
        async let upload = onThread {
            code {
                let chunk = try writer.beginChunk(stream: 0, pts: nil)
                _ = try chunk.fill(upTo: .max) { regions in regions[0].count }
            }
        }
        while writer.progress(of: 0).frames < 20 { await Task.yield() }
        writer.abort()
        #expect(await upload == .wrongState)
    }
}
