/// What every picture of a stream has in common.
package struct VideoShape: Sendable, Equatable {
    package var format: PixelFormat
    package var width: Int
    package var height: Int
    package var frameRate: Fraction
    /// Nil: the time of a frame.
    package var timeBase: Fraction?

    package init(format: PixelFormat, width: Int, height: Int, frameRate: Fraction, timeBase: Fraction? = nil) {
        self.format = format
        self.width = width
        self.height = height
        self.frameRate = frameRate
        self.timeBase = timeBase
    }

    /// How long a frame of that rate is in the time base, in whole ticks.
    package var frameTicks: Int64 {
        guard let timeBase else { return 1 }
        let ticks = Double(frameRate.denominator) * Double(timeBase.denominator) / (Double(frameRate.numerator) * Double(timeBase.numerator))
        return max(1, Int64(ticks.rounded()))
    }
}
