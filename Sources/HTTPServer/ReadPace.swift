import Threading

/// When to read a body that comes as it is made: no byte of it waits longer than the latency, and the reader wakes up no
/// more often than that asks for. Says what to wait for, and is told what came; waits for nothing itself.
package struct ReadPace {
    private let patience: Duration
    private let bytesInTime: Double
    /// Bytes on the wire for one of the body: of small pieces much is framing.
    private var expansion = 1.0
    private var wire = 0
    private var body = 0
    /// Bytes come at least once a latency. Otherwise a wait that ends with the latency would mostly find nothing.
    private var isSteady = false
    /// The last read filled its space.
    package private(set) var mayHaveMore = false
    /// When what may have come since the last read must be read.
    package private(set) var due = Deadline.past

    /// The most that is waited for at once: the kernel is to hold it.
    private static let mostBytes = 512 * 1_024.0
    /// Of what comes within the latency, that a client whose clock is slower does not miss it.
    private static let share = 0.875
    private static let mostExpansion = 8.0

    package init(bytesPerSecond: Double, latency: Duration) {
        patience = latency - Self.margin(of: latency)
        bytesInTime = bytesPerSecond * (latency / .seconds(1)) * Self.share
    }

    /// For waking up and passing on what was read.
    private static func margin(of latency: Duration) -> Duration {
        min(latency / 4, max(.milliseconds(2), latency / 20))
    }

    /// Bytes on the wire.
    package var enough: Int { max(1, Int(min(bytesInTime * expansion, Self.mostBytes))) }

    /// On the wire, until `due`; nil: the first, however long that takes, and then what `begin` says.
    package var bytesToAwait: Int? { isSteady ? enough : nil }

    /// The first bytes have come after a while; `here`: how many. How many more belong to them, until `due`; nil: none.
    package mutating func begin(with here: Int) -> Int? {
        isSteady = here < enough
        return isSteady ? enough - here : nil
    }

    /// So many bytes were read, 0 where none had come in time. `filled`: as many as there was space for.
    package mutating func read(_ count: Int, filled: Bool) {
        wire += count
        if count == 0 && !mayHaveMore { isSteady = false }
        mayHaveMore = filled
        if count > 0 { due = .after(patience) }
    }

    /// So many bytes of what was read were the body's.
    package mutating func took(_ count: Int) {
        body += count
        guard body > 0, Double(wire) >= bytesInTime else { return }
        expansion = min(max(Double(wire) / Double(body), 1), Self.mostExpansion)
        (wire, body) = (0, 0)
    }
}
