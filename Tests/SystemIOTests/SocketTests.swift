import Glibc
import SystemIO
import Testing
import Threading

@Suite struct SocketTests {
    private final class End {
        let number: Int32

        init(_ number: Int32) { self.number = number }

        deinit { close(number) }
    }

    private func pair() throws -> (near: End, far: End) {
        let listener = try Listener(host: "127.0.0.1", port: 0)
        let near = End(try Socket.connect(host: "127.0.0.1", port: listener.address.port))
        _ = Socket.waitUntilReadable(listener.descriptor, until: .after(.seconds(60)))
        return (near, End(try #require(try listener.accept())))
    }

    @Test func aReadWaitsNoLongerThanItsDeadline() throws {
        let (near, far) = try pair()
        var byte = [UInt8](repeating: 0, count: 1)
        let progress = byte.withUnsafeMutableBytes {
            Socket.receive(near.number, into: [$0], limit: 1, deadline: .after(.milliseconds(20)))
        }
        #expect(progress == .timedOut)
        withExtendedLifetime(far) {}
    }

    @Test func aReadFillsRegionsInOrderAndKeepsToItsLimit() throws {
        let (near, far) = try pair()
        #expect(send(far.number, "abcdefgh") == .moved(8))
        #expect(Socket.waitUntilReadable(near.number, until: .after(.seconds(60))) == .moved(0))
        var (first, second) = ([UInt8](repeating: 0, count: 3), [UInt8](repeating: 0, count: 9))
        let progress = first.withUnsafeMutableBytes { first in
            second.withUnsafeMutableBytes { second in
                Socket.receive(near.number, into: [first, second], limit: 7, deadline: .after(.seconds(60)))
            }
        }
        #expect(progress == .moved(7))
        #expect(first + second == Array("abcdefg".utf8) + [0, 0, 0, 0, 0])
    }

    @Test func aReadTakesWhatCameBelowTheLowWaterMarkByItsDeadline() throws {
        let (near, far) = try pair()
        Socket.setLowWater(near.number, 100_000)
        #expect(send(far.number, "abc") == .moved(3))
        var bytes = [UInt8](repeating: 0, count: 200_000)
        // The bytes may still be on their way when it first looks.
        var progress = SocketProgress.timedOut
        for _ in 0..<100 where progress == .timedOut {
            progress = bytes.withUnsafeMutableBytes {
                Socket.receive(near.number, into: [$0], limit: 200_000, deadline: .after(.milliseconds(50)))
            }
        }
        #expect(progress == .moved(3))
    }

    @Test func aReadOfNothingIsNotTheEnd() throws {
        let (near, far) = try pair()
        #expect(Socket.receive(near.number, into: [], limit: 5, deadline: .after(.seconds(1))) == .moved(0))
        withExtendedLifetime(far) {}
    }

    @Test func manyRegionsAreSentWhole() throws {
        let (near, far) = try pair()
        let text = (0..<2_000).map { "\($0)," }.joined()
        let total = text.utf8.count
        var bytes = Array(text.utf8)
        let progress = bytes.withUnsafeMutableBytes { bytes in
            let regions = stride(from: 0, to: total, by: 3).map {
                UnsafeRawBufferPointer(rebasing: bytes[$0..<min($0 + 3, total)])
            }
            return Socket.sendAll(near.number, regions, timeout: .seconds(5))
        }
        #expect(progress == .moved(total))
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while received.count < total {
            let progress = buffer.withUnsafeMutableBytes {
                Socket.receive(far.number, into: [$0], limit: $0.count, deadline: .after(.seconds(60)))
            }
            guard case .moved(let count) = progress else { break }
            received += buffer[..<count]
        }
        #expect(String(decoding: received, as: UTF8.self) == text)
    }

    /// sendfile(2) waited in the kernel for ever, past every timeout.
    @Test func aFileSentToAClientThatDoesNotReadWaitsForNothing() throws {
        let folder = TemporaryFolder()
        let file = Descriptor(owning: try Directory(path: folder.path).createFile("big", .onlyIfAbsent))
        #expect(ftruncate(file.number, 64 << 20) == 0)
        let (near, far) = try pair()
        var offset: UInt64 = 0
        while case .moved(let count) = Socket.sendFileAvailable(
            far.number, from: file.number, offset: offset, count: 64 << 20), count > 0 {
            offset += UInt64(count)
        }
        #expect((1..<64 << 20).contains(offset))
        withExtendedLifetime(near) {}
    }

    /// Some bytes now and then kept a thread for as long as the peer liked.
    @Test func aPeerThatTakesLittleAtATimeTimesOut() throws {
        let (near, far) = try pair()
        let isDone = Monitor(false), hasEnded = Monitor(false)
        let reader = near.number
        try SystemThread.start(name: "reader") {
            var buffer = [UInt8](repeating: 0, count: 16 * 1_024)
            while isDone.withLock({ !$0 }) {
                _ = recv(reader, &buffer, buffer.count, 0)
                SystemThread.sleep(.milliseconds(100))
            }
            hasEnded.change { $0 = true }
        }
        let bytes = [UInt8](repeating: 0, count: 64 << 20)
        let began = ContinuousClock.now
        let progress = bytes.withUnsafeBytes { Socket.sendAll(far.number, $0, timeout: .milliseconds(300)) }
        #expect(progress == .timedOut)
        #expect(ContinuousClock.now - began < .seconds(20))
        isDone.change { $0 = true }
        shutdown(far.number, Int32(SHUT_RDWR))
        #expect(hasEnded.wait(until: .after(.seconds(60))) { $0 ? true : nil } == true)
        withExtendedLifetime(near) {}
    }

    @Test func aPaceIsKeptByEachPartOfWhatIsSent() {
        var pace = Pace(.milliseconds(200))
        let first = pace.deadline
        for _ in 0..<63 { pace.moved(1_024) }
        #expect(pace.deadline == first)
        SystemThread.sleep(.milliseconds(10))
        pace.moved(1_024)
        #expect(pace.deadline > first)
    }

    @Test func pressureIsTheFirstOfItsLine() {
        let text = "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n"
        #expect(CPUPressure.parse(text) == 12.5)
        #expect(CPUPressure.parse("full avg10=1.00\n") == nil)
        #expect(CPUPressure.parse("") == nil)
    }

    @Test func aReceiveWaitsAsLongAsTheSocketSays() throws {
        let (near, far) = try pair()
        #expect(Socket.setReceiveTimeout(far.number, .milliseconds(50)))
        let began = ContinuousClock.now
        #expect(receive(far.number) == nil)
        #expect(ContinuousClock.now - began >= .milliseconds(40))
        #expect(Socket.setReceiveTimeout(far.number, .seconds(60)))
        #expect(send(near.number, "a") == .moved(1))
        #expect(receive(far.number) == .moved(1))
        Socket.shutDownWriting(near.number)
        #expect(receive(far.number) == .ended)
    }

    @Test func waitsAreInterruptedAndNoneBeginsAfterwards() throws {
        let waits = InterruptibleWaits()
        let ended = Monitor(0)
        let pairs = try (0..<20).map { _ in try pair() }
        for (_, far) in pairs {
            let descriptor = far.number
            #expect(Socket.setReceiveTimeout(descriptor, .seconds(60)))
            try SystemThread.start(name: "waiter") {
                InterruptibleWaits.admitThread()
                // As one does that serves its client again and again.
                while let progress = waits.wait({ self.receive(descriptor) }) { #expect(progress == .moved(1)) }
                ended.change { $0 += 1 }
            }
        }
        for (near, _) in pairs { #expect(send(near.number, "a") == .moved(1)) }
        waits.interrupt()
        // Half of the time that they would wait by themselves.
        #expect(ended.wait(until: .after(.seconds(30))) { $0 == pairs.count ? true : nil } == true)
        #expect(waits.wait { 1 } == nil)
    }

    /// As a thread does that gets no turn for a while, on a busy system.
    @Test func aWaitThatBeginsLateIsInterruptedAsWell() throws {
        let waits = InterruptibleWaits()
        let (near, far) = try pair()
        let descriptor = far.number
        #expect(Socket.setReceiveTimeout(descriptor, .seconds(60)))
        let (hasBegun, hasEnded) = (Monitor(false), Monitor(false))
        try SystemThread.start(name: "waiter") {
            InterruptibleWaits.admitThread()
            let came = waits.wait { () -> Int? in
                hasBegun.change { $0 = true }
                let late = ContinuousClock.now + .milliseconds(100)
                // Signals come meanwhile.
                while ContinuousClock.now < late {}
                return receive(descriptor) == nil ? nil : 1
            }
            hasEnded.change { $0 = came == nil }
        }
        #expect(hasBegun.wait(until: .after(.seconds(60))) { $0 ? true : nil } == true)
        waits.interrupt()
        #expect(hasEnded.wait(until: .after(.seconds(30))) { $0 ? true : nil } == true)
        withExtendedLifetime(near) {}
    }

    @Test func aSocketWaitsAgainAfterAFileWasSentOnIt() throws {
        let folder = TemporaryFolder()
        let file = Descriptor(owning: try Directory(path: folder.path).createFile("small", .onlyIfAbsent))
        #expect(ftruncate(file.number, 10) == 0)
        let (near, far) = try pair()
        #expect(
            Socket.sendFileAvailable(far.number, from: file.number, offset: 0, count: 10) == .moved(10))
        #expect(fcntl(far.number, F_GETFL) & O_NONBLOCK == 0)
        withExtendedLifetime(near) {}
    }

    private func receive(_ descriptor: Int32) -> SocketProgress? {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { Socket.receive(descriptor, into: $0) }
    }

    private func send(_ descriptor: Int32, _ text: String) -> SocketProgress {
        Array(text.utf8).withUnsafeBytes { Socket.sendAll(descriptor, $0, timeout: .seconds(5)) }
    }
}
