/// What frames are: those that a filter graph takes or gives, or an encoder takes.
package enum MediaFormat: Sendable, Equatable {
    case audio(AudioShape)
    case video(VideoShape)

    /// One sample, or one frame unless it has a time base of its own.
    var timeBase: Fraction {
        switch self {
        case .audio(let shape): Fraction(1, Int32(shape.sampleRate))
        case .video(let shape): shape.timeBase ?? shape.frameRate.inverse
        }
    }
}
