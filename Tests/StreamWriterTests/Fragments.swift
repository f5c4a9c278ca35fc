import Foundation

/// A fragmented MP4 as ISO/IEC 14496-12 has it, as far as where its tracks begin.
struct Fragments {
    private let bytes: [UInt8]
    /// When the first sample of each track is shown, in seconds, in the order of the tracks.
    private(set) var starts: [Double] = []

    init(_ data: Data) throws {
        bytes = [UInt8](data)
        let all = 0..<bytes.count
        let rates = boxes("moov", in: all).flatMap { boxes("trak", in: $0) }.flatMap { boxes("mdia", in: $0) }
            .flatMap { boxes("mdhd", in: $0) }
            // Behind two times, of 64 bits in version 1.
            .map { Double(number($0.lowerBound + (bytes[$0.lowerBound] == 1 ? 20 : 12), 4)) }
        let pieces = boxes("moof", in: all).flatMap { boxes("traf", in: $0) }
        for (index, rate) in rates.enumerated() {
            guard let piece = pieces.first(where: { track(of: $0) == index + 1 }) else { continue }
            starts.append(Double(start(of: piece)) / rate)
        }
    }

    private func track(of piece: Range<Int>) -> Int { boxes("tfhd", in: piece).first.map { number($0.lowerBound + 4, 4) } ?? 0 }

    /// Of its first sample, in units of the track.
    private func start(of piece: Range<Int>) -> Int {
        // Smooth Streaming has the time of presentation, in its `tfxd` ([MS-SSTR] 2.2.4.4), and no `tfdt`.
        if let own = boxes("uuid", in: piece).first(where: { number($0.lowerBound, 4) == 0x6d1d_9b05 }) {
            return number(own.lowerBound + 20, 8)
        }
        let decoded = boxes("tfdt", in: piece).first.map { number($0.lowerBound + 4, bytes[$0.lowerBound] == 1 ? 8 : 4) } ?? 0
        guard let run = boxes("trun", in: piece).first else { return decoded }
        let flags = number(run.lowerBound + 1, 3)
        guard flags & 0x800 != 0 else { return decoded }
        // The offset of the data, the first sample's flags; and of the sample: duration, size and flags.
        let before = [0x1, 0x4, 0x100, 0x200, 0x400].filter { flags & $0 != 0 }.count
        return decoded + Int(Int32(truncatingIfNeeded: number(run.lowerBound + 8 + 4 * before, 4)))
    }

    /// The contents of the boxes of that type.
    private func boxes(_ type: String, in range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var box = range.lowerBound
        while box + 8 <= range.upperBound {
            let size = number(box, 4)
            if size < 8 || box + size > range.upperBound { break }
            if bytes[box + 4..<box + 8].elementsEqual(type.utf8) { found.append(box + 8..<box + size) }
            box += size
        }
        return found
    }

    private func number(_ start: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 << 8 | Int(bytes[start + $1]) } }
}
