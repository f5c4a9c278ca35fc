import Bytewise
import StreamWriter
import WriterModel

/// A stream as a client asks for it, and as `GET` shows it: the parameters of torchaudio's StreamWriter by the
/// seed's names.
package struct StreamRequest {
    package let config: StreamConfig

    package init(_ json: JSONValue, at pointer: String = "") throws(Problem) {
        var fields = try FieldReader(json, at: pointer, .stream)
        let kinds = ["audio", "video"]
        switch try fields.string("type") {
        case "audio": config = .audio(try AudioStreamConfig(&fields))
        case "video": config = .video(try VideoStreamConfig(&fields))
        case nil:
            fields.lacks("type", "is needed: audio or video", supported: kinds)
            let isOfPictures = fields.names.contains(where: ParameterSuggestion.isOfPictures)
            config = isOfPictures ? .video(try VideoStreamConfig(&fields)) : .audio(try AudioStreamConfig(&fields))
        default: throw fields.problem("type", "must be audio or video", supported: kinds)
        }
        try fields.finish()
    }

    /// Of each of its encoders.
    var encoderOptions: [[String: String]] {
        config.encodings.map { encoding in
            switch encoding.config {
            case .audio(let audio): audio.encoderOption
            case .video(let video): video.encoderOption
            }
        }
    }

    /// What the client's part of a stream comes to in bytes of JSON, and which member has the most of them.
    static func weight(of config: StreamConfig) -> (bytes: Int, heaviest: String?) {
        var object = JSONObject()
        add(config, to: &object)
        let sizes = object.members.map { ($0.name, JSONValue.object([$0.name: $0.value]).encoded.count) }
        return (sizes.reduce(0) { $0 + $1.1 }, sizes.max { $0.1 < $1.1 }?.0)
    }

    static func json(_ warning: Warning) -> JSONObject {
        var object: JSONObject = ["code": .string(warning.code.rawValue)]
        object.set("parameter", warning.parameter)
        object["detail"] = .string(warning.message)
        return object
    }

    private static func add(_ config: StreamConfig, to object: inout JSONObject) {
        switch config {
        case .audio(let audio): audio.add(to: &object)
        case .video(let video): video.add(to: &object)
        }
    }

    /// The stream with what was chosen for it and how far it is. Where it has several renditions, what is one's stands with
    /// each, and the first's with the stream.
    static func json(_ config: StreamConfig, _ chosen: StreamDescription, _ progress: StreamProgress) -> JSONValue {
        var object: JSONObject = ["index": .integer(Int64(chosen.index)), "type": .string(chosen.kind.rawValue)]
        add(config, to: &object)
        chosen.renditions[0].add(to: &object)
        object["latency"] = .number(chosen.latency)
        object.set("bytes_per_frame", chosen.inputFrameBytes)
        object.add(chosen.keyFrames)
        object["frames"] = .integer(progress.frames)
        object["frames_encoded"] = .integer(progress.framesEncoded)
        if chosen.kind == .video {
            object["frames_dropped"] = .integer(progress.framesDropped)
            object["frames_repeated"] = .integer(progress.framesRepeated)
        }
        if chosen.usesBitRate { object.set("encoder_bit_rate", progress.bitRate ?? chosen.bitRate) }
        if config.isKeptLive {
            object["frames_dropped_late"] = .integer(progress.framesDroppedLate)
            object["filled_seconds"] = .number((progress.idleSeconds * 1e6).rounded() / 1e6)
        }
        object["offset"] = .integer(progress.offset)
        object["next_pts"] = .number(progress.nextPTS)
        object["warnings"] = .array(chosen.warnings.map { .object(json($0)) })
        if !config.renditions.isEmpty {
            object["renditions"] = .array(
                config.renditions.enumerated().map { place, rendition in
                    rendition.json(chosen.renditions[place], progress.rendition(place), chosen.kind)
                })
        }
        return .object(object)
    }
}

extension AudioStreamConfig {
    fileprivate init(_ fields: inout FieldReader) throws(Problem) {
        let formatName = try fields.string("format") ?? SampleFormat.flt.rawValue
        guard let format = SampleFormat(rawValue: formatName) else {
            throw fields.problem(
                "format", "\"\(formatName.shortened())\" is no sample format", supported: SampleFormat.allCases.map(\.rawValue)
            ).suggesting(value: WrittenNames.sampleFormat(formatName))
        }
        self.init(
            sampleRate: try fields.requiredInteger("sample_rate"),
            numChannels: try fields.requiredInteger("num_channels"),
            channelLayout: try fields.string("channel_layout"),
            format: format,
            encoder: try fields.string("encoder"),
            encoderOption: try fields.map("encoder_option") ?? [:],
            encoderSampleRate: try fields.integer("encoder_sample_rate"),
            encoderNumChannels: try fields.integer("encoder_num_channels"),
            encoderFormat: try fields.string("encoder_format"),
            codecConfig: try fields.codecConfig(ofVideo: false),
            filterDesc: try fields.string("filter_desc"),
            metadata: try fields.map("metadata") ?? [:],
            language: try fields.string("language"),
            disposition: try fields.names("disposition"),
            codecTag: try fields.string("codec_tag"),
            fill: try fields.choice("fill"), whenLate: try fields.choice("when_late") ?? .wait,
            latency: try fields.number("latency"))
        renditions = try fields.renditions(ofVideo: false)
    }

