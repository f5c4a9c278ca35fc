import Libav

extension Warning {
    /// What of a stream's `codec_config` its encoder does not look at.
    static func ignored(_ config: CodecConfig, _ option: [String: String], by codec: Codec) -> [Warning] {
        var given: [RateParameter] = []
        if config.bitRate != nil { given.append(.bitRate) }
        if config.qscale != nil { given.append(.qscale) }
        if config.compressionLevel != nil { given.append(.compressionLevel) }
        var warnings: [Warning] = []
        if config.bitRate != nil, config.qscale != nil, codec.prefersQscale {
            let (bitRate, qscale) = ("codec_config.bit_rate", "codec_config.qscale")
            warnings.append(Warning(.optionIgnored, parameter: bitRate, "\(codec.name) does not use \(bitRate) where \(qscale) sets its quality; leave one of them out"))
        }
        return warnings + given.filter { !codec.uses($0, option) }.map { parameter in
            let name = "codec_config.\(parameter.rawValue)"
            let instead = instead(of: parameter, codec, option).map { "; \($0)" } ?? ""
            return Warning(.optionIgnored, parameter: name, "\(codec.name) does not use \(name)\(instead)")
        }
    }

    private static func instead(of parameter: RateParameter, _ codec: Codec, _ option: [String: String]) -> String? {
        let aim = parameter == .compressionLevel ? "effort" : "quality"
        if let other = codec.option(insteadOf: parameter) { return "\(other) in encoder_option sets its \(aim)" }
        if parameter == .compressionLevel { return nil }
        if codec.isLossless { return "it keeps everything" }
        let other = parameter == .qscale ? RateParameter.bitRate : .qscale
        return codec.uses(other, option) ? "codec_config.\(other.rawValue) sets its quality" : nil
    }
}
