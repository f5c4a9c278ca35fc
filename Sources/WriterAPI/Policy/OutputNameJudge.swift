import Bytewise
import WriterModel

/// Judges the names of files in a muxer's options when they are given, rather than when the muxer opens
/// the first of them, by the gate that stands there then.
package struct OutputNameJudge {
    let muxer: String
    let gate: DestinationGuard

    package init(muxer: String, gate: DestinationGuard) {
        self.muxer = muxer
        self.gate = gate
    }

    package func check(_ option: [String: String]) throws(Problem) {
        guard gate.clientPolicy == .enforced, let judged = JudgementTable.muxers[muxer]?.options else { return }
        for (name, value) in option.sorted(by: { $0.key < $1.key }) {
            guard let verdict = judged[name], let reason = refusal(of: value, verdict) else { continue }
            throw Problem(
                .forbiddenOption, "The option \(name) is not allowed for \(muxer): \(reason).", parameter: "option.\(name)")
        }
    }

    /// What a value must be whatever `dst` is.
    static func rule(_ verdict: Verdict) -> String {
        verdict == .nameBesideDst
            ? "it is put behind dst's folder and must be a relative path, without \"..\""
            : "it must be a path from the output directory, as dst is, in dst's folder or beneath and without \"..\", or a URL"
    }

    private func refusal(of value: String, _ verdict: Verdict) -> String? {
        switch (verdict, gate.plan) {
        case (.outputPath, .url) where URLParts(value) == nil: return "it must be a URL, as dst is one"
        case (.outputPath, _): return refusal(ofOpening: value, rule(verdict))
        case (.nameBesideDst, .files(let dst)):
            if URLParts(value) != nil { return Self.rule(verdict) }
            return refusal(ofOpening: folder(of: dst) + value, Self.rule(verdict))
        default: return nil
        }
    }

    private func rule(_ verdict: Verdict) -> String {
        guard let place = gate.place, !place.isItself else { return Self.rule(verdict) }
        return Self.rule(verdict) + ": begin it with \"\(place)/\""
    }

    private func refusal(ofOpening name: String, _ rule: String) -> String? {
        do throws(Problem) {
            _ = try gate.judge(name)
            return nil
        } catch {
            return URLParts(name) == nil ? rule : String(error.detail.dropLast())
        }
    }

    private func folder(of dst: String) -> String {
        dst.cutAtLast("/").map { $0.before + "/" } ?? ""
    }
}
