internal import CLibav

extension Codec {
    /// Bits a second that it takes at a sample rate, where it takes only some; empty where nothing is known.
    package func bitRates(at sampleRate: Int) -> [Int] {
        // Of MPEG-1; MPEG-2 has half its rates.
        let isFull = sampleRate >= 32_000
        switch name {
        case "mp2", "mp2fixed", "libtwolame": return isFull ? Self.layer2 : Self.lowRates
        case "libshine": return isFull ? Self.layer3 : Self.lowRates
        case "g723_1": return [6300]
        case "libgsm", "libgsm_ms": return [13_000]
        case "dca": return Self.dca
        default: return []
        }
    }

    // ISO/IEC 11172-3, 2.4.2.3, and 13818-3, 2.4.2.3.
    private static let layer2 = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384].map { $0 * 1000 }
    private static let layer3 = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320].map { $0 * 1000 }
    private static let lowRates = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160].map { $0 * 1000 }
    // ETSI TS 102 114, table 5-7.
    private static let dca = [
        32, 56, 64, 96, 112, 128, 192, 224, 256, 320, 384, 448, 512, 576, 640, 768, 960, 1024, 1152, 1280, 1344, 1408, 1411.2, 1472, 1536,
        1920, 2048, 3072, 3840,
    ].map { Int($0 * 1000) }
}
