import Bytewise
import WriterModel

// One writer.
extension TableText {
    mutating func addWriter(_ writer: JSONObject, now: Timestamp) {
        let pace = WriterPace(writer, now: now)
        var pairs: [(name: String, value: String)] = []
        for member in writer.members {
            switch member.name {  // ASCII
            case "streams", "outputs", "result", "failure": continue
            case "created_at": pairs.append(("created_at", "\(member.value.shown) (\(pace.shownAge) ago)"))
            case "bytes_written":
                let count = member.value.integerValue
                pairs.append(("bytes_written", member.value.shown + ((count ?? 0) < 1_024 ? "" : " (\(ByteCount.text(count)))")))
            default: pairs.append((member.name, member.value.shown))
            }
        }
        if !pace.shownSpeed.isEmpty { pairs.append(("speed", pace.shownSpeed + (pace.shownRate.isEmpty ? "" : " (\(pace.shownRate) fps)"))) }
        add(pairs)
        addStreams(writer.list("streams"))
        addOutputs(writer.list("outputs"))
        addEnding(writer)
    }

    private mutating func addStreams(_ streams: [JSONObject]) {
        var table = TextTable([
            .init(heading: "STREAM", isNumber: true), "TYPE", .init(heading: "FRAMES", isNumber: true), .init(heading: "TIME", isNumber: true),
            .init(heading: "OFFSET", isNumber: true), "INPUT", "ENCODER", "OUTPUT",
        ])
        for stream in streams {
            table.add([
                stream.text("index"), stream.text("type"), stream.text("frames"), stream["next_pts"]?.numberValue?.fixed(3) ?? "",
                stream.text("offset"), stream.shape(""), stream.text("encoder"), stream.encoded,
            ])
            for rendition in stream.list("renditions").dropFirst() {
                table.add(["", "", "", "", "", "", rendition.text("encoder"), rendition.encoded])
            }
        }
        if !table.isEmpty { add(table) }
        let warnings = streams.flatMap { stream in
            let renditions = stream.list("renditions")
            return (renditions.isEmpty ? [stream] : renditions).flatMap { $0.list("warnings") }
        }
        add(warnings.map { ("warning", "\($0.text("code")): \($0.text("detail"))") })
    }

    private mutating func addOutputs(_ outputs: [JSONObject]) {
        var table = TextTable([
            "OUTPUT", "STATE", "FORMAT", "STREAMS", .init(heading: "PACKETS", isNumber: true), .init(heading: "DROPPED", isNumber: true),
            .init(heading: "OPENED", isNumber: true), .init(heading: "LAG", isNumber: true), .init(heading: "BYTES", isNumber: true), "DST",
        ])
        for output in outputs {
            let bytes = output["bytes"] ?? output["bytes_written"]
            table.add([
                output.text("name"), output.text("state"), output.text("format"), output["streams"]?.arrayValue?.map(\.shown).joined(separator: ",") ?? "",
                output.text("packets"), output.text("packets_dropped"), output.text("attempts"), output["lag"]?.numberValue?.fixed(1) ?? "",
                bytes?.integerValue.map(ByteCount.text) ?? "", output.text("dst"),
            ])
        }
        if !table.isEmpty { add(table) }
        var notes: [(name: String, value: String)] = []
        for output in outputs {
            let faults = [("error", output["error"]?.objectValue)].compactMap { name, told in told.map { (name, $0) } }
            for (name, told) in faults + output.list("warnings").map({ ("warning", $0) }) {
                notes.append((name, "\(output.text("name")): \(told.text("code")): \(told.text("detail"))"))
            }
        }
        add(notes)
    }

    private mutating func addEnding(_ writer: JSONObject) {
        if let failure = writer["failure"]?.objectValue {
            let log = failure["log"]?.arrayValue?.map { ("log", $0.shown) } ?? []
            let end = WriterEnd(json: .object(writer))
            let reasons = [("ended_by", end?.cause.rawValue), ("code", end?.problem?.code.rawValue)].compactMap { name, value in value.map { (name, $0) } }
            add(reasons + [("failure", failure.text("title")), ("", failure.text("detail"))] + log)
        }
        guard let result = writer["result"]?.objectValue else { return }
        var pairs: [(name: String, value: String)] = []
        for member in result.members where !member.name.isSame(as: "warnings") { pairs.append((member.name, member.value.shown)) }
        add(pairs + result.list("warnings").map { ("warning", "\($0.text("code")): \($0.text("detail"))") })
    }
}

extension JSONObject {
    /// What a stream or a rendition is encoded as: "yuv420p 1280x720 25/s (hd)".
    fileprivate var encoded: String {
        let name = (list("renditions").first ?? self).text("name")
        return shape("encoder_") + (name.isEmpty ? "" : " (\(name))")
    }

    /// What comes in, or with "encoder_" goes out: "rgb24 1280x720 25/s", "s16 48000 Hz 2 ch".
    fileprivate func shape(_ prefix: String) -> String {
        var words = [text(prefix + "format")]
        if let width = self[prefix + "width"], let height = self[prefix + "height"] { words.append("\(width.shown)x\(height.shown)") }
        if let rate = self[prefix + "frame_rate"] { words.append("\(rate.shown)/s") }
        if let rate = self[prefix + "sample_rate"] { words.append("\(rate.shown) Hz") }
        if let count = self[prefix + "num_channels"] { words.append("\(count.shown) ch") }
        return words.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
