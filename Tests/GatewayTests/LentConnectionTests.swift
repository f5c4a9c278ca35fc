import Gateway
import Glibc
import HTTPServer
import Synchronization
import SystemIO
import Testing
import Threading
import WriterModel

/// Whose connections an encoder may have at a time.
@Suite struct LentConnectionTests {
    private static let reader = WorkerPool.ClientKey.credential(1), owner = WorkerPool.ClientKey.credential(2)

    /// A link, and its encoder's end in the test's hands.
    private struct Scene {
        let encoder: MessageSocket
        let link: EncoderLink
        let shares: LoanShares

        init(connections: Int) throws {
            let (first, second) = try DescriptorPair.messageSockets().split()
            encoder = MessageSocket(owning: second)
            shares = LoanShares(of: connections)
            link = try EncoderLink(writer: WriterID("w")!, socket: MessageSocket(owning: first), shares: shares, slots: connections)
        }

        func pass(_ connection: LentConnection? = nil, of client: WorkerPool.ClientKey, always: Bool = false) -> EncoderLink.Passed {
            let connection = connection ?? LentConnection(owning: dup(2))
            return link.pass(connection, of: [client], isForHead: false, unread: [], always: always)
        }

        /// The encoder's, which it gets as it starts.
        func marks() throws -> SharedMarks {
            let settings = EncoderStart(
                role: .writer, writer: WriterID("w")!, createdAt: .now(), idempotencyKey: nil, folder: "", outputDirectory: "",
                ownersFolder: nil, limits: ServiceLimits(), policy: OutputPolicy(), serverPorts: [], requiresSandbox: false,
                version: "", logsRequests: false, asksForTokens: false)
            #expect(link.start(settings, tokens: nil))
            guard case .message(_, let shared?) = encoder.receive(waiting: false) else { throw SystemError("no marks", number: EPROTO) }
            return try SharedMarks(owning: shared)
        }

        /// The slots of what has arrived.
        func arrived() -> [UInt32] {
            var slots: [UInt32] = []
            while case .message(let bytes, let descriptor) = encoder.receive(waiting: false) {
                if let descriptor { close(descriptor) }
                if case .connection(_, _, let slot)? = ControlMessage(bytes) { slots.append(slot) }
            }
            return slots
        }
    }

    /// 4,096 were once all that one encoder could have, of all clients together.
    @Test func anEncoderHasRoomForEveryConnectionOfTheServer() throws {
        ProcessLimits.raiseDescriptors()
        // Each keeps a descriptor here.
        let count = min(10_000, ProcessLimits.descriptors / 2)
        let scene = try Scene(connections: count)
        var slots: Set<UInt32> = []
        for index in 0..<count {
            #expect(scene.pass(of: .credential(index)) == .sent)
            slots.formUnion(scene.arrived())
        }
        #expect(slots.count == count)
        #expect(scene.pass(of: .credential(-1)) == .behind)
    }

