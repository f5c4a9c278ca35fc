import Libav

/// What a video stream's times are counted in.
struct VideoTiming {
    /// Ticks a second.
    let rate: Rational
    /// Ticks in a frame, exactly.
    let frameTicks: Rational
    /// Frames may be anywhere, no nearer than a tick.
    let isFree: Bool

    init(_ config: VideoStreamConfig, for format: OutputFormat) throws(StreamWriterError) {
        if config.timeBase != nil && !format.takesPicturesAtAnyTime {
            throw StreamWriterError(
                .unsupportedValue,
                "\(format.name) holds pictures at their frame_rate only; leave time_base out, or choose a container that keeps times (matroska, mp4, mov, nut, flv, mpegts)",
                parameter: "time_base")
        }
        isFree = config.timeBase != nil
        let base = config.timeBase ?? Rational(config.frameRate.denominator, config.frameRate.numerator)!
        let ticks = Rational(
            base.denominator * config.frameRate.denominator, base.numerator * config.frameRate.numerator)
        guard let ticks, ticks.doubleValue >= 1, base.doubleValue >= Limits.leastTimeBase,
            let rate = Rational(base.denominator, base.numerator)
        else {
            throw StreamWriterError(
                .invalidParameter,
                "time_base must be a part of a frame: from 1/\(Int(1 / Limits.leastTimeBase)) s to \(config.frameRate.denominator)/\(config.frameRate.numerator) s, as 1/1000 or 1/90000",
                parameter: "time_base")
        }
        self.rate = rate
        frameTicks = ticks
    }
}
