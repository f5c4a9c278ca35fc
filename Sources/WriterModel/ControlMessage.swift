/// What the gateway and an encoder say to each other on the encoder's control socket. HTTP
/// is the protocol; this only moves connections and tells of state.
public enum ControlMessage: Sendable, Equatable {
    /// Gateway to encoder, first: who the writer is and what holds for it.
    case start(EncoderSettings)
    /// Either way, with the socket: a connection and the bytes read from it that nobody has
    /// used, from the first byte of a request head.
    case connection(unread: [UInt8])
    /// Gateway to encoder: the tokens that hold from now on.
    case tokens([String]?)
    /// Gateway to encoder: end requests, finalize.
    case shutDown
    /// Gateway to encoder: answer with the same.
    case ping
    /// Encoder to gateway: the writer as it is now.
    case snapshot(WriterRecord)
    /// Encoder to gateway: what was counted since the last time.
    case metrics(MetricCounts)
    /// Encoder to gateway, last: the writer has ended, and its record is on disk. From here
    /// on the gateway answers for the writer.
    case record(WriterRecord)
    /// The same, but there was no room for the record on disk: the gateway keeps it.
    case unkeptRecord(WriterRecord)
    /// Encoder to gateway, last: there is no such writer (any more).
    case discarded

    private enum Kind: UInt8 {
        case start = 1, connection, tokens, shutDown, snapshot, record, discarded, metrics, unkeptRecord, ping
    }

    public var encoded: [UInt8] {
        switch self {
        case .start(let settings): [Kind.start.rawValue] + settings.json.encoded
        case .connection(let unread): [Kind.connection.rawValue] + unread
        case .tokens(let tokens):
            [Kind.tokens.rawValue] + EncoderSettings.json(ofTokens: tokens).encoded
        case .shutDown: [Kind.shutDown.rawValue]
        case .ping: [Kind.ping.rawValue]
        case .snapshot(let record): [Kind.snapshot.rawValue] + record.json.encoded
        case .record(let record): [Kind.record.rawValue] + record.json.encoded
        case .unkeptRecord(let record): [Kind.unkeptRecord.rawValue] + record.json.encoded
        case .metrics(let counts): [Kind.metrics.rawValue] + counts.json.encoded
        case .discarded: [Kind.discarded.rawValue]
        }
    }

    /// nil when the bytes are no message of this version.
    public init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first.flatMap(Kind.init(rawValue:)) else { return nil }
        let payload = Array(bytes.dropFirst())
        switch kind {
        case .connection: self = .connection(unread: payload)
        case .shutDown: self = .shutDown
        case .ping: self = .ping
        case .discarded: self = .discarded
        case .start, .tokens, .snapshot, .record, .unkeptRecord, .metrics:
            guard let json = try? JSONParser.parse(payload) else { return nil }
            switch kind {
            case .start:
                guard let settings = EncoderSettings(json: json) else { return nil }
                self = .start(settings)
            case .tokens:
                guard let tokens = EncoderSettings.tokens(fromJSON: json) else { return nil }
                self = .tokens(tokens)
            case .metrics:
                guard let counts = MetricCounts(json: json) else { return nil }
                self = .metrics(counts)
            default:
                guard let record = WriterRecord(json: json) else { return nil }
                switch kind {
                case .snapshot: self = .snapshot(record)
                case .record: self = .record(record)
                default: self = .unkeptRecord(record)
                }
            }
        }
    }
}
