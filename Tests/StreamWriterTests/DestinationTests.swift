import Foundation
import StreamWriter
import Synchronization
import Testing

@Suite struct DestinationTests {
    let folder = TemporaryFolder()
    let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264")

    private final class Opened: Sendable {
        let names = Mutex<[String]>([])
        func note(_ url: String) { names.withLock { $0.append(url) } }
    }

    @Test func aMuxerOpensOnlyWhatItMay() throws {
        let opened = Opened()
        let playlist = folder.path("a.m3u8")
        let writer = try StreamWriter(
            destination: .url(playlist), format: nil,
            mayOpen: { url in
                opened.note(url)
                return url.contains("a")
            })
        _ = try writer.addStream(.video(config))
        try writer.open(option: ["hls_time": "1"])
        try writer.send(pictures(count: 30, bytesPerFrame: 64 * 48 * 3))
        _ = try writer.close()
        #expect(opened.names.withLock { $0 }.contains { $0.contains("a0.ts") })
        #expect(try probe(playlist)["nb_read_frames"] == "30")
    }

    @Test func whatAMuxerMayNotOpenFailsTheWriter() throws {
        let writer = try StreamWriter(
            destination: .url(folder.path("b.m3u8")), format: nil, mayOpen: { _ in false })
        _ = try writer.addStream(.video(config))
        let error = code {
            try writer.open()
            try writer.send(pictures(count: 30, bytesPerFrame: 64 * 48 * 3))
            _ = try writer.close()
        }
        #expect(error == .destinationFailed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test func aMuxerOfManyFilesDoesNotTakeADescriptor() throws {
        #expect(code { _ = try StreamWriter(destination: folder.destination("c.m3u8"), format: nil) } == .unsupportedValue)
    }

    @Test func aURLThatCannotBeOpenedNamesTheDestination() throws {
        let writer = try StreamWriter(destination: .url("nosuchprotocol://host/x"), format: "mpegts")
        _ = try writer.addStream(.video(config))
        #expect(code { try writer.open() } == .destinationFailed)
        writer.abort()
    }

    @Test func aPipeTakesWhatNeedsNoSeeking() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let reader = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        let data = tone(samples: 2000, channels: 2)
        let writer = try StreamWriter(destination: .file(descriptor: ends[1], name: "out"), format: "s16le")
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
        try writer.open()
        try writer.send(data)
        _ = try writer.close()
        #expect(reader.readDataToEndOfFile() == data)
    }

    @Test func aPipeNobodyReadsDoesNotHoldAbortUp() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { Glibc.close(ends[0]) }
        let writer = try StreamWriter(destination: .file(descriptor: ends[1], name: "out"), format: "s16le")
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
        try writer.open()
        async let upload = onThread { code { try writer.send(tone(samples: 200_000, channels: 2)) } }
        while writer.bytesWritten < 60_000 { await Task.yield() }
        writer.abort()
        #expect(await upload == .wrongState)
    }

    @Test func aReaderThatGoesAwayIsTheDestinationsFailure() throws {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        Glibc.close(ends[0])
        let writer = try StreamWriter(destination: .file(descriptor: ends[1], name: "out"), format: "s16le")
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s16)))
        try writer.open()
        #expect(code { try writer.send(tone(samples: 200_000, channels: 2)) } == .destinationFailed)
    }

    @Test func libavsOwnFilesAreCountedToo() throws {
        let path = folder.path("own.mkv")
        let writer = try StreamWriter(destination: .url("file:" + path), format: nil)
        _ = try writer.addStream(.video(config))
        try writer.open()
        try writer.send(pictures(count: 30, bytesPerFrame: 64 * 48 * 3))
        let summary = try writer.close()
        #expect(try probe(path)["nb_read_frames"] == "30")
        #expect(summary.bytesWritten >= (try Data(contentsOf: URL(fileURLWithPath: path)).count))
    }

    @Test func aDeviceNeedsNoFile() throws {
        let writer = try StreamWriter(destination: .device("-"), format: "null")
        _ = try writer.addStream(.video(config))
        try writer.open()
        try writer.send(pictures(count: 3, bytesPerFrame: 64 * 48 * 3))
        #expect(try writer.close().streams[0].packets == 3)
    }
}
