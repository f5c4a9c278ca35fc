import Bytewise
import Libav

// Options that encoders only look at when they open, and whose values libav does not list.
extension EncoderRefusal {
    /// By the words of libav's reason, in lower case.
    init?(ofOption cause: String, _ settings: EncoderSettings) {
        let (codec, options) = (settings.codec, settings.options)
        let isX264 = codec.name.begins(with: "libx264")
        if cause.holds("preset/tune") {
            let tunes = isX264 ? Self.tunesOfX264 : Self.tunesOfX265
            if let preset = options["preset"], !Self.presets.contains(preset) {
                self.init("encoder_option.preset", Self.presets)
            } else {
                self.init("encoder_option.tune", tunes)
            }
        } else if cause.holds("profile"), options["profile"] != nil, isX264 || codec.name == "libx265", case .video(let shape) = settings.input {
            let profiles = isX264 ? Self.profilesOfX264(shape.format) : Self.profilesOfX265(shape.format)
            self.init("encoder_option.profile", profiles, advice: "\(shape.format.name) is encoded in \(profiles.joined(separator: ", "))")
        } else if cause.holds("parsing option '"), let name = cause.cut(at: "'")?.after.until("'"), options[name] != nil {
            self.init("encoder_option.\(name)", name == "level" && isX264 ? Self.levelsOfX264 : [])
        } else {
            return nil
        }
    }

    // x264_preset_names, which are x265's too.
    private static let presets = ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"]
    private static let tunesOfX264 = ["film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"]
    private static let tunesOfX265 = ["psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation"]

    // ITU-T H.264, table A-1.
    private static let levelsOfX264 = [
        "1", "1b", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "3", "3.1", "3.2", "4", "4.1", "4.2", "5", "5.1", "5.2", "6", "6.1", "6.2",
    ]

    /// ITU-T H.264, A.2: the profiles that have pictures of this kind.
    private static func profilesOfX264(_ format: PixelFormat) -> [String] {
        let all = ["baseline", "main", "high", "high10", "high422", "high444"]
        let isDeep = format.depths.upperBound > 8
        if format.colorModel == .gray { return Array(all[(isDeep ? 3 : 2)...]) }
        return switch format.pixelsOfChroma {
        case 4: Array(all[(isDeep ? 3 : 0)...])
        case 2: Array(all[4...])
        default: Array(all[5...])
        }
    }

    /// ITU-T H.265, A.3.
    private static func profilesOfX265(_ format: PixelFormat) -> [String] {
        let depth = format.depths.upperBound
        let pixels = format.colorModel == .gray ? 1 : format.pixelsOfChroma
        let profiles: [(name: String, bits: Int, pixels: Int)] = [
            ("main", 8, 4), ("mainstillpicture", 8, 4), ("main10", 10, 4), ("main12", 12, 4), ("main422-10", 10, 2), ("main422-12", 12, 2),
            ("main444-8", 8, 1), ("main444-10", 10, 1), ("main444-12", 12, 1),
        ]
        return profiles.filter { depth <= $0.bits && pixels >= $0.pixels }.map(\.name)
    }
}