    fileprivate func add(to object: inout JSONObject) {
        object.set("sample_rate", sampleRate)
        object.set("num_channels", numChannels)
        object.set("channel_layout", channelLayout)
        object["format"] = .string(format.rawValue)
        object.set("encoder_option", SecretOption.redacted(encoderOption))
        codecConfig.add(to: &object)
        object.set("filter_desc", filterDesc.map { URLText.redacted($0) })
        object.set("metadata", metadata)
        object.set("language", language)
        object.set("disposition", disposition)
        object.set("codec_tag", codecTag)
        object.set("fill", fill?.rawValue)
        if whenLate != .wait { object.set("when_late", whenLate.rawValue) }
        if let latency { object["latency"] = .number(latency) }
        if !renditions.isEmpty { object["renditions"] = .array(renditions.map(\.json)) }
    }
}

extension VideoStreamConfig {
    fileprivate init(_ fields: inout FieldReader) throws(Problem) {
        let layoutName = try fields.string("layout") ?? PixelLayout.packed.rawValue
        guard let layout = PixelLayout(rawValue: layoutName) else {
            throw fields.problem(
                "layout", "\"\(layoutName.shortened())\" is no layout", supported: PixelLayout.allCases.map(\.rawValue)
            ).suggesting(value: WrittenNames.layout(layoutName))
        }
        let frameRate = try fields.rate("frame_rate")
        if frameRate == nil { fields.lacks("frame_rate", "is needed: a number or a fraction such as \"30000/1001\"") }
        self.init(
            frameRate: frameRate ?? Rational(1, 1)!,
            timeBase: try fields.rate("time_base"),
            width: try fields.requiredInteger("width"),
            height: try fields.requiredInteger("height"),
            format: try fields.string("format") ?? "rgb24",
            layout: layout,
            encoder: try fields.string("encoder"),
            encoderOption: try fields.map("encoder_option") ?? [:],
            encoderFrameRate: try fields.rate("encoder_frame_rate"),
            encoderWidth: try fields.integer("encoder_width"),
            encoderHeight: try fields.integer("encoder_height"),
            encoderFormat: try fields.string("encoder_format"),
            codecConfig: try fields.codecConfig(ofVideo: true),
            filterDesc: try fields.string("filter_desc"),
            hwAccel: try fields.string("hw_accel"),
            metadata: try fields.map("metadata") ?? [:],
            language: try fields.string("language"),
            disposition: try fields.names("disposition"),
            sampleAspectRatio: try fields.ratio("sample_aspect_ratio"),
            rotation: try fields.integer("rotation") ?? 0,
            color: try fields.colorConfig(),
            fieldOrder: try fields.string("field_order"),
            masteringDisplay: try fields.string("mastering_display"),
            contentLightLevel: try fields.string("content_light_level"),
            codecTag: try fields.string("codec_tag"),
            fill: try fields.choice("fill"), whenLate: try fields.choice("when_late") ?? .wait,
            latency: try fields.number("latency"))
        renditions = try fields.renditions(ofVideo: true)
    }

    fileprivate func add(to object: inout JSONObject) {
        object["frame_rate"] = .string(frameRate.description)
        object.set("width", width)
        object.set("height", height)
        object["format"] = .string(format)
        object["layout"] = .string(layout.rawValue)
        object.set("encoder_option", SecretOption.redacted(encoderOption))
        codecConfig.add(to: &object)
        object.set("filter_desc", filterDesc.map { URLText.redacted($0) })
        object.set("hw_accel", hwAccel)
        object.set("metadata", metadata)
        object.set("language", language)
        object.set("disposition", disposition)
        object.set("sample_aspect_ratio", sampleAspectRatio.map { "\($0.numerator):\($0.denominator)" })
        if rotation != 0 { object.set("rotation", rotation) }
        object.set("color_range", color.range)
        object.set("color_primaries", color.primaries)
        object.set("color_trc", color.transfer)
        object.set("colorspace", color.space)
        object.set("field_order", fieldOrder)
        object.set("mastering_display", masteringDisplay)
        object.set("content_light_level", contentLightLevel)
        object.set("codec_tag", codecTag)
        object.set("fill", fill?.rawValue)
        if whenLate != .wait { object.set("when_late", whenLate.rawValue) }
        if let latency { object["latency"] = .number(latency) }
        if !renditions.isEmpty { object["renditions"] = .array(renditions.map(\.json)) }
    }
}
