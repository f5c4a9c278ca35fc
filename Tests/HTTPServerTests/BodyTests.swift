import Glibc
import HTTPServer
import SystemIO
import Testing

@Suite struct BodyTests {
    /// 3 MB whose bytes are their own positions, so that a byte out of place changes the sum.
    static let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    static let expected = "\(body.count) \(body.reduce(0) { ($0 + Int($1)) & 0xFFFF })"

    static func framed(chunks size: Int, of body: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body
        while !rest.isEmpty {
            let chunk = rest.prefix(size)
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10]
            rest = rest.dropFirst(chunk.count)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    @Test(arguments: [7, 4_099, 16 * 1_024, 100_000, 3_000_000])
    func chunksOfAnySizeArriveWhole(size: Int) throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(Self.framed(chunks: size, of: Self.body[...]) + Array(ExchangeTests.get.utf8))
        client.finishSending()
        let answers = client.rest()
        #expect(answers.contains("\r\n\r\n\(Self.expected)HTTP/1.1 200 OK"))
        #expect(answers.hasSuffix(ExchangeTests.hello))
    }

    @Test func oneByteChunksArriveWhole() throws {
        let server = try LiveServer()
        let client = try server.connect()
        let body = Self.body[..<20_000]
        client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(Self.framed(chunks: 1, of: body))
        client.finishSending()
        #expect(client.rest().hasSuffix("\r\n\r\n20000 \(body.reduce(0) { ($0 + Int($1)) & 0xFFFF })"))
    }

    @Test func aLongBodyArrivesWhole() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: \(Self.body.count)\r\n\r\n")
        client.send(Self.body)
        client.finishSending()
        #expect(client.rest().hasSuffix("\r\n\r\n" + Self.expected))
    }

    /// A wait for many bytes must not outlast what it was for.
    @Test(arguments: [true, false])
    func whatIsShortAfterMuchIsSeenAtOnce(isChunked: Bool) throws {
        let server = try LiveServer()
        let client = try server.connect()
        let body = Self.body[..<400_000]
        let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(body.count)"
        client.send("POST /count HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
        // The reader waits for most of this when the rest is not on its way yet.
        let bytes = isChunked ? Self.framed(chunks: 200_000, of: body) : Array(body)
        for part in [bytes[..<150_000], bytes[150_000..<210_000], bytes[210_000...]] {
            client.send(Array(part))
            usleep(20_000)
        }
        let sum = body.reduce(0) { ($0 + Int($1)) & 0xFFFF }
        #expect(client.read(through: "\r\n\r\n400000 \(sum)").hasSuffix("400000 \(sum)"))
        client.send(ExchangeTests.get)
        #expect(client.read(through: "hello") == ExchangeTests.hello)
    }

    @Test func aClientThatStillSendsSeesTheEarlyAnswerAndNoReset() throws {
        let server = try LiveServer {
            $0.closeTimeout = .seconds(60)
            $0.maxCloseTime = .seconds(120)
        }
        let client = try server.connect()
        client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 48000000\r\n\r\n")
        for _ in 0..<16 { client.send(Self.body) }
        client.finishSending()
        #expect(client.rest() == ExchangeTests.refusal("403 Forbidden", "no"))
        #expect(!client.sendFailed)
        #expect(!client.isBroken)
    }

    @Test func anUnreadBodyThatNeverComesHoldsNoThread() throws {
        let server = try LiveServer {
            $0.handlerThreads = 1
            $0.closeTimeout = .milliseconds(100)
        }
        let stuck = try server.connect()
        stuck.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
        #expect(stuck.read(through: "hello") == ExchangeTests.hello)
        let other = try server.connect()
        other.send(ExchangeTests.get)
        #expect(other.read(through: "hello") == ExchangeTests.hello)
        #expect(stuck.rest() == "")
    }

    @Test func aBodyThatStopsIsTimedOut() throws {
        let server = try LiveServer { $0.bodyTimeout = .milliseconds(100) }
        let client = try server.connect()
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        #expect(client.rest() == ExchangeTests.refusal("408 Request Timeout", "slow"))
    }

    @Test func aClientThatDoesNotReadIsLeft() throws {
        let server = try LiveServer {
            $0.responseTimeout = .milliseconds(100)
            $0.closeTimeout = .milliseconds(100)
        }
        let client = try server.connect()
        client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        // There is a connection by then.
        #expect(client.read(count: 15) == "HTTP/1.1 200 OK")
        #expect(server.server.awaitEmpty(until: .after(.seconds(30))))
        withExtendedLifetime(client) {}
    }
}
