/// Pictures that a client wants as key frames, from where they enter the filters to where the encoder gets what
/// became of them. Filters drop pictures, double and hold them: each carries a number through them, and the first
/// that comes out with a wanted one, or with a later one, is the key frame. Where a filter has lost the numbers,
/// times tell.
package struct KeyFrameRequests {
    private var isOfNext = false
    private var entered: Int64 = 0
    private var pending: [(number: Int64, pts: Int64)] = []

    package init() {}

    /// The next picture that enters is to be a key frame.
    package mutating func askForNext() { isOfNext = true }

    /// Gives a picture its number, from 1 on. `pts` is in the encoder's time base, as all are.
    package mutating func enter(pts: Int64) -> Int64 {
        entered += 1
        guard isOfNext else { return entered }
        isOfNext = false
        // Filters that give nothing more would have them gather here; the last of them then stands for the rest.
        if pending.count == Limits.pendingKeyFrames { pending.removeLast() }
        pending.append((entered, pts))
        return entered
    }

    /// Whether the picture that comes out is to be a key frame. `number` is 0 where it is lost.
    package mutating func leave(number: Int64, pts: Int64) -> Bool {
        let isReached = pending.prefix { number > 0 ? $0.number <= number : $0.pts <= pts }
        pending.removeFirst(isReached.count)
        return !isReached.isEmpty
    }
}
