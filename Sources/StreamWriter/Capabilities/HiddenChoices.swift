/// Values of options that libav hands on to an encoder's library as text, and does not list itself.
enum HiddenChoices {
    /// None of an option that has none, or whose values libav lists.
    static func names(of option: String, ofEncoder name: String) -> [String] { table[name]?[option] ?? [] }

    private static let table: [String: [String: [String]]] = [
        "libx264": ["preset": presets, "tune": tunesOfX264, "profile": profilesOfX264, "level": levelsOfX264],
        // Its pictures are RGB, without less of their colors.
        "libx264rgb": ["preset": presets, "tune": tunesOfX264, "profile": ["high444"], "level": levelsOfX264],
        "libx265": ["preset": presets, "tune": tunesOfX265, "profile": profilesOfX265],
    ]

    // x264_preset_names, which are x265's too.
    static let presets = ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"]
    static let tunesOfX264 = ["film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"]
    static let tunesOfX265 = ["psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation"]

    static let profilesOfX264 = ["baseline", "main", "high", "high10", "high422", "high444"]
    /// x265_profile_names (3.5).
    private static let profilesOfX265 = [
        "main", "main10", "mainstillpicture", "msp", "main-intra", "main10-intra", "main444-8", "main444-intra", "main444-stillpicture", "main422-10",
        "main422-10-intra", "main444-10", "main444-10-intra", "main12", "main12-intra", "main422-12", "main422-12-intra", "main444-12",
        "main444-12-intra", "main444-16-intra", "main444-16-stillpicture",
    ]

    // ITU-T H.264, table A-1.
    static let levelsOfX264 = [
        "1", "1b", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "3", "3.1", "3.2", "4", "4.1", "4.2", "5", "5.1", "5.2", "6", "6.1", "6.2",
    ]
}
