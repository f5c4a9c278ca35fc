import HTTPServer
import SystemIO
import Testing
import Threading

/// Clients that are slow on purpose, while others want to be served.
@Suite struct HeldThreadTests {
    private func expectServed(_ server: LiveServer, within limit: Duration = .seconds(20)) throws {
        let started = ContinuousClock.now
        let other = try server.connect()
        other.send(ExchangeTests.get)
        #expect(other.read(through: "hello") == ExchangeTests.hello)
        #expect(ContinuousClock.now - started < limit)
    }

    /// They held half of the threads, for two seconds each.
    @Test func bodiesThatNeverComeHoldNoThread() throws {
        let server = try LiveServer {
            $0.handlerThreads = 1
            $0.closeTimeout = .seconds(60)
        }
        let stuck = try (0..<12).map { _ in try server.connect() }
        for client in stuck {
            client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        try expectServed(server)
        // What does come is read away, and the next request is found behind it.
        stuck[0].send(String(repeating: "x", count: 60))
        stuck[0].send(String(repeating: "x", count: 40) + ExchangeTests.get)
        #expect(stuck[0].read(through: "hello") == ExchangeTests.hello)
    }

    @Test func bodiesThatAreGatheredHoldNoThread() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.handlerThreads = 1 }
        let clients = try (0..<12).map { _ in try server.connect() }
        for client in clients {
            client.send("POST /park HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
            #expect(client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send("abc")
        }
        try expectServed(server)
        for client in clients { client.send("def") }
        #expect(demo.gate.awaitEntered(12))
        try expectServed(server)
        demo.gate.open()
        for client in clients { #expect(client.read(through: "abcdef").hasSuffix("\r\n\r\nabcdef")) }
    }

    @Test func aGatheredBodyThatStaysAwayIsToldOf() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.bodyTimeout = .milliseconds(100) }
        let client = try server.connect()
        demo.gate.open()
        client.send("POST /park HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        #expect(demo.gate.awaitEntered())
    }

