/// What the gateway and an encoder say to each other on the encoder's control socket. HTTP
/// is the protocol; this only moves connections and tells of state.
public enum ControlMessage: Sendable, Equatable {
    /// Gateway to encoder, first: who the writer is and what holds for it.
    case start(EncoderStart)
    /// Gateway to encoder, with the socket: a connection and the bytes read from it and not yet
    /// used, from the first byte of a request head. `passes`: how often the request has been
    /// passed, with this time; `slot`: its number between the two, and where its marks are.
    case connection(unread: [UInt8], passes: UInt8, slot: UInt32)
    /// Encoder to gateway: that connection back, in the same way.
    case returned(unread: [UInt8], passes: UInt8, slot: UInt32)
    /// Encoder to gateway: that connection is to be closed, or broken off.
    case released(slot: UInt32, isBroken: Bool)
    /// Gateway to encoder: the tokens that hold from now on.
    case tokens(TokenTable)
    /// Gateway to encoder: end requests, finalize.
    case shutDown
    /// Gateway to encoder: answer with the same.
    case ping
    /// Encoder to gateway, at most once, before the claim: the URL that the writer's end is told to (`callback_url`).
    case callback(url: String)
    /// Encoder to gateway, once, before the first snapshot: what the writer writes to.
    case claim(OutputClaim)
    /// Gateway to encoder, once: what became of the claim. Until then the writer's creation is not responded to.
    case claimReceipt(ClaimReceipt)
    /// Encoder to gateway: the writer as it is now, without its list of files.
    case snapshot(WriterRecord)
    /// Encoder to gateway: what was counted since the last time.
    case metrics(MetricCounts)
    /// Encoder to gateway, last: the writer has ended, and its record is on disk. From here
    /// on the gateway answers for the writer.
    case concluded(WriterState)
    /// The same, but there was no room for the record on disk: the gateway keeps it. Its list of
    /// files is the last one on disk.
    case unkeptRecord(WriterRecord)
    /// Encoder to gateway, last: there is no such writer (any more).
    case discarded
    /// Encoder to gateway, before one of the last: how and why the writer ended, for the log.
    case end(WriterEnd)
    /// Encoder to gateway, with one end of a stream socket pair: a carrier is wanted, which gets that end, and with
    /// which the encoder speaks on the other. `number` is the encoder's own for it. That the socket ends is all that
    /// the encoder hears of a carrier that it is not given. `store`: the one that the carrier writes to; it gets the keys
    /// of no other, and without one of none.
    case carrier(number: UInt32, store: String? = nil)

    private enum Kind: UInt8 {
        case start = 1, connection, tokens, shutDown, snapshot, concluded, discarded, metrics, unkeptRecord, ping, claim,
            returned, released, claimReceipt, end, carrier, callback
    }

    /// A request is passed from the gateway to its writer's encoder; before that, perhaps, from another
    /// writer's encoder to the gateway, and after it back to the gateway by a writer that has just ended.
    /// One that goes on was never going to arrive.
    public static let maxPasses: UInt8 = 4

    public var encoded: [UInt8] {
        switch self {
        case .start(let settings): [Kind.start.rawValue] + settings.json.encoded
        case .connection(let unread, let passes, let slot): Self.head(.connection, passes, slot) + unread
        case .returned(let unread, let passes, let slot): Self.head(.returned, passes, slot) + unread
        case .released(let slot, let isBroken): Self.head(.released, isBroken ? 1 : 0, slot)
        case .tokens(let table): [Kind.tokens.rawValue] + table.encoded
        case .shutDown: [Kind.shutDown.rawValue]
        case .ping: [Kind.ping.rawValue]
        case .callback(let url): [Kind.callback.rawValue] + Array(url.utf8)
        case .claim(let claim): [Kind.claim.rawValue] + claim.json.encoded
        case .claimReceipt(let receipt): [Kind.claimReceipt.rawValue, receipt.rawValue]
        case .snapshot(let record): [Kind.snapshot.rawValue] + record.withoutFiles.json.encoded
        case .concluded(let state): [Kind.concluded.rawValue] + Array(state.rawValue.utf8)
        case .unkeptRecord(let record): [Kind.unkeptRecord.rawValue] + record.withoutFiles.json.encoded
        case .metrics(let counts): [Kind.metrics.rawValue] + counts.json.encoded
        case .discarded: [Kind.discarded.rawValue]
        case .end(let end): [Kind.end.rawValue] + end.json.encoded
        case .carrier(let number, let store): [Kind.carrier.rawValue] + Self.bytes(of: number) + Array((store ?? "").utf8)
        }
    }

    /// nil when the bytes are no message of this version.
    public init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first.flatMap(Kind.init(rawValue:)) else { return nil }
        let payload = Array(bytes.dropFirst())
        switch kind {
        case .connection, .returned, .released:
            guard payload.count >= 5, let message = Self.read(kind, of: payload) else { return nil }
            self = message
        case .shutDown: self = .shutDown
        case .ping: self = .ping
        case .discarded: self = .discarded
        case .concluded:
            guard let state = WriterState(rawValue: String(decoding: payload, as: UTF8.self)) else { return nil }
            self = .concluded(state)
        case .callback:
            guard let url = String(validating: payload, as: UTF8.self) else { return nil }
            self = .callback(url: url)
        case .claimReceipt:
            guard payload.count == 1, let receipt = ClaimReceipt(rawValue: payload[0]) else { return nil }
            self = .claimReceipt(receipt)
        case .carrier:
            guard payload.count >= 4, let store = String(validating: payload.dropFirst(4), as: UTF8.self), store.isEmpty || WriterID.isName(store)
            else { return nil }
            self = .carrier(number: Self.number(payload.prefix(4)), store: store.isEmpty ? nil : store)
        case .tokens:
            guard let table = TokenTable(payload) else { return nil }
            self = .tokens(table)
        case .start, .claim, .snapshot, .unkeptRecord, .metrics, .end:
            guard let json = try? JSONParser.parse(payload), let message = Self.read(kind, json) else { return nil }
            self = message
        }
    }

    private static func head(_ kind: Kind, _ byte: UInt8, _ slot: UInt32) -> [UInt8] {
        [kind.rawValue, byte] + bytes(of: slot)
    }

    private static func bytes(of number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

    private static func number<Bytes: Sequence<UInt8>>(_ bytes: Bytes) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func read(_ kind: Kind, of payload: [UInt8]) -> ControlMessage? {
        let slot = number(payload[1..<5])
        let unread = Array(payload.dropFirst(5))
        return switch kind {
        case .connection: .connection(unread: unread, passes: payload[0], slot: slot)
        case .returned: .returned(unread: unread, passes: payload[0], slot: slot)
        default: payload[0] <= 1 && unread.isEmpty ? .released(slot: slot, isBroken: payload[0] == 1) : nil
        }
    }

    private static func read(_ kind: Kind, _ json: JSONValue) -> ControlMessage? {
        switch kind {
        case .start: EncoderStart(json: json).map { .start($0) }
        case .claim: OutputClaim(json: json).map { .claim($0) }
        case .metrics: MetricCounts(json: json).map { .metrics($0) }
        case .end: WriterEnd(json: json).map { .end($0) }
        case .snapshot: WriterRecord(json: json).map { .snapshot($0) }
        case .unkeptRecord: WriterRecord(json: json).map { .unkeptRecord($0) }
        case .connection, .returned, .released, .tokens, .shutDown, .ping, .discarded, .concluded, .claimReceipt, .carrier, .callback: nil
        }
    }
}
