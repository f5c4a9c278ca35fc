/// Which packets an interleaving muxer holds back: those later than the latest packet of the
/// stream that is furthest behind. A model of libav's, to bound what it holds.
package struct InterleaveBudget {
    private struct Held {
        let dts: Double
        let bytes: Int
    }

    private var held: [ArraySlice<Held>]
    private var last: [Double]
    package private(set) var heldBytes = 0
    /// By stream, seconds: how far a packet came behind one of another stream that had been written before its time.
    package private(set) var secondsLate: [Double]
    /// Of the latest packet that was written without waiting for others.
    private var forced = -Double.infinity
    private let maxBytes: Int
    private let maxSeconds: Double
    /// The muxer writes those that have waited for `maxSeconds` itself.
    private let letsGo: Bool

    package init(streams: Int, maxBytes: Int = Limits.heldBytes, maxSeconds: Double = Limits.heldSeconds, letsGo: Bool = false) {
        held = Array(repeating: [], count: streams)
        last = Array(repeating: -.infinity, count: streams)
        secondsLate = Array(repeating: 0, count: streams)
        self.maxBytes = maxBytes
        self.maxSeconds = maxSeconds
        self.letsGo = letsGo
    }

    /// Notes a packet; true when the held ones must be written now.
    package mutating func add(stream: Int, dts: Double, bytes: Int) -> Bool {
        held[stream].append(Held(dts: dts, bytes: bytes))
        heldBytes += bytes
        secondsLate[stream] = max(secondsLate[stream], forced - dts)
        last[stream] = max(last[stream], dts)
        release(upTo: last.min()!)
        if letsGo { force(upTo: last.max()! - maxSeconds) }
        guard heldBytes > 0 else { return false }
        return heldBytes > maxBytes || heldSeconds > maxSeconds
    }

    /// All held packets have been written.
    package mutating func clear() {
        force(upTo: .infinity)
    }

    private mutating func force(upTo dts: Double) { forced = max(forced, release(upTo: dts)) }

    private var heldSeconds: Double {
        let first = held.lazy.compactMap { $0.first?.dts }.min() ?? 0
        let latest = held.lazy.compactMap { $0.last?.dts }.max() ?? 0
        return latest - first
    }

    /// The latest that was released.
    @discardableResult
    private mutating func release(upTo dts: Double) -> Double {
        var latest = -Double.infinity
        for stream in held.indices {
            while let first = held[stream].first, first.dts <= dts {
                heldBytes -= first.bytes
                latest = max(latest, first.dts)
                held[stream].removeFirst()
            }
        }
        return latest
    }
}
