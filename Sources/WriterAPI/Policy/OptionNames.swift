import Bytewise
import StreamWriter

/// Names under which libav would set options, and their verdicts: of several components where it is
/// not known, or does not matter, which of them takes an option. One that any of them must not be
/// given is refused.
struct OptionNames: Sendable {
    struct Known: Sendable {
        var verdicts: [Verdict] = []
        /// Takes text, and has not been judged.
        var isUnjudged = false
    }

    private(set) var known: [ByteKey: Known] = [:]
    /// By how libav's dictionaries compare names, which is without regard to case.
    private var refusedInAnyCase: [ByteKey: String] = [:]
    private(set) var flags: [JudgementTable.Flag] = []

    mutating func add(_ component: OptionInspection.Component, judged judgement: JudgementTable.Component?) {
        for (name, carriesText) in OptionInspection.options(of: component) ?? [:] {
            var known = known[ByteKey(name)] ?? Known()
            if let verdict = judgement?.options[name] {
                known.verdicts.append(verdict)
            } else if carriesText {
                known.isUnjudged = true
            }
            self.known[ByteKey(name)] = known
        }
        // Also what this libav has under no such name, or only in code.
        for (name, verdict) in judgement?.options ?? [:] {
            if case .refused(let reason) = verdict { refusedInAnyCase[ByteKey(name.lowercasedASCII)] = reason }
        }
        flags += judgement?.flags ?? []
    }

    /// Why an option is refused; nil when it may be set, or there is none of the name. `graph` is what
    /// commands in it would reach.
    func refusal(of name: String, _ value: String, graph: [OptionInspection.Filter] = []) -> String? {
        if let reason = refusal(ofAnyValueOf: name) { return reason }
        return known[ByteKey(name)]?.verdicts.lazy.compactMap { ValueJudge.refusal(of: value, $0, graph: graph) }.first
    }

    /// Why an option is refused whatever its value.
    func refusal(ofAnyValueOf name: String) -> String? {
        if let reason = refusedInAnyCase[ByteKey(name.lowercasedASCII)] { return reason }
        return known[ByteKey(name)]?.isUnjudged == true ? OptionPolicy.unjudged : nil
    }

    static let ofAnyProtocol: OptionNames = {
        var names = OptionNames()
        for (name, component) in JudgementTable.protocols.components {
            names.add(.proto(name), judged: component)
        }
        for name in OptionInspection.protocols where JudgementTable.protocols[name] == nil {
            names.add(.proto(name), judged: nil)
        }
        return names
    }()

    /// For options handed on to a muxer inside another one.
    static let ofAnyMuxer: OptionNames = {
        var names = OptionNames.ofEveryMuxer
        for (name, component) in JudgementTable.muxers.components { names.add(.muxer(name), judged: component) }
        return names
    }()

    static var ofEveryMuxer: OptionNames {
        var names = OptionNames()
        names.add(.everyMuxer, judged: JudgementTable.everyMuxer["*"])
        return names
    }

    static func ofMuxer(_ name: String) -> OptionNames {
        var names = ofEveryMuxer
        names.add(.muxer(name), judged: JudgementTable.muxers[name])
        return names
    }

    static func ofEncoder(_ name: String) -> OptionNames {
        var names = OptionNames()
        names.add(.encoder(name), judged: JudgementTable.encoders[name])
        names.add(.everyEncoder, judged: JudgementTable.everyEncoder["*"])
        return names
    }

    static func ofFilter(_ name: String) -> OptionNames {
        var names = OptionNames()
        names.add(.filter(name), judged: JudgementTable.filters[name])
        names.add(.everyFilter, judged: JudgementTable.everyFilter["*"])
        return names
    }
}
