import Libav

// What libav does not say about its muxers.
extension OutputFormat {
    private static let movFamily: Set<String> = [
        "3g2", "3gp", "f4v", "ipod", "ismv", "mov", "mp4", "psp",
    ]

    /// Keeps a display matrix.
    var storesRotation: Bool { Self.movFamily.contains(name) }
}
