import Bytewise
import WriterModel

/// Whether each file of a muxer's gets a name of its own, and one by which players find it: what would fail, or be
/// written over, at the second file is refused before the first.
struct OutputNumberJudge {
    let muxer: String
    let plan: DestinationPlan
    /// How many the writer has.
    let streams: Int

    private var dst: String? {
        switch plan {
        case .files(let dst), .url(let dst): dst
        case .managed, .file, .device, .nowhere: nil
        }
    }

    /// `option`: with names as they are opened; `given`: as the client wrote them.
    func check(_ option: [String: String], given: [String: String]) throws(Problem) {
        guard let dst else { return }
        switch muxer {
        case "hls": try checkSegments(dst, option, given)
        case "dash": try checkDASH(dst, option)
        case "image2": try checkPictures(dst, option)
        case "segment", "stream_segment,ssegment", "webm_chunk":
            try checkNumber(dst, option)
            try checkLists(dst, option)
        default: break
        }
    }

    /// Names of the clock's: two may be the same.
    static func namesByTime(_ option: [String: String]) -> Bool { isOn("strftime", option) }

    private static func isOn(_ name: String, _ option: [String: String]) -> Bool {
        guard let value = option[name]?.lowercasedASCII else { return false }
        return !["0", "false", "n", "no", "disable", "disabled", "off"].contains(value)  // ASCII
    }

    // MARK: hls

    private func checkSegments(_ dst: String, _ option: [String: String], _ given: [String: String]) throws(Problem) {
        let name = "hls_segment_filename"
        try checkRoles(dst, option)
        let isSingle = option["hls_flags"]?.parts(at: "+").contains { $0.isSame(as: "single_file") } ?? false
        if let value = option[name] {
            try checkPlace(of: value, given: given[name] ?? value, dst, option)
            if isSingle || Self.namesByTime(option) || NameTemplate(text: value).hasNumber { return }
            throw refusal(
                "the segments' name needs a number, %d or %03d: each would be written over the one before",
                "option.\(name)", NameTemplate(text: given[name] ?? value).numbered)
        }
        // Named after the playlist, whose own percent sign takes the number's.
        let stem = dst.until("?").cutAtLast(".")?.before ?? dst
        if isSingle || Self.namesByTime(option) || NameTemplate(text: stem + "%d.ts").hasNumber { return }
        throw Problem(
            .invalidParameter,
            "The segments of \(dst) have no names of their own: a percent sign before the extension takes the one of their number. Choose another name, or name them: \"hls_segment_filename\": \"segment%d.ts\".",
            parameter: "dst")
    }

    /// Playlist, master playlist and the fragments' head are files of their own.
    private func checkRoles(_ dst: String, _ option: [String: String]) throws(Problem) {
        guard case .files = plan else { return }
        var taken = [dst]
        let segments = option["hls_segment_filename"].map { NameTemplate(text: $0) }
        func isTaken(_ name: String) -> Bool {
            taken.contains { $0.isSame(as: name) } || segments?.mayBe(name) == true || segments?.text.isSame(as: name) == true
        }
        if let segments, segments.mayBe(dst) || segments.text.isSame(as: dst) {
            throw refusal("the playlist has that name", "option.hls_segment_filename", "part-%d.ts")
        }
        for key in ["hls_fmp4_init_filename", "master_pl_name"] {
            guard let name = option[key] else { continue }
            let full = OutputFolder.of(dst) + name
            if isTaken(full) { throw refusal("another of the writer's files has that name, or gets it", "option.\(key)", "other-" + name) }
            taken.append(full)
        }
    }

    /// A playlist has the names of segments as they are from its own folder.
    private func checkPlace(of value: String, given: String, _ dst: String, _ option: [String: String]) throws(Problem) {
        guard case .files = plan, option["hls_base_url"] == nil, URLParts(value) == nil else { return }
        let folder = OutputFolder.of(dst)
        if value.begins(with: folder) { return }
        throw refusal(
            "it lies outside of \(folder), the playlist's folder, where players look for it (hls_base_url says another place)",
            "option.hls_segment_filename", given.cutAtLast("/")?.after ?? given)
    }

    // MARK: dash

