import HTTP1
import HTTPServer
import Synchronization
import Testing

private final class Reports: Sendable {
    private let reports = Mutex<[ExchangeReport]>([])

    var all: [ExchangeReport] { reports.withLock { $0 } }
    func add(_ report: ExchangeReport) { reports.withLock { $0.append(report) } }
}

@Suite struct RequestIDTests {
    private func reports(of requests: [String]) throws -> [ExchangeReport] {
        let reports = Reports()
        let server = try LiveServer { $0.onResponded = { report in reports.add(report) } }
        let client = try server.connect()
        for request in requests { client.send(request) }
        client.finishSending()
        _ = client.rest()
        // The last answer is out a moment before it is reported.
        _ = server.server.awaitEmpty(until: .after(.seconds(60)))
        return reports.all
    }

    @Test func theClientsOwnNameIsKeptAndAnotherIsMade() throws {
        let found = try reports(of: [
            "GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\ntraceparent: 00-a-b-01\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: two words\r\n\r\n",
        ])
        try #require(found.count == 3)
        #expect(found[0].requestID == "mine-1")
        #expect(found[0].traceParent == "00-a-b-01")
        #expect(Set(found.map(\.requestID)).count == 3)
        #expect(!found[2].requestID.contains(" "))
    }

    @Test func aReportTellsWhatWasMoved() throws {
        let found = try reports(of: ["POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"])
        let report = try #require(found.first)
        #expect(report.status == 200)
        #expect(report.bodyBytesRead == 5)
        #expect(report.bodyBytesSent == 5)
        #expect(report.path == "/echo")
        #expect(report.peer?.isLoopback == true)
    }
}
