import Bytewise
import Libav

/// What hls and dash are told, unless the client tells them itself, so that several renditions of a picture are there for
/// players to choose from: a master playlist with a variant for each, or one adaptation set for each stream.
struct AdaptiveOptions {
    /// By the container's tracks.
    let tracks: [TrackOfStream]

    struct TrackOfStream {
        let stream: Int
        let rendition: String?
        let isVideo: Bool
        /// As the container writes it.
        let language: String?
    }

    init(_ tracks: [Track], of parts: [PreparedStream]) {
        self.tracks = tracks.map { track in
            let part = parts[track.stream]
            let rendition = part.renditions[track.rendition]
            return TrackOfStream(
                stream: track.stream, rendition: rendition.name, isVideo: part.description.kind == .video,
                language: rendition.presentation.metadata["language"])
        }
    }

    /// Whether one of the streams is there as several pictures.
    var areAdaptive: Bool { Self.areSeveral(tracks.filter(\.isVideo).map(\.stream)) }

    /// The same of tracks of pictures.
    static func areAdaptive(_ videos: [Track]) -> Bool { areSeveral(videos.map(\.stream)) }

    private static func areSeveral(_ streams: [Int]) -> Bool { Set(streams).count < streams.count }

    /// A master playlist has no variant whose bit rate is not known.
    func requireRates(of format: OutputFormat, _ option: [String: String]) throws(StreamWriterError) {
        guard areAdaptive, format.name.isSame(as: "hls"), let longest = KnownFaults.longestUntoldSegment,
            let options = MuxerOptions(format, option), Double(options.integer("hls_time")) / 1_000_000 <= longest
        else { return }
        throw StreamWriterError(
            .unsupportedValue,
            "hls_time is too short for several renditions: of segments up to \(longest) s this FFmpeg tells no bit rate, and without one a master playlist has no variant; choose more than \(longest)",
            parameter: "option.hls_time")
    }

    /// A player chooses among pictures of one aspect ratio only, and dash refuses others when it is opened. `renditions`: of
    /// one stream, that the output has.
    static func requireAspects(_ renditions: [PreparedRendition], of stream: Int, in format: OutputFormat, _ option: [String: String]) throws(StreamWriterError) {
        guard format.name.isSame(as: "dash"), option["adaptation_sets"] == nil else { return }
        let aspects = renditions.compactMap(\.encoder.displayAspect)
        guard let first = aspects.first, let other = aspects.first(where: { $0 != first }) else { return }
        throw StreamWriterError(
            .unsupportedValue,
            "the renditions of stream \(stream) have aspect ratios of \(first.numerator):\(first.denominator) and \(other.numerator):\(other.denominator), and dash takes renditions of one; choose sizes of the same ratio",
            parameter: "streams.\(stream).renditions")
    }

    /// `option` as the muxer is to have it. `destination`: a path or a URL.
    func completed(_ option: [String: String], of format: OutputFormat, destination: String) -> [String: String] {
        guard areAdaptive else { return option }
        var option = option
        if format.name.isSame(as: "hls") {
            if option["var_stream_map"] == nil { option["var_stream_map"] = variants }
            if option["master_pl_name"] == nil { option["master_pl_name"] = VariantPlaylist.masterName(of: destination) }
            // What it tells of bit rates is known better with each segment.
            if option["master_pl_publish_rate"] == nil { option["master_pl_publish_rate"] = "1" }
        } else if format.name.isSame(as: "dash"), option["adaptation_sets"] == nil {
            option["adaptation_sets"] = adaptationSets
        }
        return option
    }

    /// "a:0,agroup:audio,name:audio,default:yes v:0,agroup:audio,name:hd v:1,agroup:audio,name:sd": sound is a group of its own,
    /// which every picture goes with, so that it is there once.
    private var variants: String {
        var names: Set<String> = []
        var (videos, sounds) = (0, 0)
        let hasSound = tracks.contains { !$0.isVideo }
        return tracks.enumerated().map { index, track in
            var name = track.rendition ?? (track.isVideo ? "video" : "audio")
            if !names.insert(name).inserted {
                name += "-\(index)"
                names.insert(name)
            }
            var parts: [String]
            if track.isVideo {
                parts = ["v:\(videos)", "name:\(name)"] + (hasSound ? ["agroup:audio"] : [])
                videos += 1
            } else {
                parts = ["a:\(sounds)", "name:\(name)", "agroup:audio"]
                if sounds == 0 { parts.append("default:yes") }
                if let language = track.language { parts.append("language:\(language)") }
                sounds += 1
            }
            return parts.joined(separator: ",")
        }.joined(separator: " ")
    }

    /// "id=0,streams=0,1 id=1,streams=2".
    private var adaptationSets: String {
        var streams: [Int] = []
        for track in tracks where !streams.contains(track.stream) { streams.append(track.stream) }
        return streams.enumerated().map { set, stream in
            let own = tracks.indices.filter { tracks[$0].stream == stream }.map(String.init)
            return "id=\(set),streams=\(own.joined(separator: ","))"
        }.joined(separator: " ")
    }
}

/// Where hls puts the playlists of variants, which its destination stands for: `%v` in it is a variant's name.
enum VariantPlaylist {
    /// The master playlist's name where the muxer is to make one: that of a destination without `%v`, whose place it takes.
    static func masterName(of destination: String) -> String {
        let path = destination.until("?", "#")
        let name = path.cutAtLast("/")?.after ?? path
        return path.holds("%v") ? "master.m3u8" : name
    }

    /// "show/live_%v.m3u8" for "show/live.m3u8" whose place the master playlist takes; nil where the destination is as it is.
    static func pattern(of destination: String, _ option: [String: String]) -> String? {
        guard let map = option["var_stream_map"], map.parts(at: " ", omittingEmpty: true).count > 1 else { return nil }
        let path = destination.until("?", "#")
        guard !path.holds("%v"), option["master_pl_name"]?.isSame(as: masterName(of: destination)) == true else { return nil }
        let folder = path.cutAtLast("/").map { $0.before + "/" } ?? ""
        let name = path.cutAtLast("/")?.after ?? path
        let (stem, ending) = name.cutAtLast(".").map { ($0.before, "." + $0.after) } ?? (name, "")
        return "\(folder)\(stem)_%v\(ending)\(destination.without(prefix: path) ?? "")"
    }
}
