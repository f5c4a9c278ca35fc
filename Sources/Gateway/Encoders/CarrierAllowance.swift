/// How often one encoder may ask for carriers: for as many as it may have, four times over, and a little more, in one go;
/// then for as many as it may have, each two seconds. One whose destinations all break and are opened again, with pauses,
/// stays far below.
package struct CarrierAllowance: Sendable {
    private let most: Double
    private let perSecond: Double
    private var left: Double
    private var last: ContinuousClock.Instant

    /// `mostOutputs`: how many it may have at a time.
    package init(mostOutputs: Int, now: ContinuousClock.Instant = .now) {
        most = 4 * Double(mostOutputs) + 64
        perSecond = Double(mostOutputs) / 2
        left = most
        last = now
    }

    /// False: it asks too often.
    package mutating func take(at now: ContinuousClock.Instant = .now) -> Bool {
        left = min(most, left + (now - last).inSeconds * perSecond)
        last = now
        if left < 1 { return false }
        left -= 1
        return true
    }
}
