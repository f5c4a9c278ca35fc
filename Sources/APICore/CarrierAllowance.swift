/// How often one encoder asks for carriers: for as many as it may have, four times over, and a little more, in one go;
/// then for as many as it may have, each two seconds. One whose destinations all break and are opened again, with pauses,
/// stays far below. The encoder keeps to it, and has clients and broken outputs wait; the gateway holds it to a wider one.
public struct CarrierAllowance: Sendable {
    private let most: Double
    private let perSecond: Double
    private let mostOutputs: Double
    private var left: Double
    private var last: ContinuousClock.Instant

    /// `mostOutputs`: how many it may have at a time. `width`: how many times as wide as what the encoder keeps to.
    public init(mostOutputs: Int, width: Int = 1, now: ContinuousClock.Instant = .now) {
        most = Double(width) * (4 * Double(mostOutputs) + 64)
        perSecond = Double(width) * Double(mostOutputs) / 2
        self.mostOutputs = Double(mostOutputs)
        left = most
        last = now
    }

    /// False: it asks too often.
    public mutating func take(at now: ContinuousClock.Instant = .now) -> Bool { take(leaving: 0, now) }

    /// The same, as long as every output of the writer could be opened again once beside it.
    public mutating func takeBesideReopening(at now: ContinuousClock.Instant = .now) -> Bool { take(leaving: mostOutputs, now) }

    private mutating func take(leaving rest: Double, _ now: ContinuousClock.Instant) -> Bool {
        left = min(most, left + (now - last).inSeconds * perSecond)
        last = now
        if left < 1 + rest { return false }
        left -= 1
        return true
    }
}
