import Bytewise
import Libav

// Options that encoders only look at when they open, and whose values libav does not list.
extension EncoderRefusal {
    /// By the words of libav's reason, in lower case.
    init?(ofOption cause: String, _ settings: EncoderSettings) {
        let (codec, options) = (settings.codec, settings.options)
        let isX264 = codec.name.begins(with: "libx264")
        if cause.holds("preset/tune") {
            let tunes = isX264 ? HiddenChoices.tunesOfX264 : HiddenChoices.tunesOfX265
            if let preset = options["preset"], !HiddenChoices.presets.contains(preset) {
                self.init("encoder_option.preset", HiddenChoices.presets, advice: Self.choices("preset", HiddenChoices.presets, settings))
            } else {
                self.init("encoder_option.tune", tunes, advice: Self.choices("tune", tunes, settings))
            }
        } else if cause.holds("profile"), options["profile"] != nil, isX264 || codec.name == "libx265", case .video(let shape) = settings.input {
            let profiles = isX264 ? Self.profilesOfX264(shape.format) : Self.profilesOfX265(shape.format)
            self.init("encoder_option.profile", profiles, advice: "\(shape.format.name) is encoded in \(profiles.joined(separator: ", "))")
        } else if cause.holds("auto_alt_ref") {
            self.init(
                "encoder_option.auto-alt-ref", ["0"], advice: "encoder_option.auto-alt-ref=0 keeps the transparent parts, and encoder_format yuv420p leaves them out")
        } else if cause.holds("parsing option '"), let name = cause.cut(at: "'")?.after.until("'"), options[name] != nil {
            let levels = name == "level" && isX264 ? HiddenChoices.levelsOfX264 : []
            self.init("encoder_option.\(name)", levels, advice: levels.isEmpty ? nil : Self.choices(name, levels, settings))
        } else {
            return nil
        }
    }

    private static func choices(_ option: String, _ choices: [String], _ settings: EncoderSettings) -> String {
        "\(settings.codec.name) has no \(option) \((settings.options[option] ?? "").shortened()); it has \(choices.joined(separator: ", "))"
    }

    /// ITU-T H.264, A.2: the profiles that have pictures of this kind.
    private static func profilesOfX264(_ format: PixelFormat) -> [String] {
        let all = HiddenChoices.profilesOfX264
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
