import Bytewise
internal import CLibav

// Samples that encoders of libav's abort at, read beyond, or give up at.
extension KnownFaults {
    /// The largest sample, up or down, that encoders of floats take. Beyond it, and of what is no number,
    /// libmp3lame aborts, vorbis writes past its buffer, and the others fail.
    private static let sampleBounds: [String: Float] = [
        "aac": 65_536, "libmp3lame": 65_536, "vorbis": 2, "wmav1": 128, "wmav2": 128,
    ]

    /// Nil where it takes integers, or keeps any floats. The others make noise of what is no number.
    private static func sampleBound(of codec: Codec, _ format: AudioFormat) -> Float? {
        guard ["flt", "fltp"].contains(format.name), !keepsFloats(codec, format) else { return nil }
        return sampleBounds[codec.name] ?? .greatestFiniteMagnitude
    }

    /// Without loss, and what is no number or infinite too.
    static func keepsFloats(_ codec: Codec, _ format: AudioFormat) -> Bool {
        format.isFloat && (codec.name.begins(with: "pcm_f") || codec.name.isSame(as: "wavpack"))
    }

    /// What an encoder needs of its frames of samples; nil where it takes any.
    static func sampleRules(of settings: EncoderSettings) -> SampleRules? {
        guard case .audio(let shape) = settings.input else { return nil }
        var rules = SampleRules(encoder: settings.codec.name)
        rules.bound = sampleBound(of: settings.codec, shape.format)
        switch rules.encoder {
        // Of fewer the packet is larger than what they reserve for it, which ends in an assertion.
        case "tta":
            let ofAllChannels = shape.format.bytesPerSample == 1 ? 8 : 2
            rules.least = (ofAllChannels + shape.layout.channels - 1) / shape.layout.channels
        case "alac": rules.least = shape.layout.channels > 2 ? 4 : 1
        // Two samples share a byte.
        case "adpcm_ima_ssi": rules.multiple = 2
        // Writes 24 bits in groups, of which it counts none in a shorter frame, and then does not end.
        case "pcm_dvd" where shape.format.bytesPerSample == 4:
            rules.multiple = [2: 2, 4: 1, 8: 1][shape.layout.channels] ?? 4
        default: break
        }
        return rules.isAny ? nil : rules
    }
}

/// Of one encoder.
struct SampleRules {
    let encoder: String
    var bound: Float?
    /// Samples of a channel that a frame must have.
    var least = 1
    /// Frames of other lengths are filled up with silence.
    var multiple = 1

    fileprivate var isAny: Bool { bound == nil && least == 1 && multiple == 1 }

    fileprivate init(encoder: String) { self.encoder = encoder }

    /// A frame as the encoder takes it.
    func checked(_ frame: Frame) throws(LibavError) -> Frame {
        guard frame.sampleCount >= least else {
            throw .invalid("encoding with \(encoder): a block has \(frame.sampleCount) samples, and must have at least \(least)")
        }
        if let bound, let found = frame.firstSample(beyond: bound) {
            throw .invalid("encoding with \(encoder): the filters gave \(found), and it takes \(SampleBound.text(bound))")
        }
        let excess = frame.sampleCount % multiple
        return excess == 0 ? frame : try frame.padded(by: multiple - excess)
    }
}