    @Test func noCredentialHasEveryConnection() throws {
        let scene = try Scene(connections: 16)
        // Three quarters of them.
        for _ in 0..<12 { #expect(scene.pass(of: Self.reader) == .sent) }
        #expect(scene.pass(of: Self.reader) == .beyondShare(Self.reader))
        #expect(scene.pass(of: Self.owner) == .sent)
        // What ends its writer is passed all the same.
        #expect(scene.pass(of: Self.reader, always: true) == .sent)
        #expect(scene.pass(of: Self.reader) == .beyondShare(Self.reader))
        // Two that the encoder is done with make room for one.
        for slot in scene.arrived().prefix(2) { #expect(scene.encoder.send(ControlMessage.released(slot: slot, isBroken: false).encoded) == .sent) }
        while scene.link.nextEvent() != nil {}
        #expect(scene.pass(of: Self.reader) == .sent)
        #expect(scene.pass(of: Self.reader) == .beyondShare(Self.reader))
    }

    @Test func sharesAreOfAllEncodersTogether() throws {
        let (one, other) = (try Scene(connections: 16), try DescriptorPair.messageSockets().split())
        let link = try EncoderLink(writer: WriterID("x")!, socket: MessageSocket(owning: other.0), shares: one.shares, slots: 16)
        let encoder = MessageSocket(owning: other.1)
        for _ in 0..<12 { #expect(one.pass(of: Self.reader) == .sent) }
        #expect(link.pass(LentConnection(owning: dup(2)), of: [Self.reader], isForHead: false, unread: []) == .beyondShare(Self.reader))
        #expect(link.pass(LentConnection(owning: dup(2)), of: [Self.owner], isForHead: false, unread: []) == .sent)
        withExtendedLifetime(encoder) {}
    }

    @Test func aClientThatHasItsShareLosesIdleConnectionsFirst() throws {
        let scene = try Scene(connections: 16)
        let marks = try scene.marks()
        var clients: [Int32] = []
        defer { for client in clients { close(client) } }
        for _ in 0..<12 {
            var pair: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            clients.append(pair[1])
            #expect(scene.pass(LentConnection(owning: pair[0]), of: Self.reader) == .sent)
        }
        let slots = scene.arrived()
        marks[Int(slots[3])] = ServedMark(.idle).number
        #expect(scene.pass(of: Self.reader) == .sent)
        let ended = clients.indices.filter { Socket.hasPeerEnded(clients[$0]) }
        #expect(ended == [3])
        // Once; the others are at work.
        #expect(scene.pass(of: Self.reader) == .beyondShare(Self.reader))
    }

    /// One that it had read a request of, without a word of that, is not as it was when it last said something.
    @Test(arguments: [(told: 3, ends: false, found: ServedState.idle), (2, false, .asked), (3, true, .idle), (2, true, .asked)])
    func whatADeadEncoderHasReadIsKnownWithoutItsWord(_ told: UInt32, ends: Bool, found: ServedState) throws {
        let scene = try Scene(connections: 4)
        let marks = try scene.marks()
        let listener = try Listener(host: "127.0.0.1", port: 0)
        let client = try Socket.connect(host: "127.0.0.1", port: listener.address.port)
        var served: Int32?
        while served == nil { served = try listener.accept() }
        let connection = try #require(served)
        // What the gateway has read itself does not count.
        #expect(write(client, "GET", 3) == 3 && take(3, from: connection) == 3)
        #expect(scene.pass(LentConnection(owning: connection), of: Self.reader) == .sent)
        let slot = try #require(scene.arrived().first)
        #expect(write(client, " / a", 4) == 4 && take(3, from: connection) == 3)
        marks[Int(slot)] = ServedMark(.idle, bytesRead: told).number
        if ends {
            shutdown(client, Int32(SHUT_WR))
            let deadline = Deadline.after(.seconds(60))
            while !Socket.hasPeerEnded(connection), !deadline.hasPassed { SystemThread.sleep(.milliseconds(1)) }
        }
        #expect(scene.link.takeLeft().map(\.state) == [found])
        close(client)
    }

    private func take(_ count: Int, from connection: Int32) -> Int {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(connection, &bytes, count, Int32(MSG_WAITALL))
    }

    /// The caller has a connection back, or what settles a dead encoder's connections has it: each would answer.
    @Test func aConnectionThatIsPassedAsItsEncoderEndsHasOneOwner() throws {
        var settled = 0
        for _ in 0..<2_000 {
            let scene = try Scene(connections: 4)
            let left = Mutex<[LentConnection]>([])
            let link = scene.link
            let encoder = scene.encoder
            let end = try WorkerThread(name: "end") {
                shutdown(encoder.descriptor, Int32(SHUT_RDWR))
                left.withLock { $0 = link.takeLeft().map(\.connection) }
            }
            let connection = LentConnection(owning: dup(2))
            let passed = scene.pass(connection, of: Self.reader)
            end.join()
            let isSettled = left.withLock { $0.contains { $0 === connection } }
            #expect(passed == .sent || !isSettled)
            settled += isSettled ? 1 : 0
        }
        #expect(settled > 0)
    }
}
