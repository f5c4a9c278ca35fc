/// What every picture of a stream has in common.
package struct VideoShape: Sendable, Equatable {
    package var format: PixelFormat
    package var width: Int
    package var height: Int
    package var frameRate: Fraction

    package init(format: PixelFormat, width: Int, height: Int, frameRate: Fraction) {
        self.format = format
        self.width = width
        self.height = height
        self.frameRate = frameRate
    }
}
