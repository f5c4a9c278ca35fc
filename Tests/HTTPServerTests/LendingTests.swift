import Glibc
import HTTP1
import HTTPServer
import SystemIO
import Synchronization
import Testing
import Threading

/// Connections that one server lends to another, as the gateway does to encoders.
@Suite struct LendingTests {
    /// Lends every request but "/mine" to another server, and takes back what comes back.
    private final class Lender: RequestHandler {
        let marks: SharedMarks
        let lent = Monitor<[Int: LentConnection]>([:])
        let ends = Monitor<[Loan.End]>([])
        let borrower = Mutex<HTTPServer?>(nil)
        let server = Mutex<HTTPServer?>(nil)
        /// The other process has the connection and does nothing with it.
        let isDead: Bool

        init(isDead: Bool = false) throws {
            marks = try SharedMarks(slots: 20_000)
            self.isDead = isDead
        }

        func handle(_ exchange: Exchange) {
            if exchange.head.target.rawPath == "/mine" { return try! exchange.respond(.text("mine")) }
            _ = exchange.lend { connection, unread in
                lent.change { $0[7] = connection }
                if isDead { return true }
                let loan = Loan(marks: marks, slot: 7) { [self] end in
                    ends.change { $0.append(end) }
                    finish { $0.close($1, end) }
                }
                borrower.withLock { $0 }!.adopt(Descriptor(duplicating: connection.descriptor)!, unread: unread, loan: loan)
                return true
            }
        }

        func finish(_ body: (HTTPServer, LentConnection) -> Void) {
            guard let connection = lent.change({ $0.removeValue(forKey: 7) }) else { return }
            body(server.withLock { $0 }!, connection)
        }

        func response(to refusal: Refusal, requestID: String) -> Response { .text("refused", .badRequest) }
    }

    /// Hands "/mine" back to the lender, and cuts "/cut".
    private struct Borrower: RequestHandler {
        let demo = Demo()
        let lender: Lender

        func handle(_ exchange: Exchange) {
            guard exchange.head.target.rawPath == "/mine" else { return demo.handle(exchange) }
            _ = exchange.handOff { _, unread in
                lender.finish { $0.takeBack($1, unread: unread) }
                return true
            }
        }

        func response(to refusal: Refusal, requestID: String) -> Response { .text("refused", .badRequest) }

        func takeIdle(_ connection: consuming DetachedConnection) {
            let unread = connection.unread
            lender.finish { $0.takeBack($1, unread: unread) }
        }
    }

    private func pair(lingering time: Duration = .milliseconds(50)) throws -> (Lender, LiveServer, LiveServer) {
        let lender = try Lender()
        let (near, far) = (try LiveServer(lender), try LiveServer(Borrower(lender: lender)) { $0.lingerTime = time })
        lender.server.withLock { $0 = near.server }
        lender.borrower.withLock { $0 = far.server }
        return (lender, near, far)
    }

