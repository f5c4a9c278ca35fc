import HTTPServer
import SystemIO
import Testing

/// Clients that are slow on purpose, while others want to be served.
@Suite struct HeldThreadTests {
    private func expectServed(_ server: LiveServer, within limit: Duration = .seconds(1)) throws {
        let started = ContinuousClock.now
        let other = try server.connect()
        other.send(ExchangeTests.get)
        #expect(other.read(through: "hello") == ExchangeTests.hello)
        #expect(ContinuousClock.now - started < limit)
    }

    @Test func bodiesThatNeverComeHoldHalfOfTheThreadsAtMost() throws {
        let server = try LiveServer {
            $0.handlerThreads = 4
            $0.closeTimeout = .seconds(5)
        }
        let stuck = try (0..<12).map { _ in try server.connect() }
        for client in stuck {
            client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        try expectServed(server)
    }

    @Test func clientsThatDoNotReadHoldNoThread() throws {
        let server = try LiveServer {
            $0.handlerThreads = 2
            $0.responseTimeout = .seconds(5)
        }
        let lazy = try (0..<6).map { _ in try server.connect() }
        for client in lazy { client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n") }
        for client in lazy { #expect(client.read(count: 15) == "HTTP/1.1 200 OK") }
        try expectServed(server)
    }

    @Test func aCrowdedAddressIsToldSoAndTakesUpNoPlaces() throws {
        let server = try LiveServer {
            $0.maxConnectionsPerAddress = 2
            $0.maxRefusedPerAddress = 3
            $0.closeTimeout = .seconds(5)
        }
        let kept = [try server.connect(), try server.connect()]
        for client in kept {
            client.send(ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        let others = try (0..<50).map { _ in try server.connect() }
        let told = others.map { $0.rest() }
        #expect(told.count { $0 == ExchangeTests.refusal("429 Too Many Requests", "crowded") } == 3)
        #expect(told.count { $0 == "" } == 47)
        #expect(server.server.connectionCount <= 5)
        kept[0].send(ExchangeTests.get)
        #expect(kept[0].read(through: "hello") == ExchangeTests.hello)
    }

    @Test func aSlowHeadIsToldSo() throws {
        let server = try LiveServer { $0.headTimeout = .milliseconds(100) }
        let client = try server.connect()
        client.send("GET /hello HT")
        #expect(client.rest() == ExchangeTests.refusal("408 Request Timeout", "slow head"))
    }

    @Test func aConnectionWhileDrainingHasOneRequestAnswered() throws {
        let server = try LiveServer {
            $0.answersWhileDraining = true
            $0.lateHeadTimeout = .milliseconds(100)
        }
        server.server.drain()
        let (late, silent) = (try server.connect(), try server.connect())
        late.send(ExchangeTests.get + ExchangeTests.get)
        #expect(late.rest() == ExchangeTests.helloClosing)
        #expect(silent.rest() == ExchangeTests.refusal("408 Request Timeout", "slow head"))
        #expect(server.server.awaitEmpty(until: .after(.seconds(5))))
    }
}
