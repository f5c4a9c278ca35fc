import Glibc
import SystemIO
import Testing
import Threading
import WriterAPI
import WriterModel

/// What a carrier and its encoder have with the socket between them.
@Suite struct HangUpWatchTests {
    /// A process whose main thread is in a call that never comes back.
    @Test func aPeerThatIsGoneIsSeenThoughNobodyReads() throws {
        let (own, other) = try DescriptorPair.streamSockets().split()
        let theirs = Descriptor(owning: other)
        defer { close(own) }
        let written = write(theirs.number, "unread", 6)
        #expect(written == 6)
        let calls = Monitor(0)
        try HangUpWatch.start(on: own, grace: .milliseconds(200)) { calls.change { $0 += 1 } }
        // What is there to be read is no end.
        #expect(calls.wait(until: .after(.milliseconds(300))) { $0 > 0 ? true : nil } == nil)
        let began = ContinuousClock.now
        _ = consume theirs
        #expect(calls.wait(until: .after(.seconds(60))) { $0 == 1 ? true : nil } == true)
        #expect(ContinuousClock.now - began >= .milliseconds(200))
        var bytes = [UInt8](repeating: 0, count: 8)
        let count = read(own, &bytes, 8)
        #expect(count == 6)
    }

    @Test func anEncodersWishForACarrierReachesTheGatewayWithItsSocket() throws {
        let (first, second) = try DescriptorPair.messageSockets().split()
        let gateway = MessageSocket(owning: first)
        let line = GatewayLine(MessageSocket(owning: second), of: WriterID("w")!, log: .init(label: "test"))
        let (own, other) = try DescriptorPair.streamSockets().split()
        let theirs = Descriptor(owning: other)
        defer { close(own) }
        let isAsked = line.requestCarrier(7, passing: theirs)
        #expect(isAsked)
        _ = consume theirs
        guard case .message(let bytes, let passed?) = gateway.receive(waiting: false) else { return #expect(Bool(false)) }
        #expect(ControlMessage(bytes) == .carrier(number: 7))
        let carriers = Descriptor(owning: passed)
        #expect(write(own, "a", 1) == 1)
        var byte: UInt8 = 0
        let count = read(carriers.number, &byte, 1)
        #expect(count == 1 && byte == UInt8(ascii: "a"))
    }

    @Test func aGatewayThatIsGoneTakesNoWish() throws {
        let (first, second) = try DescriptorPair.messageSockets().split()
        let line = GatewayLine(MessageSocket(owning: second), of: WriterID("w")!, log: .init(label: "test"))
        close(first)
        let (own, other) = try DescriptorPair.streamSockets().split()
        let theirs = Descriptor(owning: other)
        defer { close(own) }
        let isAsked = line.requestCarrier(1, passing: theirs)
        #expect(!isAsked)
    }
}
