import Bytewise

extension Codec {
    /// Bits a second that dnxhd has for pictures like these, without a profile of DNxHR; empty where it has none. Any
    /// frame rate has all of them.
    package func bitRates(of shape: VideoShape, isInterlaced: Bool) -> [Int] {
        guard name == "dnxhd" else { return [] }
        let rates = DNxHD.rates.first {
            $0.width == shape.width && $0.height == shape.height && $0.isInterlaced == isInterlaced && $0.format.isSame(as: shape.format.name)
        }
        return (rates?.megabits ?? []).map { $0 * 1_000_000 }
    }
}

/// SMPTE ST 2019-1, as `ffmpeg -c:v dnxhd` prints it, but for 1440x1080 of fields, of which libav takes two.
private enum DNxHD {
    typealias Rates = (width: Int, height: Int, isInterlaced: Bool, format: String, megabits: [Int])

    static let rates: [Rates] = [
        (1920, 1080, false, "yuv422p", [36, 45, 75, 90, 115, 120, 145, 175, 185, 220, 240, 290, 365, 440]),
        (1920, 1080, false, "yuv422p10le", [175, 185, 365, 440]),
        (1920, 1080, true, "yuv422p", [120, 145, 185, 220]),
        (1920, 1080, true, "yuv422p10le", [185, 220]),
        (1440, 1080, false, "yuv422p", [63, 84, 100, 110]),
        (1440, 1080, true, "yuv422p", [120, 145]),
        (1280, 720, false, "yuv422p", [60, 75, 90, 110, 120, 145, 180, 220]),
        (1280, 720, false, "yuv422p10le", [90, 180, 220]),
        (960, 720, false, "yuv422p", [42, 60, 75, 115]),
    ]
}
