import Libav
import Synchronization
import Threading

/// What other threads than that of its chunk do with a stream, or ask of it. Any thread.
final class LiveState: Sendable {
    let fills: Bool
    let dropsLate: Bool
    /// What goes to its destination may be watched as it comes.
    let isLive: Bool
    /// Whether a thread has the stream's assembler and converter to itself.
    private let turn = Monitor(false)

    init(_ parts: PreparedStream, isLive: Bool) {
        fills = parts.liveTraits.fills
        dropsLate = parts.liveTraits.dropsLate
        self.isLive = isLive
    }

    /// Frames are dropped where they would have to wait for the encoder.
    var neverWaits: Bool { dropsLate && isLive }

    // MARK: Turns

    /// Other threads than its chunk's work on the stream.
    var takesTurns: Bool { fills || dropsLate }

    func takeTurn() {
        guard takesTurns else { return }
        _ = turn.wait { isTaken -> Bool? in
            if isTaken { return nil }
            isTaken = true
            return true
        }
    }

    /// False: another thread has it.
    func tryTakingTurn() -> Bool {
        turn.withLock { isTaken in
            if isTaken { return false }
            isTaken = true
            return true
        }
    }

    func giveTurn() { if takesTurns { turn.change { $0 = false } } }

    /// Runs `body` with the stream's assembler to itself.
    func inTurn<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        takeTurn()
        defer { giveTurn() }
        return try body()
    }
}

/// The rate that an encoder gets with its next frame. Any thread.
final class NextRate: Sendable {
    private let isThere = Atomic(false)
    private let rate = Mutex<EncoderRate?>(nil)

    func put(_ rate: EncoderRate) {
        self.rate.withLock { $0 = rate }
        isThere.store(true, ordering: .releasing)
    }

    func take() -> EncoderRate? {
        guard isThere.load(ordering: .acquiring), isThere.exchange(false, ordering: .acquiring) else { return nil }
        return rate.withLock { $0 }
    }
}
