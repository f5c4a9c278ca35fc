import StreamWriter
import WriterModel

/// Judges the options of `open`. Which of muxer, protocol and device takes one is libav's to find
/// out: it is refused where any of them must not be given it.
struct MuxerJudge {
    let muxer: String

    func check(_ option: [String: String]) throws(Problem) {
        let names = OptionNames.ofMuxer(muxer)
        for (name, value) in option.sorted(by: { $0.key < $1.key }) {
            let reason =
                names.refusal(of: name, value) ?? OptionNames.ofAnyProtocol.refusal(of: name, value)
                ?? refusedFlag(names.flags, name, value)
            guard let reason else { continue }
            throw Problem(
                .forbiddenOption, "The option \(name) is not allowed for \(muxer): \(reason).", parameter: "option.\(name)")
        }
    }

    private func refusedFlag(_ flags: [JudgementTable.Flag], _ name: String, _ value: String) -> String? {
        let flag = flags.first {
            $0.option == name && OptionInspection.sets($0.name, in: name, ofMuxer: muxer, by: value)
        }
        return flag.map { "of its flag \($0.name), \($0.reason)" }
    }
}