    private static let mine = "GET /mine HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func aLentConnectionCountsAndComesBack() throws {
        let (lender, near, far) = try pair()
        let client = try near.connect()
        for _ in 0..<20 {
            client.send(ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
            #expect(near.server.connectionCount == 1)
            client.send(ExchangeTests.get + Self.mine + ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
            #expect(client.read(through: "mine").hasSuffix("\r\n\r\nmine"))
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        // Those that it handed back are no longer its own, as soon as their handlers have returned.
        let deadline = Deadline.after(.seconds(60))
        while far.server.connectionCount > 1, !deadline.hasPassed { SystemThread.sleep(.milliseconds(1)) }
        #expect(far.server.connectionCount == 1)
        far.server.drain()
        client.send(Self.mine)
        #expect(client.read(through: "mine").hasSuffix("\r\n\r\nmine"))
        #expect(lender.ends.withLock { $0 } == [])
    }

    @Test func whatTheBorrowerClosesEndsAtOnce() throws {
        let (lender, near, far) = try pair()
        let client = try near.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(client.rest() == ExchangeTests.helloClosing)
        #expect(near.server.awaitEmpty(until: .after(.seconds(60))))
        #expect(lender.ends.withLock { $0 } == [.closed])
        withExtendedLifetime(far) {}
    }

    @Test func whatTheBorrowerBreaksIsReset() throws {
        let (lender, near, far) = try pair()
        let client = try near.connect()
        client.send("GET /cut HTTP/1.0\r\n\r\n")
        _ = client.rest()
        #expect(client.isBroken)
        #expect(near.server.awaitEmpty(until: .after(.seconds(60))))
        #expect(lender.ends.withLock { $0 } == [.broken])
        withExtendedLifetime(far) {}
    }

    @Test func theLenderAnswersForADeadBorrower() throws {
        let lender = try Lender(isDead: true)
        let near = try LiveServer(lender)
        lender.server.withLock { $0 = near.server }
        let client = try near.connect()
        client.send(ExchangeTests.get)
        #expect(lender.lent.wait(until: .after(.seconds(60))) { $0[7] } != nil)
        lender.finish { $0.respond(to: $1, { _ in .text("died", .internalServerError) }, toHead: false) }
        let answer = client.rest()
        #expect(answer.hasPrefix("HTTP/1.1 500 ") && answer.hasSuffix("\r\n\r\ndied"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(near.server.awaitEmpty(until: .after(.seconds(60))))
    }

    @Test func marksSayHowFarARequestIs() throws {
        let (lender, near, far) = try pair()
        let client = try near.connect()
        #expect(lender.marks[7] == 0)
        client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
        while ServedMark(lender.marks[7]).state != .asked { SystemThread.sleep(.milliseconds(1)) }
        client.finishSending()
        #expect(client.rest() == "")
        #expect(far.server.awaitEmpty(until: .after(.seconds(60))))
    }

    private func awaitMark(_ lender: Lender, _ state: ServedState) -> Bool {
        let deadline = Deadline.after(.seconds(60))
        while ServedMark(lender.marks[7]).state != state {
            if deadline.hasPassed { return false }
            SystemThread.sleep(.milliseconds(1))
        }
        return true
    }

    /// Its thread waits for the next request: a process that died then took the connection with it.
    @Test func aConnectionIsIdleBetweenTwoRequests() throws {
        let (lender, near, far) = try pair(lingering: .seconds(30))
        let client = try near.connect()
        // Often enough that the borrower begins to look for the next one without sleeping.
        for _ in 0..<40 {
            client.send(ExchangeTests.get)
            #expect(client.read(through: "hello") == ExchangeTests.hello)
        }
        #expect(awaitMark(lender, .idle))
        // Of what has been read it is told: here behind an answer, and as a part of a head.
        client.send(ExchangeTests.get + "GET /hello")
        #expect(client.read(through: "hello") == ExchangeTests.hello)
        #expect(awaitMark(lender, .asked))
        client.send(" HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(through: "hello") == ExchangeTests.hello)
        #expect(awaitMark(lender, .idle))
        client.send("GET")
        #expect(awaitMark(lender, .asked))
        far.server.drain()
    }

    @Test func marksAreNotTakenFromLessMemory() throws {
        var path = Array("/tmp/marks-XXXXXX".utf8CString)
        let small = mkstemp(&path)
        unlink(path)
        #expect(throws: SystemError.self) { try SharedMarks(owning: small) }
        let marks = try SharedMarks(slots: 20_000)
        let other = try SharedMarks(owning: Descriptor(duplicating: marks.descriptor)!.take())
        other[19_999] = 3
        #expect(marks[19_999] == 3 && other.slots == 20_000 && marks[0] == 0)
        // Neither can make it smaller under the other.
        #expect(ftruncate(marks.descriptor, 0) == -1)
    }
}
