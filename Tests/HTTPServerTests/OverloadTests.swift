import Glibc
import HTTP1
import HTTPServer
import SystemIO
import Testing
import Threading

@Suite struct OverloadTests {
    static let wait = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
    static let waited = "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Length: 6\r\n\r\nwaited"
    static let full =
        "HTTP/1.1 503 Service Unavailable\r\nDate: *\r\nRetry-After: 1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull"

    @Test func beyondThreadsAndQueueARequestIsRefusedAtOnce() throws {
        let handler = Demo()
        let server = try LiveServer(handler) {
            $0.handlerThreads = 1
            $0.maxQueuedRequests = 1
        }
        let first = try server.connect()
        first.send(Self.wait)
        #expect(handler.gate.awaitEntered())
        let (second, third) = (try server.connect(), try server.connect())
        second.send(Self.wait)
        third.send(Self.wait)
        // One of them is queued, the other refused; whichever is heard first was refused.
        var entries = [second, third].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        #expect(poll(&entries, 2, 60_000) == 1)
        let (refused, queued) = entries[0].revents == 0 ? (third, second) : (second, third)
        #expect(refused.rest() == Self.full)
        handler.gate.open()
        #expect(first.read(through: "waited") == Self.waited)
        #expect(queued.read(through: "waited") == Self.waited)
    }

    @Test func beyondTheLimitAConnectionIsToldSoAndClosed() throws {
        let server = try LiveServer { $0.maxConnections = 2 }
        let kept = [try server.connect(), try server.connect()]
        for client in kept {
            client.send(ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        let refused = try server.connect()
        #expect(refused.rest() == Self.full)
        #expect(!refused.isBroken)
        kept[0].send(ExchangeTests.get)
        #expect(kept[0].read(through: "hello") == ExchangeTests.hello)
    }

    @Test func aFollowedAnswerDoesNotUseUpTheThreads() throws {
        let handler = Demo()
        let server = try LiveServer(handler) { $0.handlerThreads = 1 }
        let followers = try (0..<8).map { _ in try server.connect() }
        for follower in followers { follower.send("GET /follow HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(handler.growing.awaitFollowers(8))
        let other = try server.connect()
        other.send(ExchangeTests.get)
        #expect(other.read(through: "hello") == ExchangeTests.hello)
        handler.growing.end(.complete)
        for follower in followers { #expect(follower.read(through: "0\r\n\r\n").hasSuffix("3\r\none\r\n0\r\n\r\n")) }
    }

    @Test func aThousandIdleConnectionsLeaveNothingOpen() throws {
        ProcessLimits.raiseDescriptors()
        let server = try LiveServer()
        let before = try openDescriptors()
        for _ in 0..<2 {
            var clients: [Client] = []
            for _ in 0..<1_000 { clients.append(try server.connect()) }
            clients[999].send(ExchangeTests.get)
            #expect(clients[999].read(through: "hello") == ExchangeTests.hello)
            #expect(server.server.connectionCount == 1_000)
            clients = []
            #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
        }
        // Tests beside this one have theirs, some of them thousands for a while.
        let limit = Deadline.after(.seconds(60))
        var left = try openDescriptors() - before
        while left >= 500, !limit.hasPassed {
            SystemThread.sleep(.milliseconds(50))
            left = try openDescriptors() - before
        }
        #expect(left < 500)
    }

    private func openDescriptors() throws -> Int { try Directory(path: "/proc/self/fd").entries().count }

    @Test func aSlowHeadIsEndedThoughItsBytesKeepComing() throws {
        let server = try LiveServer {
            $0.headTimeout = .milliseconds(200)
            $0.lingerTime = .milliseconds(50)
        }
        let client = try server.connect()
        // The second head begins while a handler thread lingers with the connection.
        client.send(ExchangeTests.get + "GET /hello HTTP/1.1\r\n")
        #expect(client.read(through: "hello") == ExchangeTests.hello)
        let limit = Deadline.after(.seconds(60))
        while Socket.waitUntilReadable(client.descriptor, until: .after(.milliseconds(20))) == .timedOut, !limit.hasPassed {
            client.send("X: y\r\n")
        }
        #expect(!limit.hasPassed)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test func anIdleConnectionIsClosed() throws {
        let server = try LiveServer { $0.idleTimeout = .seconds(3) }
        let client = try server.connect()
        client.send(ExchangeTests.get)
        #expect(client.rest() == ExchangeTests.hello)
    }

    @Test func drainingGivesIdleConnectionsAwayWithTheirBytes() throws {
        let handler = Demo()
        let server = try LiveServer(handler)
        let (idle, partial, busy) = (try server.connect(), try server.connect(), try server.connect())
        for client in [idle, partial] {
            client.send(ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        partial.send("GET /he")
        busy.send(Self.wait)
        #expect(handler.gate.awaitEntered())
        server.server.drain()
        #expect(handler.idle.wait(until: .after(.seconds(60))) { $0.count == 2 ? true : nil } == true)
        handler.gate.open()
        #expect(busy.read(through: "waited") == Self.waited)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
        let unread = handler.idle.withLock { $0 }.map { String(decoding: $0, as: UTF8.self) }
        #expect(unread.count == 3)
        #expect(unread.filter { !$0.isEmpty }.allSatisfy { "GET /he".hasPrefix($0) })
    }

    @Test func aHandedOffRequestIsAnsweredElsewhereWithAllThatFollows() throws {
        let elsewhere = try LiveServer()
        let server = try LiveServer(Passing(to: elsewhere.server))
        let client = try server.connect()
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + ExchangeTests.get)
        client.finishSending()
        #expect(client.rest() == ExchangeTests.hello + ExchangeTests.hello)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test func aStoppedServerClosesWhatItHeld() throws {
        let client: Client
        do {
            let server = try LiveServer()
            client = try server.connect()
            client.send(ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        #expect(client.rest() == "")
        #expect(!client.isBroken)
    }
}

/// Passes every connection on, by way of a message as between processes.
private struct Passing: RequestHandler {
    private let server: HTTPServer

    init(to server: HTTPServer) { self.server = server }

    func handle(_ exchange: Exchange) {
        _ = exchange.handOff { descriptor, unread in
            guard let (near, far) = try? DescriptorPair.messageSockets().split() else { return false }
            let (sender, receiver) = (MessageSocket(owning: near), MessageSocket(owning: far))
            guard sender.send(unread, passing: descriptor) == .sent,
                case .message(let bytes, let passed?) = receiver.receive(waiting: true)
            else { return false }
            server.adopt(Descriptor(owning: passed), unread: bytes)
            return true
        }
    }

    func response(to refusal: Refusal, requestID: String) -> Response { .text("") }
}
