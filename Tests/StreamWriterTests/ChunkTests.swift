import Foundation
import StreamWriter
import Testing

@Suite struct ChunkTests {
    let folder = TemporaryFolder()
    static let videoFrame = 64 * 48 * 3
    let video = pictures(count: 20, bytesPerFrame: videoFrame)
    let audio = tone(samples: 32_017, channels: 2)

    private func writer(_ name: String, format: String? = nil) throws -> StreamWriter {
        let writer = try StreamWriter(destination: folder.destination(name), format: format)
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "libx264")))
        _ = try writer.addStream(
            .audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16, encoder: "aac")))
        try writer.open()
        return writer
    }

    /// Sends both streams in turn, cut into chunks and each chunk into pieces.
    private func encodeCut(_ name: String, videoChunk: Int, audioChunk: Int, piece: Int) throws -> Data {
        let writer = try writer(name)
        var (videoDone, audioDone) = (0, 0)
        while videoDone < video.count || audioDone < audio.count {
            let videoEnd = min(video.count, videoDone + videoChunk)
            let audioEnd = min(audio.count, audioDone + audioChunk)
            if videoEnd > videoDone { try writer.send(Data(video[videoDone..<videoEnd]), to: 0, piece: piece) }
            if audioEnd > audioDone { try writer.send(Data(audio[audioDone..<audioEnd]), to: 1, piece: piece) }
            (videoDone, audioDone) = (videoEnd, audioEnd)
        }
        _ = try writer.close()
        return try folder.bytes(name)
    }

    @Test func howBytesAreCutNeverChangesTheOutput() throws {
        let whole = try encodeCut("whole.mp4", videoChunk: .max / 2, audioChunk: .max / 2, piece: .max)
        #expect(try probe(folder.path("whole.mp4"))["nb_read_frames"] == "20")
        let cuts = [
            (Self.videoFrame, 4, Int.max), (Self.videoFrame * 3, 4 * 997, 1000),
            (Self.videoFrame * 7, 4 * 10_000, 4097),
        ]
        for (index, cut) in cuts.enumerated() {
            let name = "cut\(index).mp4"
            #expect(try encodeCut(name, videoChunk: cut.0, audioChunk: cut.1, piece: cut.2) == whole, "\(cut)")
        }
    }

    @Test func aByteAtATimeIsTheSameToo() throws {
        let writer = try StreamWriter(destination: folder.destination("bytes.mkv"), format: nil)
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "ffv1", encoderFormat: "bgr0")))
        try writer.open()
        let data = Data(video[..<(2 * Self.videoFrame)])
        #expect(try writer.send(data, piece: 1).frames == 2)
        _ = try writer.close()
        #expect(try decodeVideo(folder.path("bytes.mkv"), format: "rgb24") == data)
    }

    @Test func aReceiptSaysWhatWasTaken() throws {
        let writer = try writer("receipt.mp4")
        let receipt = try writer.send(Data(video[..<(2 * Self.videoFrame + 5)]), to: 0)
        #expect(receipt.frames == 2)
        #expect(receipt.droppedBytes == 5)
        #expect(receipt.offset == Int64(2 * Self.videoFrame))
        #expect(receipt.framesEncoded == 2)
        #expect(receipt.startPTS == 0)
        #expect(abs(receipt.endPTS - 2 / 30) < 1e-12)
        let audioReceipt = try writer.send(Data(audio[..<4003]), to: 1)
        #expect(audioReceipt.frames == 1000)
        #expect(audioReceipt.droppedBytes == 3)
        #expect(audioReceipt.offset == 4000)
        // Less than one AAC frame: it waits.
        #expect(audioReceipt.framesEncoded == 0)
        let summary = try writer.close()
        #expect(summary.streams[1].framesEncoded == 1000)
        #expect(writer.progress(of: 1).offset == 4000)
    }

    @Test func readFillsRegionsInOrderAndStopsAtItsEnd() throws {
        let writer = try writer("read.mp4")
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        var left = Self.videoFrame + 100
        let filled = try chunk.fill(upTo: .max) { regions in
            #expect(regions.count > 0)
            let count = min(left, regions[0].count)
            left -= count
            return count
        }
        #expect(filled == Self.videoFrame + 100)
        #expect(try chunk.finish().droppedBytes == 100)
        _ = try writer.close()
    }

    @Test func aFailedReadKeepsWholeFramesAndTheWriterGoesOn() throws {
        struct Cut: Error {}
        let writer = try writer("cut.mp4")
        do {
            let chunk = try writer.beginChunk(stream: 0, pts: nil)
            var calls = 0
            #expect(throws: Cut.self) {
                _ = try chunk.fill(upTo: .max) { regions in
                    calls += 1
                    if calls > 3 { throw Cut() }
                    return regions[0].count / 2
                }
            }
        }
        let offset = Int(writer.progress(of: 0).offset)
        #expect(offset % Self.videoFrame == 0)
        try writer.send(Data(video[offset...]), to: 0)
        try writer.send(audio, to: 1)
        _ = try writer.close()
        #expect(try probe(folder.path("cut.mp4"))["nb_read_frames"] == "20")
    }

    @Test func oneChunkAStreamAtATime() throws {
        let writer = try writer("one.mp4")
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        #expect(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: nil) }
        #expect(code { _ = try writer.beginChunk(stream: 0, pts: nil) } == .chunkInProgress)
        #expect(code { _ = try writer.close() } == .chunkInProgress)
        #expect(code { _ = try writer.beginChunk(stream: 7, pts: nil) } == .noSuchStream)
        try writer.send(audio, to: 1)
        _ = try chunk.finish()
        #expect(code { _ = try chunk.finish() } == .wrongState)
        _ = try writer.close()
    }

    @Test func aGapJumpsVideoAndStaysExact() throws {
        let writer = try writer("gap.mp4")
        try writer.send(Data(video[..<(3 * Self.videoFrame)]), to: 0)
        #expect(code { _ = try writer.beginChunk(stream: 0, pts: 0.05) } == .ptsTooEarly)
        let receipt = try writer.send(Data(video[..<(2 * Self.videoFrame)]), to: 0, pts: 1.0)
        #expect(receipt.startPTS == 1.0)
        try writer.send(Data(video[..<Self.videoFrame]), to: 0)
        _ = try writer.close()
        let times = try probeList(folder.path("gap.mp4"), "frame", "pts_time").compactMap(Double.init)
        #expect(times.map { ($0 * 30).rounded() } == [0, 1, 2, 30, 31, 32])
        #expect(abs(Double(try probe(folder.path("gap.mp4"))["duration"]!)! - 33 / 30) < 1e-6)
    }

    @Test func theErrorOfAnEarlyPtsNamesTheExpectedOne() throws {
        let writer = try writer("early.mp4")
        try writer.send(Data(video[..<(3 * Self.videoFrame)]), to: 0)
        let error = try #require(throws: StreamWriterError.self) { try writer.beginChunk(stream: 0, pts: 0) }
        #expect(error.expectedPTS == 0.1)
        // The expected value itself is taken.
        #expect(try writer.send(Data(video[..<Self.videoFrame]), to: 0, pts: error.expectedPTS).frames == 1)
        #expect(code { _ = try writer.beginChunk(stream: 0, pts: .nan) } == .invalidParameter)
        #expect(code { _ = try writer.beginChunk(stream: 0, pts: .infinity) } == .invalidParameter)
    }

    @Test func aSmallAudioGapIsSilence() throws {
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)
        let writer = try StreamWriter(destination: folder.destination("gap.wav"), format: nil)
        _ = try writer.addStream(.audio(config))
        try writer.open()
        try writer.send(Data(audio[..<400]))
        let receipt = try writer.send(Data(audio[..<400]), pts: 110 / 48_000)
        #expect(receipt.frames == 100)
        let summary = try writer.close()
        #expect(summary.streams[0].frames == 200)
        // The silence between them is encoded too.
        #expect(summary.streams[0].framesEncoded == 210)
        let expected = audio[..<400] + Data(count: 40) + audio[..<400]
        #expect(try decodeAudio(folder.path("gap.wav"), codec: "pcm_s16le") == expected)
    }

    @Test func aLongAudioGapJumps() throws {
        let writer = try writer("jump.mp4")
        try writer.send(Data(audio[..<(4 * 1500)]), to: 1)
        let receipt = try writer.send(Data(audio[..<(4 * 2048)]), to: 1, pts: 2)
        #expect(receipt.startPTS == 2)
        #expect(receipt.frames == 2048)
        try writer.send(video, to: 0)
        _ = try writer.close()
        let times = try probeList(folder.path("jump.mp4"), "packet", "pts_time", stream: 1).compactMap(Double.init)
        #expect(times.contains { abs($0 - 2) < 1e-4 })
        #expect(times.filter { $0 > 0.05 && $0 < 1.9 }.isEmpty)
    }
}

/// The code of the error that `body` throws.
func code(_ body: () throws -> Void) -> StreamWriterError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? StreamWriterError)?.code
    }
}