    private func checkDASH(_ dst: String, _ option: [String: String]) throws(Problem) {
        try checkDASHNumbers(option)
        let folder = OutputFolder.of(dst)
        // More only repeat what these show.
        let some = 0..<max(1, min(streams, 8))
        for fileExtension in ["m4s", "webm"] {
            func names(_ key: String, _ usual: String) -> [NamePattern] {
                some.map { NamePattern(dash: folder + (option[key] ?? usual), stream: $0, fileExtension: fileExtension) }
            }
            let segments = names("media_seg_name", "chunk-stream$RepresentationID$-$Number%05d$.$ext$")
            var taken = [NamePattern(dst)] + (Self.isOn("hls_playlist", option) ? some.map { NamePattern(folder + "media_\($0).m3u8") } : [])
            for (key, patterns, right) in [
                ("init_seg_name", names("init_seg_name", "init-stream$RepresentationID$.$ext$"), "head-$RepresentationID$.$ext$"),
                ("hls_master_name", playlists(folder, option), "master.m3u8"),
            ] {
                if let name = option[key] ?? option["media_seg_name"], patterns.contains(where: { pattern in (taken + segments).contains(where: pattern.meets) }) {
                    let isSegments = option[key] == nil
                    throw refusal(
                        "another of the writer's files has that name, or gets it", "option.\(isSegments ? "media_seg_name" : key)",
                        isSegments ? "chunk-" + name : right)
                }
                taken += patterns
            }
            if let name = option["media_seg_name"], segments.contains(where: { $0.meets(taken[0]) }) {
                throw refusal("the manifest has that name, or gets it", "option.media_seg_name", "chunk-" + name)
            }
        }
    }

    /// Of HLS, beside the manifest.
    private func playlists(_ folder: String, _ option: [String: String]) -> [NamePattern] {
        guard Self.isOn("hls_playlist", option) else { return [] }
        return [NamePattern(folder + (option["hls_master_name"] ?? "master.m3u8"))]
    }

    private func checkDASHNumbers(_ option: [String: String]) throws(Problem) {
        if let name = option["media_seg_name"], !NameTemplate(text: name).hasVariable("Number", "Time") {
            throw refusal(
                "the segments' name needs $Number$ or $Time$: each would be written over the one before",
                "option.media_seg_name", NameTemplate(text: name).inserting("-$Number$"))
        }
        if streams < 2 { return }
        for key in ["init_seg_name", "media_seg_name"] {
            guard let name = option[key], !NameTemplate(text: name).hasVariable("RepresentationID") else { continue }
            throw refusal(
                "with \(streams) streams the name needs $RepresentationID$: all would be written to the same files",
                "option.\(key)", NameTemplate(text: name).inserting("-$RepresentationID$"))
        }
    }

    // MARK: Names with numbers

    private func checkPictures(_ dst: String, _ option: [String: String]) throws(Problem) {
        // A name as it is, or one of the clock's.
        if Self.isOn("update", option) || Self.namesByTime(option) { return }
        try checkPercents(dst, " \"update\": 1 takes the name as it is, for one picture.")
    }

    private func checkNumber(_ dst: String, _ option: [String: String]) throws(Problem) {
        if Self.namesByTime(option) { return }
        try checkPercents(dst, "")
        let template = NameTemplate(text: dst)
        if template.numbers == 1 { return }
        throw Problem(
            .invalidParameter,
            template.numbers == 0
                ? "\(muxer) makes several files, and dst needs a number for them, %d or %03d, such as \"\(template.numbered)\"."
                : "\(muxer) puts one number into dst, and \(dst) has \(template.numbers).",
            parameter: "dst", supported: template.numbers == 0 ? [template.numbered] : nil)
    }

    /// Lists and heads are files beside the segments.
    private func checkLists(_ dst: String, _ option: [String: String]) throws(Problem) {
        if Self.namesByTime(option) { return }
        var taken = [NamePattern(counting: NameTemplate(text: dst))]
        for key in ["segment_list", "segment_header_filename", "header"] {
            guard let name = option[key], URLParts(name) == nil else { continue }
            let pattern = NamePattern(name)
            if taken.contains(where: pattern.meets) {
                throw refusal(
                    "another of the writer's files has that name, or gets it", "option.\(key)", "other-" + (name.cutAtLast("/")?.after ?? name))
            }
            taken.append(pattern)
        }
    }

    private func checkPercents(_ dst: String, _ advice: String) throws(Problem) {
        let template = NameTemplate(text: dst)
        guard template.hasStrayPercent else { return }
        throw Problem(
            .invalidParameter,
            "In dst a percent sign begins a number, %d or %03d; one that is only that is written twice: \"\(template.escaped)\".\(advice)",
            parameter: "dst", supported: [template.escaped])
    }

    private func refusal(_ reason: String, _ parameter: String, _ right: String) -> Problem {
        let name = parameter.without(prefix: "option.") ?? parameter
        return Problem(
            .invalidParameter, "The option \(name) can't be used for \(muxer): \(reason). Say \"\(name)\": \"\(right)\".",
            parameter: parameter, supported: [right])
    }
}