    /// A client that had left was waited for as one that had not, with its thread.
    @Test func aClientThatLeavesEndsItsWait() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.handlerThreads = 1 }
        for _ in 0..<40 {
            let client = try server.connect()
            client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        #expect(demo.ended.wait(until: .after(.seconds(60))) { $0.count == 40 ? true : nil } == true)
        #expect(demo.ended.withLock { $0.allSatisfy { $0 == .clientGone } })
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
        #expect(server.server.waitingCount == 0)
    }

    @Test func aFollowerThatLeavesIsForgotten() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.handlerThreads = 1 }
        do {
            let followers = try (0..<40).map { _ in try server.connect() }
            for follower in followers { follower.send("GET /follow HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(demo.growing.awaitFollowers(40))
            withExtendedLifetime(followers) {}
        }
        #expect(demo.growing.awaitFollowers(0))
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test func aFollowerHearsOfEachGrowthAndOfTheEnd() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        let (whole, old) = (try server.connect(), try server.connect())
        whole.send("GET /follow HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(whole.read(through: "one\r\n").hasSuffix("\r\n\r\n3\r\none\r\n"))
        #expect(demo.growing.awaitFollowers(1))
        demo.growing.append("more")
        #expect(whole.read(through: "more\r\n") == "4\r\nmore\r\n")
        old.send("GET /follow HTTP/1.0\r\n\r\n")
        #expect(demo.growing.awaitFollowers(2))
        demo.growing.end(.failed)
        #expect(whole.rest() == "")
        #expect(old.rest().hasSuffix("\r\n\r\nonemore"))
        // Without chunks only a reset tells of it.
        #expect(!whole.isBroken && old.isBroken)
    }

    /// Twelve of them made the server 1 GB large.
    @Test func whatWaitsForClientsIsBounded() throws {
        let server = try LiveServer {
            $0.handlerThreads = 2
            $0.maxHeldBytes = 80 << 20
        }
        let lazy = try (0..<12).map { _ in try server.connect() }
        for client in lazy { client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n") }
        for client in lazy { #expect(client.read(count: 15) == "HTTP/1.1 200 OK") }
        try expectServed(server)
        #expect(server.server.heldBytes <= 80 << 20)
        // The last one counts a moment before an older one is given up for it.
        let limit = Deadline.after(.seconds(60))
        while server.server.waitingCount > 2, !limit.hasPassed { SystemThread.sleep(.milliseconds(1)) }
        #expect(!limit.hasPassed)
        // The one that came last was let wait.
        lazy[11].finishSending()
        #expect(lazy[11].countRest() > 32 << 20)
    }

    /// What all have is not one client's to give up, and neither is a head that was sent.
    @Test func whatIsSharedOrSentIsNotHeld() throws {
        let server = try LiveServer { $0.maxHeldBytes = 1 << 20 }
        let lazy = try (0..<6).map { _ in try server.connect() }
        for client in lazy { client.send("GET /shared HTTP/1.1\r\nHost: a\r\n\r\n") }
        for client in lazy { #expect(client.read(count: 15) == "HTTP/1.1 200 OK") }
        while server.server.waitingCount < 6 { SystemThread.sleep(.milliseconds(1)) }
        #expect(server.server.heldBytes == 0)
        for client in lazy {
            client.finishSending()
            #expect(client.countRest() > 32 << 20)
        }
    }

    /// They were in no bound: 9,000 of 30 KB made the server 250 MB larger.
    @Test func partsOfHeadsAreHeldWithinTheBound() throws {
        let server = try LiveServer {
            $0.maxHeldBytes = 1 << 20
            $0.closeTimeout = .seconds(60)
        }
        let part = "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 30_000)
        var clients: [Client] = []
        let limit = Deadline.after(.seconds(60))
        for _ in 0..<60 {
            let client = try server.connect()
            let before = server.server.heldBytes
            client.send(part)
            clients.append(client)
            // One after the other, so that the first is the oldest. Each whole part makes one more, or some fewer.
            var held = before
            while held == before || !held.isMultiple(of: part.utf8.count), !limit.hasPassed {
                SystemThread.sleep(.milliseconds(1))
                held = server.server.heldBytes
            }
            #expect(held <= 1 << 20)
        }
        #expect(!limit.hasPassed)
        let full = clients[0].rest()
        #expect(full.hasPrefix("HTTP/1.1 503 ") && full.hasSuffix("full"))
        try expectServed(server)
        // The last ones' heads may still come.
        clients[59].send("\r\n\r\n")
        #expect(clients[59].read(through: "hello") == ExchangeTests.hello)
        clients = []
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
        #expect(server.server.heldBytes == 0)
    }

    @Test func operationalRequestsAreAnsweredWhenNoThreadIsFree() throws {
        let demo = Demo()
        let server = try LiveServer(demo) {
            $0.handlerThreads = 2
            $0.maxQueuedRequests = 2
        }
        let busy = try (0..<4).map { _ in try server.connect() }
        for client in busy { client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(demo.gate.awaitEntered(1))
        let other = try server.connect()
        for _ in 0..<3 {
            other.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(other.read(through: "alive").hasSuffix("\r\n\r\nalive"))
        }
        // What comes behind one on its connection has no claim to its thread.
        other.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(other.read(through: "alive").hasSuffix("\r\n\r\nalive"))
        let last = try server.connect()
        last.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(last.read(through: "alive").hasSuffix("\r\n\r\nalive"))
        demo.gate.open()
    }

    @Test func aClientByItsTokenLeavesThreadsToOthers() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.handlerThreads = 8 }
        let greedy = try (0..<20).map { _ in try server.connect() }
        for client in greedy { client.send("GET /wait HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer greedy\r\n\r\n") }
        #expect(demo.gate.awaitEntered(4))
        let other = try server.connect()
        other.send("GET /wait HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer other\r\n\r\n")
        #expect(demo.gate.awaitEntered(5))
        #expect(demo.gate.entered == 5)
        demo.gate.open()
        for client in greedy + [other] { #expect(client.read(through: "waited").hasSuffix("waited")) }
    }

    /// They waited behind what takes longer.
    @Test func healthChecksWaitForNoOtherRequest() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        let busy = try (0..<20).map { _ in try server.connect() }
        for client in busy { client.send("GET /stats HTTP/1.1\r\nHost: a\r\n\r\n") }
        // One address has three of four threads.
        #expect(demo.gate.awaitEntered(3))
        let other = try server.connect()
        other.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(other.read(through: "alive").hasSuffix("\r\n\r\nalive"))
        #expect(demo.gate.entered == 3)
        demo.gate.open()
        for client in busy { #expect(client.read(through: "waited").hasSuffix("waited")) }
    }

    private func get(_ path: String, _ token: String) -> String {
        "GET /\(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n"
    }

    /// Each took a thread of the token's share for as long as one lingers.
    @Test func connectionsThatAreKeptOpenDoNotHoldUpTheirToken() throws {
        let server = try LiveServer {
            $0.handlerThreads = 4
            $0.lingerTime = .seconds(60)
        }
        let started = ContinuousClock.now
        var kept: [Client] = []
        for _ in 0..<40 {
            let client = try server.connect()
            client.send(get("hello", "a"))
            #expect(client.read(through: "hello") == ExchangeTests.hello)
            kept.append(client)
        }
        // Those that lingered go on.
        for client in kept {
            client.send(get("hello", "a"))
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        #expect(ContinuousClock.now - started < .seconds(30))
    }

    /// What a connection's second token did was counted where its first one had been: for ever, and the
    /// token's share was used up.
    @Test func tokensThatTakeTurnsOnAConnectionKeepTheirShares() throws {
        let server = try LiveServer { $0.handlerThreads = 2 }
        let client = try server.connect()
        for _ in 0..<4 {
            client.send(get("hello", "a"))
            #expect(client.read(through: "hello") == ExchangeTests.hello)
            client.send(get("last", "b"))
            #expect(client.read(through: "lasted").hasSuffix("lasted"))
        }
        let other = try server.connect()
        other.send(get("hello", "b"))
        #expect(other.read(through: "hello") == ExchangeTests.hello)
    }

    /// When the server closes, clients that neither read nor send are not waited for.
    @Test func closingEndsThoseThatDoNotReadSoon() throws {
        let server = try LiveServer { $0.closingPatience = .milliseconds(100) }
        let lazy = try (0..<4).map { _ in try server.connect() }
        for client in lazy { client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n") }
        for client in lazy { #expect(client.read(count: 15) == "HTTP/1.1 200 OK") }
        server.server.drain(closing: true)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test func clientsThatDoNotReadHoldNoThread() throws {
        let server = try LiveServer {
            $0.handlerThreads = 2
            $0.responseTimeout = .seconds(60)
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
            $0.closeTimeout = .seconds(60)
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
        func drained(lateHeadTimeout: Duration) throws -> LiveServer {
            let server = try LiveServer {
                $0.answersWhileDraining = true
                $0.lateHeadTimeout = lateHeadTimeout
            }
            server.server.drain()
            return server
        }
        let (patient, impatient) = (try drained(lateHeadTimeout: .seconds(60)), try drained(lateHeadTimeout: .milliseconds(100)))
        let (late, silent) = (try patient.connect(), try impatient.connect())
        late.send(ExchangeTests.get + ExchangeTests.get)
        #expect(late.rest() == ExchangeTests.helloClosing)
        #expect(silent.rest() == ExchangeTests.refusal("408 Request Timeout", "slow head"))
        for server in [patient, impatient] { #expect(server.server.awaitEmpty(until: .after(.seconds(60)))) }
    }
}
