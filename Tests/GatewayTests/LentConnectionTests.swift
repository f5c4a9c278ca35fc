import Gateway
import Glibc
import HTTPServer
import SystemIO
import Testing
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
        let settings = EncoderStart(
            role: .writer, writer: WriterID("w")!, createdAt: .now(), idempotencyKey: nil, folder: "", outputDirectory: "",
            ownersFolder: nil, limits: ServiceLimits(), policy: OutputPolicy(), serverPorts: [], requiresSandbox: false,
            version: "", logsRequests: false, asksForTokens: false)
        #expect(scene.link.start(settings, tokens: nil))
        guard case .message(_, let shared?) = scene.encoder.receive(waiting: false) else { return #expect(Bool(false)) }
        let marks = try SharedMarks(owning: shared)
        var clients: [Int32] = []
        defer { for client in clients { close(client) } }
        for _ in 0..<12 {
            var pair: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            clients.append(pair[1])
            #expect(scene.pass(LentConnection(owning: pair[0]), of: Self.reader) == .sent)
        }
        let slots = scene.arrived()
        marks[Int(slots[3])] = UInt32(ServedState.idle.rawValue)
        #expect(scene.pass(of: Self.reader) == .sent)
        let ended = clients.indices.filter { Socket.hasPeerEnded(clients[$0]) }
        #expect(ended == [3])
        // Once; the others are at work.
        #expect(scene.pass(of: Self.reader) == .beyondShare(Self.reader))
    }
}
