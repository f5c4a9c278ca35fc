import Gateway
import Glibc
import SystemIO
import Testing
import Threading
import WriterModel

@Suite struct PeerRequestTests {
    /// Neither takes connections nor refuses them: its queue is full.
    private final class BlackHole {
        let address: SocketAddress
        private let listener: Listener
        private var waiting: [Int32] = []

        init(host: String, port: UInt16) throws {
            listener = try Listener(host: host, port: port, backlog: 0)
            address = listener.address
            for _ in 0..<4 { waiting.append(try Socket.beginConnecting(to: address)) }
            // Full with the first that it is told of.
            _ = Socket.waitUntilReadable(listener.descriptor, until: .after(.seconds(60)))
        }

        deinit { for number in waiting { close(number) } }
    }

    /// Responds to one request.
    private static func respond(on listener: Listener) throws {
        try SystemThread.start(name: "peer") {
            var entry = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 10_000) > 0, let number = try? listener.accept() else { return }
            let connection = Descriptor(owning: number)
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let deadline = Deadline.after(.seconds(60))
            _ = buffer.withUnsafeMutableBytes { Socket.receive(connection.number, into: [$0], limit: $0.count, deadline: deadline) }
            let response = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".utf8)
            _ = response.withUnsafeBytes { Socket.sendAll(connection.number, $0, timeout: .seconds(10)) }
        }
    }

    /// What a GET from a peer with these addresses comes to.
    private static func outcome(_ addresses: [SocketAddress], within time: Duration) throws -> String? {
        let loop = try EventLoop()
        let result = Monitor<String?>(nil)
        var peer = PeerDirectory(try PeerPlace.list("n2=http://127.0.0.1:1"), own: NodeName("n1")!).peers[0]
        peer.addresses = addresses
        let request = PeerClient(loop: loop).get("/", from: peer, maxBodyBytes: 100, within: time) { outcome in
            result.change { result in
                switch outcome {
                case .responded(let status, let body, _): result = "\(status) \(String(decoding: body, as: UTF8.self))"
                case .failed(let reason): result = reason.rawValue
                }
            }
        }
        loop.post(at: .after(time)) { request?.giveUp(.timeout) }
        try SystemThread.start(name: "loop") { loop.run() }
        defer { loop.stop() }
        return result.wait(until: .after(time + .seconds(60))) { $0 }
    }

    /// The node was missing from every list, as the whole wait went to the address that its name had first.
    @Test func aSilentAddressHoldsUpNoOtherOfItsNode() throws {
        let hole = try BlackHole(host: "127.0.0.1", port: 0)
        let good = try Listener(host: "127.0.0.1", port: 0)
        try Self.respond(on: good)
        #expect(try Self.outcome([hole.address, hole.address, good.address], within: .seconds(20)) == "200 {}")
        // So short that a quarter of a second would be the whole of it, and so short that a busy machine takes several goes.
        let isReached = try (0..<20).contains { _ in
            let other = try Listener(host: "127.0.0.1", port: 0)
            try Self.respond(on: other)
            return try Self.outcome([hole.address, other.address], within: .milliseconds(250)) == "200 {}"
        }
        #expect(isReached)
    }

    @Test func anAddressThatRefusesIsFollowedByTheNextAtOnce() throws {
        let closed = try Listener(host: "127.0.0.1", port: 0).address
        let good = try Listener(host: "127.0.0.1", port: 0)
        try Self.respond(on: good)
        #expect(try Self.outcome([closed, closed, good.address], within: .seconds(20)) == "200 {}")
        #expect(try Self.outcome([closed, closed], within: .seconds(20)) == "unreachable")
    }

    @Test func addressesThatAreAllSilentEndWithTheirTime() throws {
        let hole = try BlackHole(host: "127.0.0.1", port: 0)
        #expect(try Self.outcome([hole.address, hole.address], within: .milliseconds(100)) == "timeout")
    }
}
