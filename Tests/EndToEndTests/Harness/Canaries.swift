import Foundation
import Synchronization

/// Texts that occur nowhere else, to see where what a client sends ends up.
final class Canaries: Sendable {
    /// What all of them begin with.
    let mark = "c4n\(String(UInt64.random(in: .min ... .max), radix: 36).prefix(9))"
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    func next() -> String {
        let random = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
        let text = ([mark] + random).joined(separator: "-")
        texts.withLock { $0.append(text) }
        return text
    }

    /// Every piece of 8 bytes of one of them that is in `data`.
    func pieces(in data: Data) -> [String] {
        var pieces: [UInt64: String] = [:]
        for text in all {
            let bytes = Array(text.utf8)
            for start in 0...(bytes.count - 8) {
                pieces[Self.word(bytes[start..<(start + 8)])] = String(decoding: bytes[start..<(start + 8)], as: UTF8.self)
            }
        }
        var found: [String] = []
        var word: UInt64 = 0
        for (index, byte) in data.enumerated() {
            word = word << 8 | UInt64(byte)
            if index >= 7, let piece = pieces[word] { found.append(piece) }
        }
        return found
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
