import Bytewise
import WriterModel

/// What one encoder has said of its writer, each thing checked as a client's body is.
struct EncoderWord: Sendable {
    struct Improper: Error {
        let what: String
    }

    enum News {
        case nothing
        /// `isFirst`: with it the writer is made.
        case claimed(OutputClaim, isFirst: Bool)
        /// The first snapshot.
        case madeWriter
        case concluded(EncoderEnd.Outcome)
    }

    /// What its writer may have as `callback_url`.
    var callbacks = CallbackPolicy()
    private(set) var claim: OutputClaim?
    /// Where the writer's end is told, if it has asked for that.
    private(set) var callback: String?
    /// A state of the writer or of an output has changed since `takeChange`.
    private var hasChanged = false
    private var states: [String] = []
    /// The last snapshot tells of outputs one by one.
    var namesOutputs: Bool { states.count > 1 }
    private(set) var state: WriterState?
    private(set) var outcome: EncoderEnd.Outcome?
    /// How and why the writer ended, for the log.
    private(set) var end: WriterEnd?
    /// The last snapshot as it came: as text it is no larger than its message.
    private var snapshot: [UInt8]?

    func record(of writer: WriterID) -> WriterRecord? {
        guard let snapshot, let claim, let json = try? JSONParser.parse(snapshot), let record = WriterRecord(json: json)
        else { return nil }
        return RecordCheck(writer: writer, claim: claim).checked(record)
    }

    /// `bytes` are the message's. After the writer has ended nothing is news.
    mutating func take(_ message: ControlMessage, _ bytes: [UInt8], from link: EncoderLink) throws(Improper) -> News {
        if outcome != nil { return .nothing }
        if link.role != .writer {
            guard case .discarded = message else { throw Improper(what: "what only a writer's says") }
            return conclude(.discarded)
        }
        switch message {
        case .claim(let claim):
            let earlier = self.claim
            if let earlier, !claim.extends(earlier) { throw Improper(what: "another claim") }
            self.claim = claim
            return .claimed(claim, isFirst: earlier == nil)
        case .callback(let url):
            guard callback == nil, claim == nil, (try? callbacks.permit(url).get()) != nil else {
                throw Improper(what: "a callback_url that its writer may not have")
            }
            callback = url
            return .nothing
        case .snapshot(let record):
            let isFirst = state == nil
            try take(record, bytes, of: link.writer)
            return isFirst && state != nil ? .madeWriter : .nothing
        case .end(let end):
            guard self.end == nil else { throw Improper(what: "another end") }
            self.end = end
            return .nothing
        case .concluded(let state):
            guard state.isEnded, claim != nil else { throw Improper(what: "an end that is none") }
            return conclude(.concluded(state))
        case .unkeptRecord(let record):
            guard let claim, record.state.isEnded, record.isOf(link.writer) else {
                throw Improper(what: "a last record that is none")
            }
            return conclude(.unkeptRecord(RecordCheck(writer: link.writer, claim: claim).checked(record)))
        case .discarded: return conclude(.discarded)
        default: return .nothing
        }
    }

    private mutating func take(_ record: WriterRecord, _ bytes: [UInt8], of writer: WriterID) throws(Improper) {
        guard claim != nil else { throw Improper(what: "a snapshot of what was never claimed") }
        guard record.isOf(writer), bytes.count <= RecordBounds.messageBytes else { throw Improper(what: "a snapshot of something else") }
        // Two threads of an encoder may tell in another order than they looked; how it ended is told otherwise.
        guard !record.state.isEnded, record.state.rank >= state?.rank ?? 0 else { return }
        state = record.state
        snapshot = Array(bytes.dropFirst())
        let states = record.states
        if !states.elementsEqual(self.states, by: { $0.isSame(as: $1) }) { (self.states, hasChanged) = (states, true) }
    }

    /// Whether a state of the writer or of one of its outputs has changed since the call before.
    mutating func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }

    private mutating func conclude(_ outcome: EncoderEnd.Outcome) -> News {
        self.outcome = outcome
        return .concluded(outcome)
    }
}

extension WriterRecord {
    /// Of the writer and of its outputs, with how often those were opened.
    fileprivate var states: [String] {
        let outputs = resource["outputs"]?.arrayValue?.compactMap(\.objectValue) ?? []
        return [state.rawValue] + outputs.map { "\($0["state"]?.stringValue ?? "") \($0["attempts"]?.integerValue ?? 0)" }
    }

    /// Whether it names this writer, in a state there is.
    fileprivate func isOf(_ writer: WriterID) -> Bool {
        resource["id"]?.stringValue == writer.text
            && resource["state"]?.stringValue.flatMap(WriterState.init(rawValue:)) != nil
    }
}

extension WriterState {
    /// A writer only goes on to the next; one that could not be finalized is open again.
    fileprivate var rank: Int {
        switch self {
        case .configuring: 0
        case .open, .finalizing: 1
        case .closed, .failed: 2
        }
    }
}
