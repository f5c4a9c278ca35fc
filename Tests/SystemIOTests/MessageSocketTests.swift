import Glibc
import SystemIO
import Testing

@Suite struct MessageSocketTests {
    private func pair() throws -> (MessageSocket, MessageSocket) {
        let (first, second) = try DescriptorPair.messageSockets().split()
        return (MessageSocket(owning: first), MessageSocket(owning: second))
    }

    @Test func messagesKeepTheirBoundaries() throws {
        let (near, far) = try pair()
        let sizes = [1, 2, 1_000, 150_000]
        for (index, size) in sizes.enumerated() {
            #expect(near.send([UInt8](repeating: UInt8(index), count: size)) == .sent)
            guard case .message(let bytes, nil) = far.receive(waiting: false) else {
                Issue.record("no message of \(size) bytes")
                continue
            }
            #expect(bytes == [UInt8](repeating: UInt8(index), count: size))
        }
        guard case .nothing = far.receive(waiting: false) else { return #expect(Bool(false)) }
    }

    @Test func aDescriptorArrivesWithItsMessageAndCloseOnExec() throws {
        let (near, far) = try pair()
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        #expect(near.send([7], passing: ends[1]) == .sent)
        close(ends[1])
        guard case .message([7], let passed?) = far.receive(waiting: true) else { return #expect(Bool(false)) }
        #expect(fcntl(passed, F_GETFD) == FD_CLOEXEC)
        #expect(write(passed, "x", 1) == 1)
        close(passed)
        var byte: [UInt8] = [0, 0]
        #expect(read(ends[0], &byte, 2) == 1)
        #expect(byte[0] == UInt8(ascii: "x"))
        // Every copy is closed: the end is seen.
        #expect(read(ends[0], &byte, 2) == 0)
        close(ends[0])
    }

    @Test func aReceiverThatIsStuckTimesOutAndGetsTheRestLater() throws {
        let (near, far) = try pair()
        let message = [UInt8](repeating: 1, count: 50_000)
        var sent = 0
        while near.send(message, timeout: .zero) == .sent { sent += 1 }
        #expect(sent > 0)
        #expect(near.send(message, timeout: .milliseconds(20)) == .timedOut)
        while case .message = far.receive(waiting: false) { sent -= 1 }
        #expect(sent == 0)
        #expect(near.send(message, timeout: .zero) == .sent)
    }

    @Test func aMessageTooLongIsNotAPeerThatIsGone() throws {
        let (near, far) = try pair()
        #expect(near.send([UInt8](repeating: 0, count: MessageSocket.maxMessageBytes + 1)) == .tooLong)
        #expect(near.send([1]) == .sent)
        guard case .message([1], nil) = far.receive(waiting: false) else { return #expect(Bool(false)) }
    }

    @Test func whatAPeerSentBeforeItClosedWithMessagesUnreadIsRead() throws {
        let near: MessageSocket
        do {
            let (first, second) = try pair()
            near = first
            #expect(near.send([1]) == .sent)
            #expect(second.send([2]) == .sent)
        }
        guard case .message([2], nil) = near.receive(waiting: false) else { return #expect(Bool(false)) }
        guard case .ended = near.receive(waiting: false) else { return #expect(Bool(false)) }
        #expect(near.send([3]) == .peerGone)
    }
}
