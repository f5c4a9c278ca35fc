import HTTPServer
import SystemIO
import Testing
import Threading

/// Chunked bodies that are read in their stream's time: 32,000 bytes a second here.
@Suite struct PacingTests {
    private static func head(latency milliseconds: Int) -> String {
        "POST /paced?latency=\(milliseconds) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    }

    private static func piece(_ bytes: String) -> String { "\(String(bytes.utf8.count, radix: 16))\r\n\(bytes)\r\n" }

    private static let end = "0\r\n\r\n"
    /// Far longer than any of this takes: what waits for it is found out.
    private static let long = 1_000_000

    private struct Scene {
        let demo = Demo()
        let server: LiveServer
        let client: Client

        init(_ configure: (inout HTTPServer.Configuration) -> Void = { _ in }) throws {
            server = try LiveServer(demo, configure)
            client = try server.connect()
        }

        /// What has been read, once that is as much.
        func awaitBytes(_ count: Int) -> [String]? {
            demo.takes.wait(until: .after(.seconds(60))) { $0.joined().utf8.count >= count ? $0 : nil }
        }

        func awaitEnd() -> RequestBody.Failure?? {
            demo.readings.wait(until: .after(.seconds(60))) { $0.first }
        }
    }

    @Test func piecesThatComeTogetherAreReadTogether() throws {
        let scene = try Scene()
        let text = String(repeating: "ab", count: 20)
        scene.client.send(Self.head(latency: 1_000))
        // Some of them one by one.
        for _ in 0..<50 { scene.client.send(Self.piece(text)) }
        scene.client.send((0..<50).map { _ in Self.piece(text) }.joined())
        let takes = try #require(scene.awaitBytes(4_000))
        #expect(takes.joined() == String(repeating: text, count: 100))
        #expect(takes.count <= 20, "\(takes.map(\.utf8.count))")
        scene.client.send(Self.end)
        #expect(scene.client.read(through: "read").hasSuffix("read"))
    }

    @Test func whatHasComeIsReadInTimeThoughNoMoreFollows() throws {
        let scene = try Scene()
        scene.client.send(Self.head(latency: 100))
        var sent = ""
        for text in ["a", "bc", "def"] {
            scene.client.send(Self.piece(text))
            sent += text
            #expect(scene.awaitBytes(sent.utf8.count)?.joined() == sent)
        }
    }

    @Test func aPieceAndHalfOfOneAreReadInTime() throws {
        let scene = try Scene()
        scene.client.send(Self.head(latency: 100))
        scene.client.send(Self.piece("abc") + "8\r\ndefg")
        #expect(scene.awaitBytes(7)?.joined() == "abcdefg")
        scene.client.finishSending()
        #expect(scene.awaitEnd() == .some(.cut))
    }

    @Test func theEndOfTheBodyIsSeenWithinTheLatencyAndTheConnectionGoesOn() throws {
        let scene = try Scene()
        scene.client.send(Self.head(latency: 100))
        scene.client.send(Self.piece("abc") + Self.end)
        #expect(scene.client.read(through: "read").hasSuffix("read"))
        // Much shorter than what the body was waited for with.
        scene.client.send(ExchangeTests.get)
        #expect(scene.client.read(through: "hello") == ExchangeTests.hello)
    }

    @Test func muchAtOnceIsNotWaitedWith() throws {
        let scene = try Scene()
        let chunk = String(repeating: "much", count: 25_000)
        scene.client.send(Self.head(latency: 1_000))
        for _ in 0..<5 { scene.client.send(Self.piece(chunk)) }
        // In its stream's time it would take a quarter of a minute.
        #expect(scene.awaitBytes(500_000)?.joined() == String(repeating: chunk, count: 5))
        scene.client.finishSending()
        #expect(scene.awaitEnd() == .some(.cut))
    }

    @Test func aClientThatLeavesIsNoticedAtOnceAndWhatItSentIsKept() throws {
        let scene = try Scene()
        scene.client.send(Self.head(latency: Self.long))
        scene.client.send(Self.piece("abc"))
        scene.client.finishSending()
        #expect(scene.awaitEnd() == .some(.cut))
        #expect(scene.demo.takes.withLock { $0 }.joined() == "abc")
    }

    @Test func aReadingThatIsInterruptedEndsAtOnce() throws {
        let scene = try Scene()
        scene.client.send(Self.head(latency: Self.long))
        scene.client.send(Self.piece("abc"))
        let interrupter = scene.demo.interrupters.wait(until: .after(.seconds(60))) { $0.first }
        interrupter?.interrupt()
        #expect(scene.awaitEnd() == .some(.interrupted))
        #expect(scene.client.read(through: "failed").hasSuffix("failed"))
    }

    @Test func aClientThatStopsIsTimedOutByTheBodyTimeout() throws {
        let scene = try Scene { $0.bodyTimeout = .milliseconds(300) }
        // At once: the time runs from the head on.
        scene.client.send(Self.head(latency: 50) + Self.piece("abc"))
        #expect(scene.awaitEnd() == .some(.timedOut))
        #expect(scene.demo.takes.withLock { $0 }.joined() == "abc")
    }

    @Test func whatComesBeforeBytesThatAreNoChunkIsRead() throws {
        let scene = try Scene()
        scene.client.send(Self.head(latency: 100))
        scene.client.send(Self.piece("abc") + Self.piece("de") + "no chunk\r\n")
        guard case .malformed?? = scene.awaitEnd() else { return #expect(Bool(false), "\(String(describing: scene.awaitEnd()))") }
        #expect(scene.demo.takes.withLock { $0 }.joined() == "abcde")
    }
}

extension Demo {
    func readInTime(_ exchange: Exchange) {
        let latency = exchange.head.target.query("latency").flatMap { Int($0) } ?? 0
        let body = exchange.body
        body.pace(bytesPerSecond: 32_000, latency: .milliseconds(latency))
        interrupters.change { $0.append(body.interrupter) }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1_024, alignment: 16)
        defer { memory.deallocate() }
        do throws(RequestBody.Failure) {
            while !body.isFinished {
                let count = try body.read(into: [memory])
                if count > 0 { takes.change { $0.append(String(decoding: memory[..<count], as: UTF8.self)) } }
            }
            body.endPace()
            readings.change { $0.append(nil) }
            try? exchange.respond(.text("read"))
        } catch {
            body.endPace()
            readings.change { $0.append(error) }
            try? exchange.respond(.text("failed", .badRequest))
        }
    }
}
