import Libav

extension EncoderSettings {
    mutating func apply(
        _ config: CodecConfig, _ options: [String: String], _ format: OutputFormat, _ limits: WriterLimits
    ) {
        maxThreads = limits.threads
        defaultThreads = limits.defaultThreads
        bitRate = config.bitRate
        compressionLevel = config.compressionLevel
        qscale = config.qscale
        gopSize = config.gopSize
        maxBFrames = config.maxBFrames
        self.options = options
        usesGlobalHeader = format.wantsGlobalHeader
    }
}
