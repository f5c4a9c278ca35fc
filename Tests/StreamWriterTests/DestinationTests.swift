import Foundation
import StreamWriter
import Synchronization
import Testing

@Suite struct DestinationTests {
    let folder = TemporaryFolder()
    let config = VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48, encoder: "libx264")

    private final class Opener: OutputOpener {
        let answer: OutputPermission
        let names = Mutex<[String]>([])

        init(_ answer: OutputPermission) { self.answer = answer }

        func permission(toOpen name: String) -> OutputPermission {
            names.withLock { $0.append(name) }
            return answer
        }
    }

    @Test(arguments: [nil, ["file"]])
    func aMuxersFilesAreAskedFor(protocols: [String]?) throws {
        let opener = Opener(.granted(protocols: protocols))
        let playlist = folder.path("a.m3u8")
        let writer = try StreamWriter(destination: .url(playlist), format: nil, opener: opener)
        _ = try writer.addStream(.video(config))
        try writer.open(option: ["hls_time": "1"])
        try writer.send(pictures(count: 30, bytesPerFrame: 64 * 48 * 3))
        _ = try writer.close()
        #expect(opener.names.withLock { $0 }.contains { $0.contains("a0.ts") })
        #expect(try probe(playlist)["nb_read_frames"] == "30")
    }

    /// Refused, or granted by protocols that can't open it.
    @Test(arguments: [OutputPermission.refused(reason: "not there"), .granted(protocols: ["tcp"])])
    func whatAMuxerMayNotOpenFailsTheWriter(answer: OutputPermission) throws {
        let writer = try StreamWriter(
            destination: .url(folder.path("b.m3u8")), format: nil, opener: Opener(answer))
        _ = try writer.addStream(.video(config))
        let error = code {
            try writer.open()
            try writer.send(pictures(count: 30, bytesPerFrame: 64 * 48 * 3))
            _ = try writer.close()
        }
        #expect(error == (answer == .granted(protocols: ["tcp"]) ? .destinationFailed : .destinationRefused))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    /// What a URL's protocol opens in turn is held to them too.
    @Test(arguments: ["tcp://127.0.0.1:9", "crypto:/dev/null", "http://127.0.0.1:9/x"])
    func aURLIsOpenedByItsOwnProtocolsOnly(url: String) throws {
        let opener = Opener(.granted(protocols: ["udp", "http"]))
        let writer = try StreamWriter(destination: .url(url), format: "mpegts", opener: opener)
        _ = try writer.addStream(.video(config))
        do {
            try writer.open()
            Issue.record("opened")
        } catch {
            #expect(error.code == .destinationFailed)
            #expect(error.log.contains { $0.contains("not on whitelist") }, "\(error.log)")
        }
        #expect(opener.names.withLock { $0 } == [url])
        writer.abort()
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
