/// Everything an encoder is opened with.
package struct EncoderSettings: Sendable {
    package var codec: Codec
    package var input: MediaFormat
    package var bitRate: Int?
    package var compressionLevel: Int?
    package var qscale: Double?
    package var gopSize: Int?
    package var maxBFrames: Int?
    /// Of one pixel; nil when not known.
    package var sampleAspectRatio: Fraction?
    package var color = ColorDescription()
    package var fieldOrder = FieldOrder.progressive
    /// The container's four characters for the codec; the muxer's choice when nil.
    package var codecTag: CodecTag?
    package var options: [String: String] = [:]
    /// The muxer keeps the codec's headers itself.
    package var usesGlobalHeader = false
    package var maxThreads = Encoder.mostThreads
    /// Of one of video that is not told how many; 0: one for each processor.
    package var defaultThreads = 1
    /// For frames in a GPU's memory.
    package var hardwareFrames: HardwareFrames?

    package init(codec: Codec, input: MediaFormat) {
        self.codec = codec
        self.input = input
    }

    /// One sample, or one frame.
    package var timeBase: Fraction { input.timeBase }
}
