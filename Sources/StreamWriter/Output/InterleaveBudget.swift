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
    private let maxBytes: Int
    private let maxSeconds: Double
    /// The muxer writes those that have waited for `maxSeconds` itself.
    private let letsGo: Bool

    package init(streams: Int, maxBytes: Int = Limits.heldBytes, maxSeconds: Double = Limits.heldSeconds, letsGo: Bool = false) {
        held = Array(repeating: [], count: streams)
        last = Array(repeating: -.infinity, count: streams)
        self.maxBytes = maxBytes
        self.maxSeconds = maxSeconds
        self.letsGo = letsGo
    }

    /// Notes a packet; true when the held ones must be written now.
    package mutating func add(stream: Int, dts: Double, bytes: Int) -> Bool {
        held[stream].append(Held(dts: dts, bytes: bytes))
        heldBytes += bytes
        last[stream] = max(last[stream], dts)
        release(upTo: last.min()!)
        if letsGo { release(upTo: last.max()! - maxSeconds) }
        guard heldBytes > 0 else { return false }
        return heldBytes > maxBytes || heldSeconds > maxSeconds
    }

    /// All held packets have been written.
    package mutating func clear() {
        for stream in held.indices { held[stream] = [] }
        heldBytes = 0
    }

    private var heldSeconds: Double {
        let first = held.lazy.compactMap { $0.first?.dts }.min() ?? 0
        let latest = held.lazy.compactMap { $0.last?.dts }.max() ?? 0
        return latest - first
    }

    private mutating func release(upTo dts: Double) {
        for stream in held.indices {
            while let first = held[stream].first, first.dts <= dts {
                heldBytes -= first.bytes
                held[stream].removeFirst()
            }
        }
    }
}
