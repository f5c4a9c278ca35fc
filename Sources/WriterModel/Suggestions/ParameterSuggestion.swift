import Bytewise

/// What a name that nothing takes was meant for: a parameter that the request has there, or at another place.
public struct ParameterSuggestion: Sendable, Equatable {
    /// As problems name parameters: "codec_config.bit_rate".
    public let parameter: String
    /// To follow "Did you mean ".
    public let phrase: String

    /// Where the name stands.
    public enum Place: Sendable, Equatable {
        /// The body that creates a writer.
        case writer
        case stream, rendition, codecConfig
        /// The body of open.
        case open
        /// `encoder_option`, whose members are the encoder's.
        case encoderOption
        /// `option`, whose members are the muxer's.
        case option
        case encodeQuery
        /// Any other query or object, by its own names.
        case other
    }

    /// Whether the name, or what it is written for, is a parameter of pictures alone.
    public static func isOfPictures(_ name: String) -> Bool {
        ofPictures.contains(name) || WrittenNames.targets(of: name).first.map(ofPictures.contains) == true
    }

    private static let ofPictures: Set<String> = [
        "width", "height", "frame_rate", "pixel_format", "layout", "width+height", "encoder_width", "encoder_height", "encoder_frame_rate", "time_base",
        "hw_accel", "field_order", "codec_config.gop_size", "codec_config.max_b_frames",
    ]

    public init(_ parameter: String, _ phrase: String? = nil) {
        self.parameter = parameter
        self.phrase = phrase ?? parameter
    }

    /// `known` are the names that the place takes.
    public init?(for name: String, at place: Place, known: [String]) {
        // Nothing that long is a name mistyped.
        guard name.utf8.count <= 100 else { return nil }
        let names = Names(place: place, known: known)
        let alike = known.first { $0.lettersOnly.isSame(as: name.lettersOnly) }
        let found = alike.map { names.own($0) } ?? WrittenNames.targets(of: name).lazy.compactMap(names.suggestion).first
            ?? name.nearest(among: known).map(names.own) ?? names.nearestElsewhere(to: name)
        guard let found else { return nil }
        self = found
    }
}

/// The names of a place, and those that lie next to it.
private struct Names {
    let place: ParameterSuggestion.Place
    let known: [String]

    /// The members of `codec_config`; the last two are for pictures.
    private static let codecConfig = ["bit_rate", "compression_level", "qscale", "gop_size", "max_b_frames"]

    private static let streams = [
        "sample_rate", "num_channels", "frame_rate", "width", "height", "encoder", "filter_desc", "codec_config", "encoder_option", "layout", "encoder_format",
        "encoder_width", "encoder_height", "encoder_sample_rate", "encoder_num_channels", "encoder_frame_rate", "language", "channel_layout",
    ]

    private func takes(_ name: String) -> Bool { known.contains { $0.isSame(as: name) } }

    /// One of the place's own.
    func own(_ name: String) -> ParameterSuggestion {
        switch place {
        case .codecConfig: .init("codec_config.\(name)")
        case .encoderOption: .init("encoder_option.\(name)")
        case .option: .init("option.\(name)")
        default: .init(name)
        }
    }

    /// What the table says, if it can be had here or next to here.
    func suggestion(_ target: String) -> ParameterSuggestion? {
        if let pair = target.cut(at: "+") {
            return [pair.before, pair.after].allSatisfy(takes) ? .init(pair.before, "\(pair.before) and \(pair.after)") : nil
        }
        if let pair = target.cut(at: "=") {
            return suggestion(pair.before).map { .init($0.parameter, "\($0.phrase) with the value \"\(pair.after)\"") }
        }
        if let name = target.without(prefix: "writer.") { return ofWriter(name) }
        if let name = target.without(prefix: "chunk.") { return place == .other && takes(name) ? .init(name) : nil }
        if let name = target.without(prefix: "codec_config.") { return ofCodecConfig(name) }
        if target.begins(with: "encoder_option.") { return ofEncoder(target) }
        if target.begins(with: "option.") { return ofMuxer(target) }
        if target.begins(with: "metadata.") { return takes("metadata") || place == .encodeQuery ? .init(target) : nil }
        return ofStream(target)
    }

