import Foundation
import Libav
import StreamWriter
import Synchronization
import Testing

/// Outputs that something at the other end of a line writes.
@Suite struct CarriedOutputTests {
    let folder = TemporaryFolder()
    let frame = 64 * 48 * 3
    let video = StreamConfig.video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "libx264"))
    let audio = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1, format: .s16, encoder: "aac"))

    private struct All: OutputOpener {
        func permission(toOpen name: String) -> OutputPermission { .granted(protocols: nil) }
    }

    /// A carrier of this process that writes to what the order names.
    private static func carried(_ url: String, format: String, over line: (PairedLine, PairedLine) = PairedLine.pair()) -> Destination {
        let (near, far) = line
        Thread {
            _ = CarrierHost(far).serve(
                judge: { order in .init(.url(order.name), opener: All()) }, refine: { $0 }, whenPeerConnects: { _ in })
            far.end()
        }.start()
        return Destination.url(url).carried(over: near, format: format, bufferSize: nil)
    }

    private func write(_ destination: Destination, format: String) throws -> StreamWriter {
        let writer = try StreamWriter(destination: destination, format: format)
        _ = try writer.addStream(video)
        _ = try writer.addStream(audio)
        try writer.setMetadata(["title": "carried"])
        try writer.open(option: ["max_interleave_delta": "0"])
        for second in 0..<3 {
            try writer.send(pictures(count: 30, bytesPerFrame: frame, seed: UInt64(second)))
            try writer.send(tone(samples: 48_000, channels: 1), to: 1)
        }
        return writer
    }

    @Test(arguments: [("mpegts", "ts"), ("mp4", "mp4"), ("nut", "nut"), ("flv", "flv")], [Int.max, 7])
    func aCarriedOutputIsByteForByteThatOfThisProcess(format: (String, String), piece: Int) throws {
        let (name, ending) = format
        let local = try write(.url(folder.path("local." + ending)), format: name).close()
        let summary = try write(Self.carried(folder.path("carried." + ending), format: name, over: PairedLine.pair(piece: piece)), format: name).close()
        #expect(try folder.bytes("carried." + ending) == folder.bytes("local." + ending))
        #expect(summary.bytesWritten == local.bytesWritten)
        #expect(summary.streams.map(\.packets) == [90, summary.streams[1].packets])
        #expect(summary.outputs[0]?.tracks[0].written.packets == 90)
    }

    /// What is found once the container has ended counts.
    @Test func anOutputThatIsNotWhatWasToBeFailsAtItsEnd() throws {
        let (near, far) = PairedLine.pair()
        let files = Mutex<CarriedFiles?>(nil)
        Thread { [path = folder.path("a.ts")] in
            _ = CarrierHost(far).serve(
                judge: { order in
                    files.withLock { $0 = order.files }
                    return .init(.url(path), opener: All()) { () throws(StreamWriterError) in
                        throw StreamWriterError(.destinationExists, "a.ts exists")
                    }
                }, refine: { $0 }, whenPeerConnects: { _ in })
            far.end()
        }.start()
        let asked = CarriedFiles(ledger: "ledger.1", mostNameBytes: 1_000, overwrites: true)
        let destination = Destination.url(folder.path("a.ts")).carried(over: near, format: "mpegts", bufferSize: nil, files: asked)
        let writer = try write(destination, format: "mpegts")
        #expect(code { _ = try writer.close() } == .destinationExists)
        #expect(files.withLock { $0 } == asked)
    }

    @Test func flushBringsToTheDestinationWhatThereIs() throws {
        let writer = try write(Self.carried(folder.path("a.ts"), format: "mpegts"), format: "mpegts")
        try writer.flush()
        #expect(try folder.bytes("a.ts").count == Int(writer.bytesWritten) && writer.bytesWritten > 10_000)
        writer.abort()
    }

    /// Though no call comes that would.
    @Test func aCarrierThatEndsByItselfTellsTheWriterWhoseOnlyOutputItHas() throws {
        let (near, far) = PairedLine.pair()
        let writer = try write(Self.carried(folder.path("a.ts"), format: "mpegts", over: (near, far)), format: "mpegts")
        try writer.flush()
        #expect(writer.firstFailure == nil)
        far.end()
        let deadline = ContinuousClock.now + .seconds(60)
        while writer.firstFailure == nil, ContinuousClock.now < deadline { usleep(1_000) }
        #expect(writer.firstFailure?.code == .destinationFailed)
        #expect(code { _ = try writer.close() } == .destinationFailed)
    }

    @Test func whyItCanNotBeOpenedIsSaid() throws {
        let writer = try StreamWriter(destination: Self.carried("tcp://127.0.0.1:9", format: "mpegts"), format: "mpegts")
        _ = try writer.addStream(video)
        do {
            try writer.open()
            Issue.record("opened")
        } catch {
            #expect(error.code == .destinationFailed && error.libavError == "Connection refused" && !error.log.isEmpty)
        }
    }

    @Test func anUnknownOptionIsNamed() throws {
        let writer = try StreamWriter(destination: Self.carried(folder.path("a.ts"), format: "mpegts"), format: "mpegts")
        _ = try writer.addStream(video)
        do {
            try writer.open(option: ["mpegts_nothing": "1"])
            Issue.record("opened")
        } catch {
            #expect(error.code == .unknownOption && error.parameter == "option.mpegts_nothing")
        }
    }

    /// At any byte: of what it is told, of a packet, of the end.
    @Test(arguments: [0, 1, 300, 1_000, 5_000, 20_000])
    func aCarrierThatEndsFailsTheWriter(cut: Int) throws {
        let error = code {
            _ = try write(Self.carried(folder.path("a.ts"), format: "mpegts", over: PairedLine.pair(cutAfter: cut)), format: "mpegts").close()
        }
        #expect(error == .destinationFailed)
    }

    @Test func nothingIsBelievedThatNoCarrierSays() throws {
        for bytes in [[UInt8](repeating: 255, count: 64), [99, 4, 0, 0, 0, 1, 2, 3, 4], [19, 0, 0, 0, 0]] {
            let (near, far) = PairedLine.pair()
            let writer = try StreamWriter(
                destination: Destination.url("udp://127.0.0.1:9").carried(over: near, format: "mpegts", bufferSize: nil), format: "mpegts")
            _ = try writer.addStream(video)
            Thread {
                _ = bytes.withUnsafeBytes { far.send([$0]) }
                far.end()
            }.start()
            #expect(code { try writer.open() } == .destinationFailed)
        }
    }

    @Test func anInterruptEndsAnOpeningThatHangs() throws {
        let (near, far) = PairedLine.pair()
        let writer = try StreamWriter(
            destination: Destination.url("udp://127.0.0.1:9").carried(over: near, format: "mpegts", bufferSize: nil), format: "mpegts")
        _ = try writer.addStream(video)
        Thread { writer.interrupt(StreamWriterError(.wrongState, "enough")) }.start()
        #expect(code { try writer.open() } != nil)
        withExtendedLifetime(far) {}
    }

    @Test func aCarrierThatSaysNothingIsGivenUpInTime() throws {
        let (near, far) = PairedLine.pair()
        let writer = try StreamWriter(
            destination: Destination.url("icecast://127.0.0.1:9/a").carried(over: near, format: "mp3", bufferSize: nil), format: "mp3")
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1)))
        #expect(code { try writer.open(timeout: 0.2) } == .destinationTimedOut)
        withExtendedLifetime(far) {}
    }

    @Test func anOutputMayHaveATimeOfItsOwnForOpening() throws {
        let (near, far) = PairedLine.pair()
        var live = OutputConfig(
            name: "live", destination: Destination.url("icecast://127.0.0.1:9/a").carried(over: near, format: "mp3", bufferSize: nil), format: "mp3")
        live.openTimeout = 0.2
        let writer = try StreamWriter(outputs: [live])
        _ = try writer.addStream(.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 1)))
        do {
            try writer.open(timeout: 60)
            Issue.record("opened")
        } catch {
            #expect(error.code == .destinationTimedOut && error.parameter == "open_timeout" && error.message.contains("0.2 seconds"))
        }
        withExtendedLifetime(far) {}
    }

    /// Written by a carrier into a pipe that is never read.
    private static func stuck(_ pipe: Int32, stall: StallBound?) -> Destination {
        // The carrier is left at its pipe when the test ends.
        signal(SIGPIPE, SIG_IGN)
        let (near, far) = PairedLine.pair()
        if stall != nil { near.bringSendingBack() }
        let descriptor = dup(pipe)
        Thread {
            _ = CarrierHost(far).serve(
                judge: { _ in .init(.file(descriptor: descriptor, name: "pipe.ts"), opener: All()) }, refine: { $0 }, whenPeerConnects: { _ in })
            far.end()
        }.start()
        return Destination.url("tcp://127.0.0.1:9").carried(over: near, format: "mpegts", bufferSize: nil, stall: stall)
    }

    /// More than the pipe holds, and less than the socket and the queue.
    private func send(_ writer: StreamWriter) throws {
        _ = try writer.addStream(video)
        try writer.open()
        for _ in 0..<10 { try writer.send(pictures(count: 30, bytesPerFrame: frame)) }
    }

    @Test func aDestinationThatTakesNothingFailsInTimeAndTheOthersEndWell() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var live = OutputConfig(name: "live", destination: Self.stuck(ends[1], stall: StallBound(seconds: 0.3, setting: "--output-stall-timeout")), format: "mpegts")
        live.onFailure = .continue
        let writer = try StreamWriter(outputs: [OutputConfig(name: "record", destination: folder.destination("a.mp4")), live])
        try send(writer)
        _ = try writer.close()
        #expect(writer.outputProgress.map(\.state) == [.closed, .failed])
        #expect(writer.outputProgress[1].error?.message.contains("taken nothing for 0.3 seconds (--output-stall-timeout)") == true)
        #expect(try probe(folder.path("a.mp4"))["nb_read_frames"] == "300")
    }

    @Test func outputsAreGivenUpWhereTheWriterIsToEndInTime() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var live = OutputConfig(name: "live", destination: Self.stuck(ends[1], stall: nil), format: "mpegts")
        live.onFailure = .continue
        let writer = try StreamWriter(outputs: [OutputConfig(name: "record", destination: folder.destination("a.mp4")), live])
        try send(writer)
        let began = ContinuousClock.now
        _ = try writer.close(outputsTime: .milliseconds(300))
        #expect(ContinuousClock.now - began < .seconds(20))
        #expect(writer.outputProgress.map(\.state) == [.closed, .failed])
        #expect(try probe(folder.path("a.mp4"))["nb_read_frames"] == "300")
    }

    /// A live output that is opened again where the line to it breaks.
    private func reconnecting(over line: (PairedLine, PairedLine)) -> OutputConfig {
        let attempts = Attempts()
        var live = OutputConfig(
            name: "live", destination: Self.carried(folder.path("live0.ts"), format: "mpegts", over: line), format: "mpegts")
        live.onFailure = .continue
        live.reconnect = { [folder = folder.url.path] () throws(StreamWriterError) in
            Self.carried("\(folder)/live\(attempts.next()).ts", format: "mpegts")
        }
        return live
    }

    private func awaitLast(_ writer: StreamWriter, _ isReached: (OutputProgress) -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while let last = writer.outputProgress.last, !isReached(last), ContinuousClock.now < deadline { usleep(5_000) }
        let progress = try #require(writer.outputProgress.last)
        #expect(isReached(progress), "\(progress)")
    }

    /// With a live output beside a recording, or alone, that breaks early on and is opened again.
    private func broken(_ beside: OutputConfig?, gop: Int) throws -> StreamWriter {
        let live = reconnecting(over: PairedLine.pair(breakAfter: 5_000))
        let writer = try StreamWriter(outputs: (beside.map { [$0] } ?? []) + [live])
        try begin(writer, gop: gop)
        try awaitLast(writer) { $0.attempts == 2 && $0.state == .open }
        return writer
    }

    /// The first second.
    private func begin(_ writer: StreamWriter, gop: Int) throws {
        // Packets come as pictures do, and not a second later.
        _ = try writer.addStream(
            .video(
                VideoStreamConfig(
                    frameRate: Rational(30, 1)!, width: 64, height: 48, encoder: "libx264",
                    encoderOption: ["tune": "zerolatency", "x264-params": "scenecut=0"], codecConfig: CodecConfig(gopSize: gop))))
        try writer.open()
        try send(second: 0, to: writer)
    }

    private func send(second: Int, to writer: StreamWriter) throws {
        try writer.send(pictures(count: 30, bytesPerFrame: frame, seed: UInt64(second)))
    }

    /// What it had meanwhile is counted.
    @Test func anOutputThatBreaksGoesOnFromTheNextKeyFrameAndTheOthersNeverNotice() throws {
        let alone = try StreamWriter(destination: folder.destination("alone.mp4"), format: nil)
        try begin(alone, gop: 30)
        let writer = try broken(OutputConfig(name: "record", destination: folder.destination("a.mp4")), gop: 30)
        for writer in [alone, writer] {
            for second in 1..<3 { try send(second: second, to: writer) }
            _ = try writer.close()
        }
        let progress = writer.outputProgress[1]
        #expect(progress.state == .closed && progress.attempts == 2 && progress.packetsDropped > 0)
        #expect(try folder.bytes("a.mp4") == folder.bytes("alone.mp4"))
        #expect(try probeList(folder.path("live1.ts"), "packet", "flags").first?.hasPrefix("K") == true)
        #expect(try probe(folder.path("live1.ts"))["nb_read_frames"] == "60")
        // Time has gone on: it does not begin anew.
        #expect(try #require(Double(try probe(folder.path("live1.ts"))["start_time"] ?? "")) >= 1)
    }

    /// A client that pauses finds it open again, rather than broken with its next picture.
    @Test func anOutputThatBreaksWhileNothingComesIsOpenedAgain() throws {
        let (near, far) = PairedLine.pair()
        let writer = try StreamWriter(outputs: [reconnecting(over: (near, far))])
        try begin(writer, gop: 10_000)
        try awaitLast(writer) { $0.packets == 30 }
        far.end()
        try awaitLast(writer) { $0.attempts == 2 && $0.state == .open }
        try send(second: 1, to: writer)
        _ = try writer.close()
        #expect(writer.outputProgress[0].packetsDropped == 0)
        #expect(try probeList(folder.path("live1.ts"), "packet", "flags").first?.hasPrefix("K") == true)
        #expect(try probe(folder.path("live1.ts"))["nb_read_frames"] == "30")
    }

    @Test func aKeyFrameIsAskedForWhereNoOtherOutputHasTheStream() throws {
        let writer = try broken(nil, gop: 10_000)
        try send(second: 1, to: writer)
        _ = try writer.close()
        #expect(try probeList(folder.path("live1.ts"), "packet", "flags").first?.hasPrefix("K") == true)
        #expect(try probe(folder.path("live1.ts"))["nb_read_frames"] == "30")
    }

    @Test func aKeyFrameIsAskedForWhereNoneComesByItself() throws {
        let writer = try broken(OutputConfig(name: "record", destination: folder.destination("a.mp4")), gop: 10_000)
        for second in 1..<12 { try send(second: second, to: writer) }
        _ = try writer.close()
        let keys = try probeList(folder.path("a.mp4"), "packet", "flags").indices(of: "K")
        // Ten seconds after the first picture that it could have had; a few are under way when it is asked for.
        #expect(keys.count == 2 && (301...345).contains(keys[1]), "\(keys)")
        #expect(try probeList(folder.path("live1.ts"), "packet", "flags").count == 360 - keys[1])
    }
}

