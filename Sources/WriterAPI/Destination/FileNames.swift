import Bytewise
import StreamWriter
import WriterModel

/// The names that the files of one output may have, as far as its muxer and its options tell them: paths from the output
/// directory, or the places of URLs.
struct FileNames {
    /// Not only the one of dst.
    let areSeveral: Bool
    private let patterns: [NamePattern]

    func meets(_ other: FileNames) -> Bool {
        (areSeveral || other.areSeveral) && patterns.contains { one in other.patterns.contains { one.meets($0) } }
    }

    /// nil: it makes no files that have names.
    init?(of output: PlannedOutput) {
        let plan = output.plan
        let base: String
        switch (plan.destination, output.place) {
        case (.file(let dst), _), (.files(let dst), _): base = dst
        case (.url(let url), .url(let place)?) where UploadTarget(url, option: [:]) != nil: base = ObjectPlace(url) == nil ? place.text.until("?") : place.text
        default: return nil
        }
        areSeveral = !plan.muxer.needsFile
        guard areSeveral else {
            patterns = [NamePattern(base)]
            return
        }
        let isURL = if case .url = plan.destination { true } else { false }
        let source = Source(base: base, writesAside: !isURL, dst: plan.request.dst ?? base, option: plan.openOption ?? output.request?.option ?? [:])
        patterns = switch plan.muxer.name {
        case "hls": source.finished(source.hls)
        case "dash": source.finished(source.dash(tracks: plan.request.streams.map(\.config).trackCount(in: output.request)))
        case "image2" where source.isOn("update"): [NamePattern(base)]
        case "image2", "segment", "stream_segment,ssegment", "webm_chunk": source.counted
        default: [NamePattern(base)]
        }
    }

    private struct Source {
        let base: String
        /// A file gets its name once it is whole, and has one with ".tmp" until then.
        let writesAside: Bool
        /// As the client wrote it.
        let dst: String
        let option: [String: String]  // ASCII

        private var folder: String { base.cutAtLast("/").map { $0.before + "/" } ?? "" }

        func isOn(_ name: String) -> Bool { option[name].map { !["0", "false", "no", "off"].contains($0.lowercasedASCII) } ?? false }  // ASCII

        /// What an option names, beside `dst` or by its whole path.
        private func name(_ given: String) -> String {
            let ofClient = URLParts(dst) == nil ? OutputFolder.of(dst) : OutputFolder.of(url: dst)
            if let inner = given.without(prefix: ofClient) { return folder + inner }
            return URLParts(given) == nil ? folder + given : given
        }

        /// One of a name that the clock makes is not known.
        private func counting(_ template: String) -> [NamePattern] {
            isOn("strftime") ? [] : [NamePattern(counting: NameTemplate(text: template))]
        }

        /// With what they are called until they are whole.
        func finished(_ names: [NamePattern]) -> [NamePattern] { writesAside ? names + names.map { $0.with(suffix: ".tmp") } : names }

        var counted: [NamePattern] {
            counting(base) + ["segment_list", "segment_header_filename", "header"].compactMap { option[$0].map { NamePattern(name($0)) } }
        }

        var hls: [NamePattern] {
            let isFragmented = option["hls_segment_type"].map { ["fmp4", "1"].contains($0) } ?? false  // ASCII
            let stem = base.cutAtLast(".")?.before ?? base
            let isSingle = option["hls_flags"]?.parts(at: "+").contains { $0.isSame(as: "single_file") } ?? false
            let usual = stem + (isSingle ? "" : "%d") + (isFragmented ? ".m4s" : ".ts")
            var patterns = [NamePattern(base)] + counting(option["hls_segment_filename"].map(name) ?? usual)
            if isFragmented && !base.holds("%v") { patterns.append(NamePattern(name(option["hls_fmp4_init_filename"] ?? "init.mp4"))) }
            if let master = option["master_pl_name"] { patterns.append(NamePattern(name(master))) }
            return patterns
        }

        func dash(tracks: Int) -> [NamePattern] {
            let fileExtension = option["dash_segment_type"].map { ["webm", "2"].contains($0) } == true ? "webm" : "m4s"  // ASCII
            let templates = [
                option["init_seg_name"] ?? "init-stream$RepresentationID$.$ext$",
                option["media_seg_name"] ?? "chunk-stream$RepresentationID$-$Number%05d$.$ext$",
            ]
            // More only repeat what these show.
            let some = 0..<max(1, min(tracks, 8))
            var patterns = [NamePattern(base)]
            for template in templates { patterns += some.map { NamePattern(dash: folder + template, stream: $0, fileExtension: fileExtension) } }
            if isOn("hls_playlist") {
                patterns += some.map { NamePattern(folder + "media_\($0).m3u8") } + [NamePattern(folder + (option["hls_master_name"] ?? "master.m3u8"))]
            }
            return patterns
        }
    }
}
