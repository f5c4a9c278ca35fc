import HTTP1
import HTTPServer
import Synchronization
import SystemIO
import Testing
import Threading

/// Responses of a source that is fed from another thread, as a route of server-sent events has.
@Suite struct LiveSourceTests {
    private static let request = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func eventsAreSentWhenTheyComeAndHoldNoThread() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.handlerThreads = 1 }
        let client = try server.connect()
        client.send(Self.request)
        // Its head does not wait for the first event.
        #expect(client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(demo.events.awaitWaiting())
        try SystemThread.start(name: "publisher") { demo.events.publish("data: 1\n\n") }
        #expect(client.read(through: "1\n\n\r\n") == "9\r\ndata: 1\n\n\r\n")
        #expect(demo.events.awaitWaiting())
        let other = try server.connect()
        other.send(ExchangeTests.get)
        #expect(other.read(through: "hello") == ExchangeTests.hello)
        demo.events.publish("data: 2\n\n")
        demo.events.end()
        // The next request is found behind its end.
        #expect(client.read(through: "0\r\n\r\n") == "9\r\ndata: 2\n\n\r\n0\r\n\r\n")
        client.send(ExchangeTests.get)
        #expect(client.read(through: "hello") == ExchangeTests.hello)
        #expect(demo.events.responsesOver == 1)
    }

    @Test func aSourceIsToldThatItsClientHasLeft() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        do {
            let client = try server.connect()
            client.send(Self.request)
            #expect(demo.events.awaitWaiting())
            withExtendedLifetime(client) {}
        }
        #expect(demo.events.awaitOver())
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
        #expect(server.server.waitingCount == 0)
    }

    @Test func aServerThatClosesEndsItWell() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        let client = try server.connect()
        client.send(Self.request)
        #expect(demo.events.awaitWaiting())
        demo.events.publish("data: 1\n\n")
        #expect(demo.events.awaitWaiting())
        server.server.drain(closing: true)
        #expect(client.rest().hasSuffix("data: 1\n\n\r\n0\r\n\r\n"))
        #expect(!client.isBroken)
        #expect(demo.events.awaitOver())
    }

    /// One that begins while the server closes has what is there.
    @Test func aServerThatIsClosingSendsWhatThereIs() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.answersWhileDraining = true }
        demo.events.publish("data: 1\n\n")
        server.server.drain(closing: true)
        let client = try server.connect()
        client.send(Self.request)
        #expect(client.rest().hasSuffix("\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n"))
    }

    @Test func aSourceThatBreaksHasNoLastChunk() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        let client = try server.connect()
        client.send(Self.request)
        #expect(demo.events.awaitWaiting())
        demo.events.fail()
        #expect(client.rest().hasSuffix("Transfer-Encoding: chunked\r\n\r\n"))
        #expect(demo.events.awaitOver())
    }
}

/// Events of one client.
final class EventSource: LivePieceSource {
    private enum End { case well, broken }
    private struct Broken: Error {}
    private struct State {
        var kept: [[UInt8]] = []
        var end: End?
        var wakes = WakeList()
        var over = 0
    }

    private let state = Monitor(State())

    func next() throws -> LivePiece {
        try state.withLock { state in
            if !state.kept.isEmpty { return .piece(state.kept.removeFirst()) }
            switch state.end {
            case .well: return .end
            case .broken: throw Broken()
            case nil: return .nothingYet
            }
        }
    }

    func whenReady(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.change { state in
            state.kept.isEmpty && state.end == nil ? state.wakes.add(wake) : nil
        }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.change { $0.wakes.remove(number) } }
    }

    func publish(_ event: String) { change { $0.kept.append(Array(event.utf8)) } }
    func end() { change { $0.end = .well } }
    func fail() { change { $0.end = .broken } }

    private func change(_ body: (inout State) -> Void) {
        let wakes = state.change { state in
            body(&state)
            return state.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }

    func noteOver() { state.change { $0.over += 1 } }
    var responsesOver: Int { state.withLock { $0.over } }

    /// A response waits for events.
    func awaitWaiting() -> Bool {
        state.wait(until: .after(.seconds(60))) { $0.wakes.count == 1 && $0.kept.isEmpty ? true : nil } ?? false
    }

    func awaitOver() -> Bool { state.wait(until: .after(.seconds(60))) { $0.over == 1 ? true : nil } ?? false }
}

extension Demo {
    func follow(_ source: EventSource, _ exchange: Exchange) {
        exchange.whenOver { source.noteOver() }
        try? exchange.respond(.ok, fields: [("Content-Type", "text/event-stream")], live: source)
    }
}
