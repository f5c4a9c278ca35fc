import Libav

extension Encoder {
    /// Whether a picture that is wanted as a key frame becomes one. `EncoderKeyFrameTests` asks every encoder.
    var takesKeyFrames: Bool { !Self.decidingThemselves.contains(settings.codec.name) || makesOnlyKeyFrames }

    /// They do not look at what a picture is wanted as.
    private static let decidingThemselves: Set<String> = [
        "apng", "cinepak", "ffv1", "flashsv", "flashsv2", "gif", "librav1e", "libsvtav1", "libtheora", "libwebp_anim", "msrle", "msvideo1", "qtrle", "roqvideo", "rpza",
        "smc", "snow", "svq1", "zmbv",
    ]

    private var makesOnlyKeyFrames: Bool { Self.byGroupSize.contains(settings.codec.name) && groupSize <= 1 }

    private static let byGroupSize: Set<String> = ["ffv1", "flashsv", "flashsv2", "msrle", "qtrle", "snow", "svq1"]
}
