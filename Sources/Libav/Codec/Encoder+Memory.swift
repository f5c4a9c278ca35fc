// SVT-AV1 does not look whether it got the memory that it asks for when it opens, and crashes.
extension Encoder {
    /// What it takes with one thread of its own, of release 1.4: bytes for itself, and for each pixel of a picture, at the
    /// preset that takes most.
    private static let (svtBytes, svtBytesPerPixel) = (256 << 20, 200)
    /// With as many as there are processors it works at more pictures at a time.
    private static let partForOneThread = 4

    /// As many threads as there is memory for; nil: any number. Throws where there is too little for one.
    static func mostForMemory(_ settings: EncoderSettings) throws(LibavError) -> Int? {
        guard settings.codec.name == "libsvtav1", case .video(let shape) = settings.input, let bound = MemoryLimit.bytes else { return nil }
        let deep = shape.format.depths.upperBound > 8 ? 2 : 1
        let needed = svtBytes + shape.width * shape.height * svtBytesPerPixel * deep
        guard needed > bound else { return needed > bound / partForOneThread ? 1 : nil }
        var error = LibavError.invalid(
            "libsvtav1 takes about \(needed >> 20) MiB for pictures of \(shape.width)x\(shape.height), and an encoder here has \(bound >> 20) MiB (--max-encoder-memory)")
        error.parameter = "encoder_width"
        throw error
    }
}
