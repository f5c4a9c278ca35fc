import APICore
import HTTPServer
import Synchronization
import SystemIO
import WriterModel

/// The gateway's end of one encoder's control socket, and what the encoder said of its
/// writer. Nothing that it says is believed further than `RecordCheck` goes.
package final class EncoderLink: Sendable {
    package let writer: WriterID
    package let role: EncoderStart.Role
    package let createdAt: Timestamp
    package let idempotencyKey: String?
    /// Of the output directory, in which the writer's paths begin.
    package let folder: String?
    /// In whose turn what it has forked is.
    let client: ForkClient
    private let socket: MessageSocket

    /// What there was no room for yet; of tokens only the last matter.
    private struct Untold {
        var receipt: ControlMessage?
        var tokens: ControlMessage?
        var end: ControlMessage?

        var isEmpty: Bool { receipt == nil && tokens == nil && end == nil }

        func left(_ isLeft: (ControlMessage) -> Bool) -> Untold {
            func kept(_ message: ControlMessage?) -> ControlMessage? { message.flatMap { isLeft($0) ? $0 : nil } }
            return Untold(receipt: kept(receipt), tokens: kept(tokens), end: kept(end))
        }

        /// What is newer goes before `older`.
        func or(_ older: Untold) -> Untold {
            Untold(receipt: receipt ?? older.receipt, tokens: tokens ?? older.tokens, end: end ?? older.end)
        }
    }

    private struct State {
        var said = EncoderWord()
        /// What was told of its writer's outputs.
        var outputs = OutputEvents()
        /// What it was told first, and so goes by.
        var settings: EncoderStart?
        /// What it gets, and beyond which it is none of ours.
        var carriers = CarrierAllowance(mostOutputs: 0)
        var carrierWishes = CarrierAllowance(mostOutputs: 0)
        var end: EncoderEnd
        var token: EventLoop.Token?
        /// Nothing more is heard of it.
        var isOver = false
        var untold = Untold()
        /// Of the tokens that were to be told last.
        var tokensRevision: UInt64 = 0
        /// A thread is sending what is untold, and takes what comes meanwhile.
        var isTelling = false
        var isToldToEnd = false
        var isSettled = false
        var settlementWakes = WakeList()
    }

    private let state: Mutex<State>
    private let queue: PassQueue
    private let lent: LentConnections
    let heartbeat: EncoderHeartbeat

    /// `patience`: how long the encoder may leave its socket full.
    package init(
        writer: WriterID, socket: MessageSocket, role: EncoderStart.Role = .writer, createdAt: Timestamp = .now(),
        idempotencyKey: String? = nil, folder: String? = nil, client: ForkClient = .client(nil), shares: LoanShares = LoanShares(of: 64),
        slots: Int = 64, patience: Duration = .seconds(2)
    ) throws(SystemError) {
        lent = try LentConnections(slots: slots, shares: shares)
        self.writer = writer
        self.socket = socket
        self.role = role
        self.createdAt = createdAt
        self.idempotencyKey = idempotencyKey
        self.folder = folder
        self.client = client
        // The catalog's clients learn no more than that it died.
        state = Mutex(State(end: EncoderEnd(awaitsProcess: role != .catalog)))
        queue = PassQueue(socket, patience: patience)
        heartbeat = EncoderHeartbeat(socket)
    }

    /// The last state the encoder told of, with the counters it has noted since; nil while the writer is being
    /// created.
    package var snapshot: WriterRecord? {
        state.withLock { $0.said }.record(of: writer)?.advanced(to: ProgressMarks(lent.marks))
    }
    /// The same, of its state only.
    package var writerState: WriterState? { state.withLock { $0.said.state } }
    package var claim: OutputClaim? { state.withLock { $0.said.claim } }
    /// Where the writer's end is told.
    var callback: String? { state.withLock { $0.said.callback } }
    /// Whether a state of the writer or of an output has changed since the call before.
    func takeChange() -> Bool { state.withLock { $0.said.takeChange() } }
    /// What the resource says of its writer's outputs that is new.
    func outputEvents(in resource: JSONObject) -> [OutputEvents.Event] { state.withLock { $0.outputs.take(resource, $0.said.claim) } }
    /// There may be news of its writer's outputs: of the only one, that it is there.
    var mayTellOfOutputs: Bool { state.withLock { $0.said.namesOutputs || $0.outputs.isEmpty } }
    /// Its writer has, or had, more than one output.
    var hasSeveralOutputs: Bool { state.withLock { $0.outputs.areSeveral } }
    var outcome: EncoderEnd.Outcome? { state.withLock { $0.said.outcome } }
    /// As its encoder tells of it.
    var writerEnd: WriterEnd? { state.withLock { $0.said.end } }
    package var process: Int32? { state.withLock { $0.end.process } }
    var processEnd: ProcessEnd? { state.withLock { $0.end.processEnd } }
    var killReason: EncoderEnd.KillReason? { state.withLock { $0.end.killReason } }

    var settings: EncoderStart? { state.withLock { $0.settings } }
    /// It has told how its writer ended, or is not heard any more.
    var hasEnded: Bool { state.withLock { $0.isOver || $0.said.outcome != nil } }

    /// Since it was asked for.
    let began = ContinuousClock.now

    /// What is to be done about its end now that this has happened.
    func take(_ event: EncoderEnd.Event) -> [EncoderEnd.Action] { state.withLock { $0.end.take(event) } }

    /// How the writer ended is known, and the gateway responds for it.
    func noteSettled() {
        let wakes = state.withLock { state in
            state.isSettled = true
            return state.settlementWakes.takeAll()
        }
        for wake in wakes { wake() }
    }

    /// Calls `wake` once that is so.
    func whenSettled(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.withLock { state in state.isSettled ? nil : state.settlementWakes.add(wake) }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.withLock { $0.settlementWakes.remove(number) } }
    }

    /// Nothing more comes from the gateway.
    func finish() { socket.finishSending() }

    /// The first messages, while the socket is empty; with them the marks of its connections. False: they
    /// can't be sent.
    package func start(_ settings: EncoderStart, tokens: TokenTable?) -> Bool {
        state.withLock { state in
            state.settings = settings
            state.said.callbacks = settings.callbacks
            state.carriers = CarrierAllowance(mostOutputs: settings.limits.maxOutputs, width: Self.carriersWidth)
            state.carrierWishes = CarrierAllowance(mostOutputs: settings.limits.maxOutputs, width: Self.wishesWidth)
        }
        let marks = lent.marks.descriptor
        guard socket.send(ControlMessage.start(settings).encoded, passing: marks, timeout: .zero) == .sent else { return false }
        guard let tokens else { return true }
        return socket.send(ControlMessage.tokens(tokens).encoded, timeout: .zero) == .sent
    }

    /// Never waits: what an encoder that is behind has no room for is told again later. Threads may come in another
    /// order than the reads of the token file: tokens of a revision before the last one's are not told.
    package func tell(tokens: TokenTable, revision: UInt64) {
        state.withLock { state in
            if revision < state.tokensRevision { return }
            state.tokensRevision = revision
            state.untold.tokens = .tokens(tokens)
        }
        tellUntold()
    }

    /// Once, however often it is called.
    package func tellToEnd() {
        state.withLock { state in
            if state.isToldToEnd { return }
            state.isToldToEnd = true
            state.untold.end = .shutDown
        }
        tellUntold()
    }

    /// Once more: uploads under way are not waited for.
    package func tellToEndNow() {
        state.withLock { $0.untold.end = .shutDown }
        tellUntold()
    }

    /// Its claim is kept, or can't be.
    func tell(_ receipt: ClaimReceipt) {
        state.withLock { $0.untold.receipt = .claimReceipt(receipt) }
        tellUntold()
    }

    /// Tells what there was no room for. One thread at a time sends, so that nothing older comes after what is newer.
    package func tellUntold() {
        while true {
            let next = state.withLock { state -> Untold? in
                if state.isTelling || state.untold.isEmpty { return nil }
                state.isTelling = true
                defer { state.untold = Untold() }
                return state.untold
            }
            guard let next else { return }
            let left = next.left { !isTold($0) }
            state.withLock { state in
                state.isTelling = false
                state.untold = state.untold.or(left)
            }
            if !left.isEmpty { return }
        }
    }

    private func isTold(_ message: ControlMessage) -> Bool {
        switch socket.send(message.encoded, timeout: .zero) {
        case .sent, .peerGone: return true
        case .timedOut: return false
        case .tooLong:
            // Only tokens can be too long. Those of before may let in clients that the new ones do not: no token passes then.
            return isTold(.tokens(.empty))
        }
    }

    package enum Passed: Sendable, Equatable {
        case sent
        /// It is behind, and stays so.
        case behind
        /// One of the client's names has its share of the connections.
        case beyondShare(WorkerPool.ClientKey)
        case tooLong
        case peerGone

        fileprivate init(_ sent: MessageSocket.Sent) {
            switch sent {
            case .sent: self = .sent
            case .timedOut: self = .behind
            case .tooLong: self = .tooLong
            case .peerGone: self = .peerGone
            }
        }
    }

    /// Passes a copy of a connection to the encoder. `always`: whatever share its client has. `giveBack` gets
    /// other connections, which waited for it and could not be sent.
    package func pass(
        _ connection: LentConnection, of clients: [WorkerPool.ClientKey] = [], isForHead: Bool, unread: [UInt8],
        passes: UInt8 = 1, always: Bool = false, giveBack: (LentConnection, [UInt8], UInt8) -> Void = { _, _, _ in }
    ) -> Passed {
        let slot: Int
        switch lent.add(connection, of: clients, isForHead: isForHead, always: always) {
        case .slot(let number): slot = number
        case .full: return .behind
        case .beyondShare(let client): return .beyondShare(client)
        }
        let parcel = Parcel(connection: connection, slot: slot, unread: unread, passes: passes)
        let sent = queue.pass(parcel) { [lent] other in
            if let connection = lent.remove(other.slot) { giveBack(connection, other.unread, other.passes) }
        }
        // The encoder's end may have been settled meanwhile, and this with it: it is not the caller's any more.
        if sent != .sent, lent.remove(slot) == nil { return .sent }
        return Passed(sent)
    }

    /// Whether every client that it was passed has left.
    var isDeserted: Bool { lent.isDeserted }

    /// What an encoder that is gone has left of what it was passed.
    package func takeLeft() -> [(connection: LentConnection, state: ServedState)] { lent.removeAll() }

    package enum Event: ~Copyable {
        case returned(LentConnection, unread: [UInt8], passes: UInt8)
        case released(LentConnection, Loan.End)
        /// A snapshot, or nothing that matters.
        case changed
        /// Once, before the first snapshot: what the writer writes to.
        case claimed(OutputClaim, isFirst: Bool)
        /// Once: the first snapshot.
        case madeWriter
        /// Once: how the writer ended, by the encoder's own word.
        case concluded(EncoderEnd.Outcome)
        /// What its encoder has counted.
        case counted(MetricCounts)
        /// It wants a carrier, which gets the descriptor.
        case carrierWanted(UInt32, store: String?, packets: Descriptor)
        /// No encoder of ours says this.
        case improper(String)
        /// No more will come: the encoder has closed its end.
        case ended
    }

    func watch(on loop: EventLoop, _ onReadable: @escaping @Sendable () -> Void) throws(SystemError) {
        let token = try loop.watch(socket.descriptor, onReadable)
        state.withLock { $0.token = token }
    }

    package var isOver: Bool { state.withLock { $0.isOver } }

    /// From here on nothing is heard of it.
    func unwatch(on loop: EventLoop) {
        let token = state.withLock { state in
            defer { state.token = nil }
            state.isOver = true
            return state.token
        }
        if let token { loop.unwatch(socket.descriptor, token) }
    }

    /// The next thing the encoder said, and how many bytes that was; nil when nothing waits.
    package func nextEvent(_ size: inout Int) -> Event? {
        switch socket.receive(waiting: false) {
        case .nothing: return nil
        case .ended: return .ended
        case .message(let bytes, let descriptor):
            size += bytes.count
            let message = ControlMessage(bytes)
            if case .carrier(let number, let store)? = message { return takeWish(for: number, store, descriptor) }
            if let descriptor {
                _ = Descriptor(owning: descriptor)
                return .improper("a descriptor, which no encoder passes with this")
            }
            guard let message else { return .improper("a message that is none") }
            return take(message, bytes)
        }
    }

    /// An encoder that keeps to its allowance comes nowhere near these, though what it sent meanwhile may arrive at once
    /// when the gateway was held up.
    private static let (carriersWidth, wishesWidth) = (2, 16)

    /// For a carrier. nil: this process had no room for its descriptor, which is closed then.
    private func takeWish(for number: UInt32, _ store: String?, _ descriptor: Int32?) -> Event {
        let packets = descriptor.map { Descriptor(owning: $0) }
        let (isGranted, isProper) = state.withLock { ($0.carriers.take(), $0.carrierWishes.take()) }
        guard role == .writer, isProper else { return .improper(Self.vainWish) }
        guard let packets else { return .changed }
        guard Socket.isLocalStream(packets.number) else { return .improper("a descriptor that is no end of a pair, for a carrier") }
        // It sees that there is none by the end of the pair.
        return isGranted ? .carrierWanted(number, store: store, packets: packets) : .changed
    }

    private static let vainWish = "a wish for a carrier that only a writer's encoder has, or one more than it can have a use for"

    package func nextEvent() -> Event? {
        var size = 0
        return nextEvent(&size)
    }

    private func take(_ message: ControlMessage, _ bytes: [UInt8]) -> Event {
        switch message {
        case .metrics(let counts): return .counted(counts)
        case .ping:
            heartbeat.heardAnswer()
            return .changed
        case .returned(let unread, let passes, let slot):
            guard let connection = lent.remove(Int(slot)) else { return .improper("a connection that it was not given") }
            return .returned(connection, unread: unread, passes: passes)
        case .released(let slot, let isBroken):
            guard let connection = lent.remove(Int(slot)) else { return .improper("a connection that it was not given") }
            return .released(connection, isBroken ? .broken : .closed)
        case .callback, .claim, .snapshot, .end, .concluded, .unkeptRecord, .discarded:
            return take(message, of: bytes)
        case .start, .connection, .tokens, .shutDown, .claimReceipt, .carrier: return .improper("what only the gateway says")
        }
    }

    /// What it says of its writer.
    private func take(_ message: ControlMessage, of bytes: [UInt8]) -> Event {
        do throws(EncoderWord.Improper) {
            switch try state.withLock({ state throws(EncoderWord.Improper) in try state.said.take(message, bytes, from: self) }) {
            case .claimed(let claim, let isFirst):
                if let folder, !claim.lies(in: folder) { return .improper("a claim beyond its token's folder") }
                return .claimed(claim, isFirst: isFirst)
            case .madeWriter: return .madeWriter
            case .concluded(let outcome):
                // From here on the gateway responds for the writer: the encoder reads what was passed to it
                // before, sees the end, hands everything back and goes.
                socket.finishSending()
                return .concluded(outcome)
            case .nothing: return .changed
            }
        } catch {
            return .improper(error.what)
        }
    }
}
