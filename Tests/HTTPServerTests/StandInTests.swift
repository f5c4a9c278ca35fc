import HTTP1
import HTTPServer
import SystemIO
import Testing

/// Answers by another thread, where a handler does not come back.
@Suite struct StandInTests {
    private func respondToAll(_ server: LiveServer) {
        server.server.respondToAll(within: .milliseconds(200)) { id in
            Response(.serviceUnavailable, body: .bytes(Array("instead of \(id)".utf8)))
        }
    }

    @Test func aRequestWhoseHandlerHangsIsAnsweredOnce() throws {
        let demo = Demo()
        let server = try LiveServer(demo)
        let client = try server.connect()
        client.send("GET /wait HTTP/1.1\r\nHost: a\r\nX-Request-Id: one\r\n\r\n")
        #expect(demo.gate.awaitEntered())
        respondToAll(server)
        respondToAll(server)
        demo.gate.open()
        let answer = client.rest()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.hasSuffix("instead of one"))
    }

    @Test func answersThatWereGivenStayAsTheyWere() throws {
        let server = try LiveServer()
        let client = try server.connect()
        client.send(ExchangeTests.get)
        #expect(client.read(through: "hello") == ExchangeTests.hello)
        respondToAll(server)
        client.send(ExchangeTests.get)
        #expect(client.read(through: "hello") == ExchangeTests.hello)
    }
}