extension [String] {
    fileprivate func indices(of prefix: String) -> [Int] { indices.filter { self[$0].hasPrefix(prefix) } }
}

private final class Attempts: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    func next() -> Int {
        lock.withLock {
            count += 1
            return count
        }
    }
}

/// A socket pair as a line.
private final class PairedLine: ByteLine, @unchecked Sendable {
    private let descriptor: Int32
    private let piece: Int
    /// Bytes that it will get.
    private var left: Int
    /// Bytes that it will send.
    private var leftToSend: Int

    /// The second end gets `piece` bytes at a time, and after `cutAfter` of them none. The first one breaks when it is to
    /// send more than `breakAfter`.
    static func pair(piece: Int = .max, cutAfter: Int = .max, breakAfter: Int = .max) -> (PairedLine, PairedLine) {
        var ends: [Int32] = [0, 0]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (PairedLine(ends[0], leftToSend: breakAfter), PairedLine(ends[1], piece: piece, left: cutAfter))
    }

    private init(_ descriptor: Int32, piece: Int = .max, left: Int = .max, leftToSend: Int = .max) {
        self.descriptor = descriptor
        self.piece = piece
        self.left = left
        self.leftToSend = leftToSend
    }

    deinit { close(descriptor) }

    /// After 300 ms in which nothing was taken.
    func bringSendingBack() {
        var time = timeval(tv_sec: 0, tv_usec: 300_000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ pieces: [UnsafeRawBufferPointer]) -> Bool {
        for piece in pieces {
            leftToSend -= piece.count
            if leftToSend < 0 {
                end()
                return false
            }
            var done = 0
            while done < piece.count {
                let count = Glibc.send(descriptor, piece.baseAddress! + done, piece.count - done, Int32(MSG_NOSIGNAL))
                if count <= 0 { return false }
                done += count
            }
        }
        return true
    }

    func receive(into regions: [UnsafeMutableRawBufferPointer]) -> Int {
        let region = regions.first { !$0.isEmpty }!
        let most = min(region.count, piece, left)
        if most == 0 { return 0 }
        let count = max(0, recv(descriptor, region.baseAddress, most, 0))
        left -= count
        return count
    }

    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
