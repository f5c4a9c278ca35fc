import Bytewise
import StreamWriter
import WriterModel

/// What a client may ask of libav: filters, muxers, and the options of filters, encoders, muxers and
/// protocols. libav opens files, sockets and plugins for many of them. Asked before libav is told
/// anything; the tables are those of `JudgementTable`.
///
/// An option that takes any text is refused unless it was judged harmless, so that one of a later
/// libav's is refused until it has been judged. Numbers, flags, colors and the like reach nothing.
package struct OptionPolicy: Sendable {
    let isEnforced: Bool

    package init(_ policy: ClientPolicy) { isEnforced = policy == .enforced }

    /// Makes the tables, so that forks of this process share them. Not that of any muxer at all, which asks for the
    /// devices: their library brings as many mappings as libavfilter and libavformat together.
    static func warmUp() {
        _ = (JudgementTable.filters, JudgementTable.encoders, JudgementTable.muxers, JudgementTable.everyFilter)
        _ = (JudgementTable.everyEncoder, JudgementTable.everyMuxer, OptionNames.ofAnyProtocol)
    }

    /// Everything a writer is to be made of.
    package func check(_ request: CreateRequest, for muxer: MuxerInfo) throws(Problem) {
        guard isEnforced else { return }
        try check(muxer)
        for (index, stream) in request.streams.enumerated() {
            do throws(Problem) {
                try check(stream.config, for: muxer, destination: request.dst ?? "")
            } catch {
                throw error.located(at: "/streams/\(index)")
            }
        }
        if let open = request.open { try check(option: open.option, for: muxer) }
    }

    package func check(_ muxer: MuxerInfo) throws(Problem) {
        guard isEnforced, let reason = refusal(ofMuxer: muxer.name) else { return }
        throw Problem(.forbiddenOption, "The format \(muxer.name) is not allowed: \(reason).", parameter: "format")
    }

    /// `destination` is a name, from which a muxer may choose its encoder.
    package func check(_ config: StreamConfig, for muxer: MuxerInfo, destination: String) throws(Problem) {
        guard isEnforced else { return }
        for (place, encoding) in config.encodings.enumerated() {
            do throws(Problem) {
                try checkEncoding(encoding.config, for: muxer, destination: destination)
            } catch {
                throw encoding.name == nil ? error : error.ofRendition(place)
            }
        }
        if let description = config.filterDesc { try FilterJudge(description).check() }
    }

    private func checkEncoding(_ config: StreamConfig, for muxer: MuxerInfo, destination: String) throws(Problem) {
        let options: [String: String]
        switch config {
        case .audio(let audio): options = audio.encoderOption
        case .video(let video):
            options = video.encoderOption
            if let device = video.hwAccel { try HardwareJudge.check(device) }
        }
        // Without an encoder adding the stream fails before anything else.
        if let encoder = OptionInspection.encoder(for: config, format: muxer.name, name: destination) {
            try EncoderJudge(encoder: encoder, muxer: muxer).check(options)
        }
    }

    /// The options of `open`: for the muxer, the protocol and the device.
    package func check(option: [String: String], for muxer: MuxerInfo) throws(Problem) {
        guard isEnforced else { return }
        try MuxerJudge(muxer: muxer.name).check(option)
        try OptionValueJudge.check(option, for: muxer.name)
    }
}

// MARK: What is refused whatever its value

extension OptionPolicy {
    func refusal(ofMuxer name: String) -> String? { isEnforced ? Self.refusal(of: name, in: .muxers) : nil }
    func refusal(ofEncoder name: String) -> String? { isEnforced ? Self.refusal(of: name, in: .encoders) : nil }
    func refusal(ofFilter name: String) -> String? { isEnforced ? Self.refusal(of: name, in: .filters) : nil }

    func refusals(ofMuxer name: String) -> OptionNames? { isEnforced ? .ofMuxer(name) : nil }
    func refusals(ofEncoder name: String) -> OptionNames? { isEnforced ? .ofEncoder(name) : nil }
    func refusals(ofFilter name: String) -> OptionNames? { isEnforced ? .ofFilter(name) : nil }

    /// What an option takes that hands `key=value` on to the encoder's own library; none where the option is another.
    func keys(of option: String, ofEncoder name: String) -> [String] {
        switch JudgementTable.encoders[name]?.options[option] {
        case .parameters(let parameters), .unquotedParameters(let parameters): parameters.names
        default: []
        }
    }

    /// Why no option makes the component usable.
    static func refusal(of name: String, in table: JudgementTable) -> String? {
        guard let component = table[name] else { return unjudged }
        return component.refusal
    }

    static let unjudged = "nobody has judged yet what it can reach, in this version of FFmpeg"
}

extension Problem {
    /// The same, with the place in the body that creates a writer; what is about a stream has its place already.
    var locatedInCreation: Problem {
        guard let parameter else { return self }
        if parameter.begins(with: "option.") { return located(at: "/open") }
        return CreateRequest.members.contains { $0.isSame(as: parameter) } ? located(at: "") : self
    }

    /// The same where it is about a field of the first of `outputs`.
    var locatedInFirstOutput: Problem {
        guard let parameter, parameter.begins(with: "option.") || CreateRequest.ofFirstOutput.contains(where: { $0.isSame(as: parameter) }) else { return self }
        return located(at: "/outputs/0")
    }

    /// The same of a parameter of one of a stream's renditions.
    func ofRendition(_ place: Int) -> Problem {
        var problem = self
        problem.parameter = parameter.map { "renditions.\(place).\($0)" }
        return problem
    }

    /// The same, with the place in the request's body where the parameter stands.
    func located(at pointer: String) -> Problem {
        guard let parameter, !extras.contains(where: { $0.name == "pointer" }) else { return self }
        var located = self
        // Of all of them, and not of the one at hand.
        if parameter == "streams" {
            located.extras.append(.init("pointer", "/streams"))
            return located
        }
        let path = parameter.parts(at: ".", omittingEmpty: true).joined(separator: "/")
        located.extras.append(.init("pointer", .string("\(pointer)/\(path)")))
        // Which of the outputs is part of the name, as in what is wrong with a field by itself.
        if let output = pointer.without(prefix: "/outputs/") { located.parameter = "outputs.\(output).\(parameter)" }
        return located
    }
}
