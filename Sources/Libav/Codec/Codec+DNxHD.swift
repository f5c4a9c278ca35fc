extension Codec {
    /// Bits a second that dnxhd has for pictures like these, without a profile of DNxHR; empty where it has none. Any
    /// frame rate has all of them.
    package func bitRates(of shape: VideoShape, isInterlaced: Bool) -> [Int] {
        guard name == "dnxhd" else { return [] }
        let format: DNxHD.Format =
            switch shape.format.name {
            case "yuv422p": .bits8
            case "yuv422p10le": .bits10
            default: .bits444
            }
        let rates = DNxHD.rates.first { $0.width == shape.width && $0.height == shape.height && $0.isInterlaced == isInterlaced && $0.format == format }
        return (rates?.megabits ?? []).map { $0 * 1_000_000 }
    }
}

/// SMPTE ST 2019-1, as `ffmpeg -c:v dnxhd` prints it.
private enum DNxHD {
    enum Format { case bits8, bits10, bits444 }

    typealias Rates = (width: Int, height: Int, isInterlaced: Bool, format: Format, megabits: [Int])

    static let rates: [Rates] = [
        (1920, 1080, false, .bits8, [36, 45, 75, 90, 115, 120, 145, 175, 185, 220, 240, 290, 365, 440]),
        (1920, 1080, false, .bits10, [175, 185, 365, 440]),
        (1920, 1080, false, .bits444, [350, 390, 440, 730, 880]),
        (1920, 1080, true, .bits8, [120, 145, 185, 220]),
        (1920, 1080, true, .bits10, [185, 220]),
        (1440, 1080, false, .bits8, [63, 84, 100, 110]),
        (1440, 1080, true, .bits8, [80, 90, 100, 110, 120, 145]),
        (1280, 720, false, .bits8, [60, 75, 90, 110, 120, 145, 180, 220]),
        (1280, 720, false, .bits10, [90, 180, 220]),
        (960, 720, false, .bits8, [42, 60, 75, 115]),
    ]
}
