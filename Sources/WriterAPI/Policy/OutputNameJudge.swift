import Bytewise
import WriterModel

/// Judges the names of files in a muxer's options when they are given, rather than when the muxer opens the first of
/// them, by the gate that stands there then; and says what they are by the muxer's own reading: a name is one beside
/// `dst`, unless it begins with its folder.
package struct OutputNameJudge {
    let muxer: String
    let gate: DestinationGuard

    package init(muxer: String, gate: DestinationGuard) {
        self.muxer = muxer
        self.gate = gate
    }

    /// The options as the muxer is to have them. `streams`: how many the writer has.
    package func resolve(_ option: [String: String], streams: Int) throws(Problem) -> [String: String] {
        try EncryptionJudge.check(option, to: gate.plan)
        try UploadRules.check(option, muxer: muxer, gate.plan)
        guard gate.clientPolicy == .enforced else { return option }
        var resolved = option
        if let judged = JudgementTable.muxers[muxer]?.options {
            for (name, value) in option.sorted(by: { $0.key < $1.key }) {
                guard let verdict = judged[name] else { continue }
                let full = Self.asGiven.contains(name) ? value : resolve(value, verdict)
                if verdict == .outputPath { resolved[name] = full }
                guard let reason = refusal(of: full, given: value, verdict) else { continue }
                throw Problem(
                    .forbiddenOption, "The option \(name) is not allowed for \(muxer): \(reason).", parameter: "option.\(name)")
            }
        }
        try OutputNumberJudge(muxer: muxer, plan: gate.plan, streams: streams).check(resolved, given: option)
        if muxer.isSame(as: "hls"), resolved["hls_base_url"] == nil, let folder = segmentsFolder(resolved) {
            if folder.holds("%") {
                throw Problem(
                    .invalidParameter,
                    "The option hls_segment_filename can't be used for hls: players would look for the segments in \(folder) as it stands. Say \"hls_base_url\" as well, or choose a folder without a percent sign.",
                    parameter: "option.hls_segment_filename")
            }
            resolved["hls_base_url"] = folder
        }
        return resolved
    }

    /// The folder of segments from the playlist's, which the muxer leaves out of the playlist; nil: they lie beside it.
    private func segmentsFolder(_ option: [String: String]) -> String? {
        // It makes folders by the clock, and names those.
        guard option["strftime_mkdir"] == nil, let name = option["hls_segment_filename"] else { return nil }
        let beside: String? =
            switch gate.plan {
            case .files(let dst): name.without(prefix: OutputFolder.of(dst))
            case .url(let dst): name.without(prefix: OutputFolder.of(url: dst))
            default: nil
            }
        return beside?.cutAtLast("/").map { $0.before + "/" }
    }

    /// hls writes it into the playlist as it opens it.
    private static let asGiven: Set<String> = ["hls_enc_key_url"]  // ASCII

    private func resolve(_ value: String, _ verdict: Verdict) -> String {
        if URLParts(value) != nil { return value }
        switch (verdict, gate.plan) {
        case (.outputPath, .files(let dst)): return isBeside(dst, value) ? value : OutputFolder.of(dst) + value
        case (.outputPath, .url(let dst)): return OutputFolder.of(url: dst) + value
        case (.nameBesideDst, .files(let dst)): return OutputFolder.of(dst) + value
        default: return value
        }
    }

    /// Whether it is a path from the output directory, as `dst` is, rather than one from `dst`'s folder.
    private func isBeside(_ dst: String, _ path: String) -> Bool {
        if path.begins(with: OutputFolder.of(dst)) { return true }
        guard let place = gate.place, !place.isItself else { return false }
        return MuxerFolder.holds(path, at: place)
    }

    /// What a value must be whatever `dst` is.
    static func rule(_ verdict: Verdict, _ value: String) -> String {
        let rule =
            verdict == .nameBesideDst
            ? "it is put behind dst's folder and must be a relative path, without \"..\""
            : "it must be a path in dst's folder or beneath and without \"..\", or a URL"
        let name = value.cutAtLast("/")?.after ?? value
        guard !name.isEmpty, name.utf8.count < value.utf8.count, !name.holds(":"), !name.isSame(as: "..") else { return rule }
        return "\(rule), such as \"\(name)\""
    }

    private func refusal(of full: String, given value: String, _ verdict: Verdict) -> String? {
        switch (verdict, gate.plan) {
        case (.outputPath, _): return refusal(ofOpening: full, Self.rule(verdict, value))
        case (.nameBesideDst, .files):
            let rule = Self.rule(verdict, value)
            return URLParts(value) != nil ? rule : refusal(ofOpening: full, rule)
        default: return nil
        }
    }

    private func refusal(ofOpening name: String, _ rule: String) -> String? {
        do throws(Problem) {
            _ = try gate.judge(name)
            return nil
        } catch {
            return URLParts(name) == nil ? rule : String(error.detail.dropLast())
        }
    }
}

/// Where the files beside a destination lie.
enum OutputFolder {
    /// "show/" of "show/live.m3u8"; nothing of "live.m3u8".
    static func of(_ dst: String) -> String { dst.cutAtLast("/").map { $0.before + "/" } ?? "" }

    /// "http://host/show/" of "http://host/show/live.m3u8?key=x".
    static func of(url: String) -> String {
        let path = url.until("?", "#")
        guard let (scheme, rest) = path.cut(at: ":"), let rest = rest.without(prefix: "//") else { return of(path) }
        return "\(scheme)://" + (rest.cutAtLast("/")?.before ?? rest) + "/"
    }
}
