import Bytewise
import StreamWriter
import WriterModel

extension FieldReader {
    /// `renditions` of a stream: none where the stream says by itself how it is encoded.
    mutating func renditions(ofVideo: Bool) throws(Problem) -> [RenditionConfig] {
        guard let values = try array("renditions") else { return [] }
        if values.isEmpty { throw problem("renditions", "must have at least one; leave it out for a stream that is encoded once") }
        var renditions: [RenditionConfig] = []
        for (place, value) in values.enumerated() {
            renditions.append(try RenditionConfig(value, at: pointer(to: "renditions") + "/\(place)", ofVideo: ofVideo))
        }
        return renditions
    }
}

extension RenditionConfig {
    /// One of `renditions`, as a client asks for it.
    fileprivate init(_ json: JSONValue, at pointer: String, ofVideo: Bool) throws(Problem) {
        var fields = try FieldReader(json, at: pointer, .rendition)
        self.init(name: "")
        if let given = try fields.string("name") { name = given } else { fields.lacks("name", "is needed") }
        encoder = try fields.string("encoder")
        encoderOption = try fields.map("encoder_option") ?? [:]
        encoderFormat = try fields.string("encoder_format")
        codecConfig = try fields.codecConfig(ofVideo: ofVideo)
        codecTag = try fields.string("codec_tag")
        if ofVideo {
            encoderFrameRate = try fields.rate("encoder_frame_rate")
            encoderWidth = try fields.integer("encoder_width")
            encoderHeight = try fields.integer("encoder_height")
            hwAccel = try fields.string("hw_accel")
        } else {
            encoderSampleRate = try fields.integer("encoder_sample_rate")
            encoderNumChannels = try fields.integer("encoder_num_channels")
        }
        try fields.finish()
    }

    /// What the client has said of it.
    var json: JSONValue { .object(asked) }

    private var asked: JSONObject {
        var object: JSONObject = ["name": .string(name)]
        object.set("encoder", encoder)
        object.set("encoder_format", encoderFormat)
        object.set("encoder_sample_rate", encoderSampleRate)
        object.set("encoder_num_channels", encoderNumChannels)
        object.set("encoder_frame_rate", encoderFrameRate?.description)
        object.set("encoder_width", encoderWidth)
        object.set("encoder_height", encoderHeight)
        object.set("encoder_option", SecretOption.redacted(encoderOption))
        codecConfig.add(to: &object)
        object.set("hw_accel", hwAccel)
        object.set("codec_tag", codecTag)
        return object
    }

    /// The same with what was chosen for it and how far it is.
    func json(_ chosen: RenditionDescription, _ progress: RenditionProgress, _ kind: StreamDescription.Kind) -> JSONValue {
        var object = asked
        chosen.add(to: &object)
        object.add(chosen.keyFrames)
        object["frames_encoded"] = .integer(progress.framesEncoded)
        if kind == .video {
            object["frames_dropped"] = .integer(progress.framesDropped)
            object["frames_repeated"] = .integer(progress.framesRepeated)
        }
        object["packets"] = .integer(progress.packets)
        object["bytes_encoded"] = .integer(progress.bytesEncoded)
        if chosen.usesBitRate { object.set("encoder_bit_rate", progress.bitRate ?? chosen.bitRate) }
        object["warnings"] = .array(chosen.warnings.map { .object(StreamRequest.json($0)) })
        return .object(object)
    }
}

extension RenditionDescription {
    /// The encoder, and what it is given.
    func add(to object: inout JSONObject) {
        object["encoder"] = .string(encoder)
        object["encoder_format"] = .string(encoderFormat)
        object.set("encoder_sample_rate", encoderSampleRate)
        object.set("encoder_num_channels", encoderNumChannels)
        object.set("frame_size", frameSize)
        object["encoder_frame_rate"] = encoderFrameRate.map { .string($0.description) }
        object.set("encoder_width", encoderWidth)
        object.set("encoder_height", encoderHeight)
        object["time_base"] = .string("\(timeBase.numerator)/\(timeBase.denominator)")
    }
}

extension JSONObject {
    mutating func add(_ spacing: KeyFrameSpacing?) {
        guard let spacing else { return }
        self["key_frames"] = ["every": .number(spacing.seconds), "from": .string(spacing.option)]
    }
}
