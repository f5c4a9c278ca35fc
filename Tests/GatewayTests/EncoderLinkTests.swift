import Gateway
import Glibc
import HTTPServer
import SystemIO
import Testing
import Threading
import WriterModel

@Suite struct EncoderLinkTests {
    private let encoder: MessageSocket
    private let link: EncoderLink
    private let record = WriterRecord(
        resource: ["state": "closed"], managedFile: nil, outputFiles: [], mediaType: "", creationFingerprint: "")

    init() throws { try self.init(patience: .seconds(2)) }

    private init(patience: Duration) throws {
        let (first, second) = try DescriptorPair.messageSockets().split()
        encoder = MessageSocket(owning: second)
        link = try EncoderLink(writer: WriterID("w")!, socket: MessageSocket(owning: first), patience: patience)
    }

    private static func table(_ salt: UInt8) -> TokenTable {
        TokenTable(salt: [UInt8](repeating: salt, count: 32), groups: [.init(name: nil, scopes: .all, hashes: [])])
    }

    /// Passes a connection, with a request before it that is so long.
    private func pass(
        _ bytes: Int, of byte: UInt8 = 0, giveBack: (LentConnection, [UInt8], UInt8) -> Void = { _, _, _ in }
    ) -> EncoderLink.Passed {
        link.pass(
            LentConnection(owning: dup(2)), isForHead: false, unread: [UInt8](repeating: byte, count: bytes), giveBack: giveBack)
    }

    private func heard() -> [ControlMessage] {
        var heard: [ControlMessage] = []
        while case .message(let bytes, let descriptor) = encoder.receive(waiting: false) {
            if let descriptor { _ = Descriptor(owning: descriptor) }
            if let message = ControlMessage(bytes) { heard.append(message) }
        }
        return heard
    }

    /// Fills the encoder's socket as requests do that it does not take.
    private func fill() {
        while pass(50_000) == .sent {}
    }

    @Test func aStuckEncoderIsToldLaterAndNobodyWaits() {
        fill()
        let limit = Deadline.after(.seconds(20))
        for index in UInt8(0)..<20 { link.tell(tokens: Self.table(index), revision: UInt64(index)) }
        link.tellToEnd()
        link.tellToEnd()
        // A request waits two seconds; telling took none.
        #expect(!limit.hasPassed)
        _ = heard()
        link.tellUntold()
        #expect(heard() == [.tokens(Self.table(19)), .shutDown])
        link.tellUntold()
        link.tellToEnd()
        #expect(heard() == [])
    }

    /// A thread that starts a writer reads the tokens, and may tell them after the loop has told newer ones.
    @Test func olderTokensAreNotToldAfterNewerOnes() {
        link.tell(tokens: Self.table(3), revision: 3)
        link.tell(tokens: Self.table(2), revision: 2)
        #expect(heard() == [.tokens(Self.table(3))])
        fill()
        link.tell(tokens: Self.table(5), revision: 5)
        link.tell(tokens: Self.table(4), revision: 4)
        _ = heard()
        link.tellUntold()
        #expect(heard() == [.tokens(Self.table(5))])
    }

    @Test func tokensThatManyThreadsTellComeInTheirOrder() throws {
        let (threads, revisions) = (8, UInt64(1)...200)
        let done = Monitor(0)
        for _ in 0..<threads {
            try SystemThread.start(name: "tell") { [self] in
                for revision in revisions { link.tell(tokens: Self.table(UInt8(revision)), revision: revision) }
                done.change { $0 += 1 }
            }
        }
        var told: [ControlMessage] = []
        while done.withLock({ $0 }) < threads { told += heard() }
        link.tellUntold()
        told += heard()
        let order = told.compactMap { message in revisions.first { message == .tokens(Self.table(UInt8($0))) } }
        #expect(order.count == told.count && order == order.sorted())
        #expect(order.last == revisions.upperBound)
    }

    @Test func aStuckEncoderKeepsOneThreadWaitingAndNotAll() throws {
        let done = Monitor(0)
        fill()
        for _ in 0..<16 {
            try SystemThread.start(name: "pass") { [self] in
                if pass(50_000) == .behind { done.change { $0 += 1 } }
            }
        }
        #expect(done.wait(until: .after(.seconds(20))) { $0 == 16 ? true : nil } == true)
    }

    /// A burst of requests is no stuck encoder: each waits its turn, and one thread for all.
    @Test func connectionsWaitInLineForAnEncoderThatIsBehind() throws {
        let results = Monitor<[EncoderLink.Passed]>([])
        let scene = try EncoderLinkTests(patience: .seconds(60))
        // More than the socket holds, at 50,000 bytes each.
        for _ in 0..<64 {
            try SystemThread.start(name: "pass") {
                let sent = scene.pass(50_000)
                results.change { $0.append(sent) }
            }
        }
        // All but one have gone before anything was taken.
        #expect(results.wait(until: .after(.seconds(30))) { $0.count >= 63 ? true : nil } == true)
        let messages = Monitor(0)
        let limit = Deadline.after(.seconds(60))
        while messages.withLock({ $0 }) < 64 && !limit.hasPassed {
            let count = scene.heard().count
            messages.change { $0 += count }
            SystemThread.sleep(.milliseconds(5))
        }
        #expect(messages.withLock { $0 } == 64)
        #expect(results.wait(until: .after(.seconds(60))) { $0.count == 64 ? true : nil } == true)
        #expect(results.withLock { $0 } == [EncoderLink.Passed](repeating: .sent, count: 64))
    }

    @Test func connectionsThatWaitedInVainAreGivenBack() throws {
        let results = Monitor<[EncoderLink.Passed]>([])
        let givenBack = Monitor<[Int]>([])
        for index in 0..<32 {
            try SystemThread.start(name: "pass") { [self] in
                let sent = pass(50_000, of: UInt8(index)) { _, unread, _ in
                    givenBack.change { $0.append(unread.count) }
                }
                results.change { $0.append(sent) }
            }
        }
        #expect(results.wait(until: .after(.seconds(30))) { $0.count == 32 ? true : nil } == true)
        let refused = results.withLock { $0.count { $0 == .behind } }
        let inTheSocket = heard().count
        #expect(givenBack.withLock { $0.allSatisfy { $0 == 50_000 } })
        #expect(inTheSocket + refused + givenBack.withLock { $0.count } == 32)
        #expect(givenBack.withLock { $0.count } > 0)
        // Once it takes some again, it is passed some again.
        #expect(pass(0) == .sent)
    }

    @Test func aWriterEndsOnceWhateverIsSaidAfterwards() {
        for message in [ControlMessage.claim(.nothing), .concluded(.closed), .discarded, .concluded(.closed), .snapshot(record)] {
            #expect(encoder.send(message.encoded) == .sent)
        }
        guard case .claimed(.nothing, isFirst: true)? = link.nextEvent() else { return #expect(Bool(false)) }
        guard case .concluded(.concluded(.closed))? = link.nextEvent() else { return #expect(Bool(false)) }
        for _ in 0..<3 { guard case .changed? = link.nextEvent() else { return #expect(Bool(false)) } }
        if let _ = link.nextEvent() { Issue.record("one event too many") }
        // From here on nothing is passed to it.
        guard case .ended = encoder.receive(waiting: true) else { return #expect(Bool(false)) }
        #expect(pass(0) == .peerGone)
    }
}
