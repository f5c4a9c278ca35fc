import Bytewise
import StreamWriter
import WriterModel

/// Judges `encoder_option`.
struct EncoderJudge {
    let encoder: String
    let muxer: MuxerInfo

    func check(_ options: [String: String]) throws(Problem) {
        if let reason = refusal {
            throw Problem(.forbiddenOption, "The encoder \(encoder) is not allowed: \(reason).", parameter: "encoder")
        }
        let names = OptionNames.ofEncoder(encoder)
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            if let reason = names.refusal(of: name, value) ?? refusedFlag(names.flags, name, value) {
                throw refusal(of: name, reason)
            }
            for verdict in names.known[ByteKey(name)]?.verdicts ?? [] { try check(name, value, verdict) }
        }
    }

    private var refusal: String? {
        if encoder == JudgementTable.wrappedFrames && muxer.defaultVideoEncoder != encoder {
            return JudgementTable.wrappedFramesRefusal
        }
        return OptionPolicy.refusal(of: encoder, in: .encoders)
    }

    private func refusal(of option: String, _ reason: String) -> Problem {
        Problem(
            .forbiddenOption, "The option \(option) of the encoder \(encoder) is not allowed: \(reason).",
            parameter: "encoder_option.\(option)")
    }

    private func refusedFlag(_ flags: [JudgementTable.Flag], _ name: String, _ value: String) -> String? {
        let flag = flags.first {
            $0.option == name && OptionInspection.sets($0.name, in: name, ofEncoder: encoder, by: value)
        }
        return flag.map { "of its flag \($0.name), \($0.reason)" }
    }

    // MARK: Parameters of the encoder's library

    private func check(_ name: String, _ value: String, _ verdict: Verdict) throws(Problem) {
        switch verdict {
        case .parameters(let parameters):
            // What libav would refuse as a whole is left to it.
            try check(OptionInspection.pairs(in: value) ?? [], of: name, parameters)
        case .unquotedParameters(let parameters): try check(Self.unquotedPairs(value), of: name, parameters)
        default: break
        }
    }

    private func check(
        _ pairs: [(key: String, value: String)], of option: String, _ parameters: EncoderParameters
    ) throws(Problem) {
        for (key, value) in pairs {
            switch parameters.finding(key, value) {
            case nil: break
            case .refused(let reason): throw refusal(of: option, "of its parameter \(key), \(reason)")
            case .unknown:
                throw Problem(
                    .unknownOption, "\(parameters.library) has no parameter \(key) that may be set with \(option).",
                    parameter: "encoder_option.\(option)", supported: parameters.harmless.sorted())
            }
        }
    }

    private static func unquotedPairs(_ text: String) -> [(key: String, value: String)] {
        text.utf8.split(separator: UInt8(ascii: ":")).map { part in
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count > 1 ? String(decoding: pair[1], as: UTF8.self) : "1"
            return (String(decoding: pair[0], as: UTF8.self), value)
        }
    }
}