    private func ofWriter(_ name: String) -> ParameterSuggestion? {
        switch place {
        // Options for open are meant.
        case .writer where name.isSame(as: "open"): takes(name) ? .init("open.option") : nil
        case .writer, .other: takes(name) ? .init(name) : nil
        // The name is another thing's there.
        case .stream where name.isSame(as: "format"): nil
        case .stream where ["dst", "overwrite", "buffer_size", "verify"].contains(name): .init(name, "\(name), which is the writer's and not a stream's")
        case .encodeQuery where name.isSame(as: "format"): .init(name)
        case .encodeQuery where name.isSame(as: "open"): .init("option", "option.NAME")
        default: nil
        }
    }

    private func ofCodecConfig(_ name: String) -> ParameterSuggestion? {
        let parameter = "codec_config.\(name)"
        switch place {
        case .codecConfig: return takes(name) ? .init(parameter) : nil
        case .stream, .rendition, .encodeQuery:
            if Self.codecConfig.dropFirst(3).contains(name) && !takes("frame_rate") { return nil }
            return .init(parameter)
        case .encoderOption: return .init(parameter)
        case .writer: return .init(parameter, "\(parameter), which is a stream's (in streams)")
        default: return nil
        }
    }

    private func ofEncoder(_ target: String) -> ParameterSuggestion? {
        switch place {
        case .stream, .rendition, .codecConfig, .encodeQuery: .init(target)
        case .writer, .open, .option: .init(target, "\(target), which is a stream's")
        case .encoderOption, .other: nil
        }
    }

    private func ofMuxer(_ target: String) -> ParameterSuggestion? {
        switch place {
        case .writer: .init(target, "open.\(target)")
        case .stream, .rendition, .encoderOption: .init(target, "\(target), which is given to open")
        case .open, .encodeQuery, .option: .init(target)
        case .codecConfig, .other: nil
        }
    }

    private func ofStream(_ name: String) -> ParameterSuggestion? {
        // A stream calls both `format`.
        let isFormat = ["sample_format", "pixel_format"].contains(name)
        let own = isFormat && place != .encodeQuery ? "format" : name
        switch place {
        case .writer:
            if takes(own) && !isFormat { return .init(own) }
            return Self.streams.contains(name) || isFormat ? .init(own, "\(own), which is a stream's (in streams)") : nil
        case .codecConfig, .encoderOption:
            return Self.streams.contains(name) ? .init(name, "\(name), which stands beside \(place == .codecConfig ? "codec_config" : "encoder_option")") : nil
        default: return takes(own) ? .init(own) : nil
        }
    }

    /// Names of objects that lie here, or of the object that this one lies in.
    func nearestElsewhere(to name: String) -> ParameterSuggestion? {
        switch place {
        case .stream, .rendition, .encodeQuery: name.nearest(among: Self.codecConfig).flatMap(ofCodecConfig)
        case .writer: name.nearest(among: Self.streams).flatMap(ofStream)
        case .open: .init("option.\(name)", "option.\(name.shortened()), a member of option")
        default: nil
        }
    }
}

extension Problem {
    /// The same, saying what was meant; in a member of its own too.
    public func suggesting(_ suggestion: ParameterSuggestion?) -> Problem {
        guard let suggestion, !extras.contains(where: { $0.name == "did_you_mean" }) else { return self }
        // What stands there already is no help.
        if let parameter, suggestion.parameter.isSame(as: parameter) { return self }
        var problem = self
        problem.detail += " Did you mean \(suggestion.phrase)?"
        problem.extras.append(.init("did_you_mean", .string(suggestion.parameter.shortened())))
        return problem
    }

    /// The same for a value, of those that would have been right.
    public func suggesting(value: String?) -> Problem {
        suggesting(value.map { ParameterSuggestion($0) })
    }
}
