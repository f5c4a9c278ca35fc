import HTTP1
import HTTPServer
import SystemIO
import Testing
import Threading

/// Responses that are sent while the request's body is still being read.
@Suite struct ConcurrentResponseTests {
    private static func post(_ version: String = "1.1", _ query: String = "") -> String {
        "POST /transform\(query) HTTP/\(version)\r\nHost: a\r\n"
    }

    private static let chunked = post() + "Transfer-Encoding: chunked\r\n\r\n"

    @Test func whatIsThereIsSentBeforeTheBodyEnds() throws {
        let server = try LiveServer { $0.handlerThreads = 2 }
        let client = try server.connect()
        client.send(Self.chunked)
        for text in ["abc", "defg"] {
            client.send("\(text.utf8.count)\r\n\(text)\r\n")
            #expect(client.read(through: text + "\r\n").hasSuffix("\(text.utf8.count)\r\n\(text)\r\n"))
        }
        client.send("0\r\n\r\n" + ExchangeTests.get)
        #expect(client.read(through: "0\r\n\r\n") == "0\r\n\r\n")
        #expect(client.read(through: "hello") == ExchangeTests.hello)
        #expect(server.server.waitingCount == 0)
    }

    /// A client that has ended its own side still takes what is left.
    @Test func aClientThatSendsEverythingBeforeItReadsGetsEverything() throws {
        let server = try LiveServer { $0.handlerThreads = 2 }
        let client = try server.connect()
        let size = 24 << 20
        client.send(Self.post("1.0") + "Content-Length: \(size)\r\n\r\n")
        client.send([UInt8](repeating: 0x61, count: size))
        client.finishSending()
        #expect(client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(client.countRest() == size)
        #expect(!client.isBroken)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test func anotherResponseIsPossibleWhileNothingWasSent() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send(Self.post("1.1", "?fails") + "Content-Length: 3\r\n\r\nabc" + ExchangeTests.get)
        client.finishSending()
        #expect(client.rest() == "HTTP/1.1 422 Unprocessable Content\r\nDate: *\r\nContent-Length: 6\r\n\r\nfailed" + ExchangeTests.hello)
    }

    @Test func anEmptyResponseHasItsHeadAndItsEnd() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send(Self.post() + "Content-Length: 0\r\n\r\n" + ExchangeTests.get)
        client.finishSending()
        #expect(
            client.rest() == "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ExchangeTests.hello)
    }

    @Test func whatFailsOnceItWasSentBreaksOff() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        let client = try server.connect()
        client.send(Self.chunked + "3\r\nabc\r\n")
        #expect(client.read(through: "abc\r\n").hasSuffix("3\r\nabc\r\n"))
        client.send("nonsense\r\n")
        #expect(client.rest() == "")
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
    }

    /// A client that asked whether to go on is told to before the response begins.
    @Test func continueComesBeforeTheResponse() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send(Self.post() + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        #expect(client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("abc")
        #expect(client.read(through: "0\r\n\r\n").hasSuffix("3\r\nabc\r\n0\r\n\r\n"))
    }

    @Test func aClientThatTakesNothingEndsTheReadingOfItsBody() throws {
        let demo = Demo()
        let server = try LiveServer(demo) { $0.responseTimeout = .milliseconds(300) }
        let client = try server.connect()
        client.send(Self.post("1.1", "?large") + "Content-Length: 3\r\n\r\n")
        #expect(demo.readings.wait(until: .after(.seconds(60))) { $0 == [.interrupted] ? true : nil } == true)
        #expect(server.server.awaitEmpty(until: .after(.seconds(60))))
        withExtendedLifetime(client) {}
    }
}

extension Demo {
    /// Gives the body back as it comes. "?fails": reads it and has nothing; "?large": has much before it reads.
    func transform(_ exchange: Exchange) {
        let output = GrowingFile("")
        let response = exchange.respondWhileReading(.ok, fields: [], following: output.file, output)
        let query = exchange.head.target.query.first?.name
        if query == "large" { output.append(String(repeating: "x", count: 64 << 20)) }
        do throws(RequestBody.Failure) {
            try read(exchange.body) { if query == nil { output.append($0) } }
            readings.change { $0.append(nil) }
            output.end(query == "fails" ? .failed : .complete)
        } catch {
            readings.change { $0.append(error) }
            output.end(.failed)
        }
        if !exchange.finish(response) { try? exchange.respond(.text("failed", .unprocessableContent)) }
    }

    private func read(_ body: RequestBody, _ take: (String) -> Void) throws(RequestBody.Failure) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1_024, alignment: 16)
        defer { memory.deallocate() }
        while true {
            let count = try body.read(into: [memory])
            if count == 0 { return }
            take(String(decoding: memory[..<count], as: UTF8.self))
        }
    }
}
