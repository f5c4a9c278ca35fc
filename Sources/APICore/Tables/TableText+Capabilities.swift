import Bytewise
import WriterModel

// What libav can do.
extension TableText {
    mutating func addNames(_ heading: String, _ names: [String]) {
        var table = TextTable([.init(heading: heading)])
        for name in names { table.add([name]) }
        add(table)
    }

    mutating func addEncoders(_ encoders: [JSONObject]) {
        var table = TextTable(["ENCODER", "TYPE", "CODEC", "NOTE", "DESCRIPTION"])
        for encoder in encoders {
            let notes = ["experimental", "hardware"].filter { encoder[$0] == true } + encoder.ban
            table.add([encoder.text("name"), encoder.text("type"), encoder.text("codec"), notes.joined(separator: ", "), encoder.text("description")])
        }
        add(table)
    }

    mutating func addMuxers(_ muxers: [JSONObject]) {
        var table = TextTable([
            .init(heading: "FORMAT", most: 24), .init(heading: "EXTENSIONS", most: 12), .init(heading: "AUDIO", most: 13),
            .init(heading: "VIDEO", most: 13), "DESCRIPTION",
        ])
        for muxer in muxers {
            table.add([
                muxer.text("name"), muxer["extensions"]?.arrayValue?.map(\.shown).joined(separator: ",") ?? "",
                muxer.text("default_audio_encoder"), muxer.text("default_video_encoder"),
                (muxer.ban.map { "[\($0)]" } + [muxer.text("description")]).joined(separator: " "),
            ])
        }
        add(table)
    }

    mutating func addFilters(_ filters: [JSONObject]) {
        var table = TextTable(["FILTER", "PADS", "NOTE", "DESCRIPTION"])
        for filter in filters {
            table.add([filter.text("name"), filter.pads, filter.ban.joined(), filter.text("description")])
        }
        add(table)
    }

    /// An encoder, a muxer or a filter, with its options and those that all of its kind have.
    mutating func addComponent(_ component: JSONObject, of all: String) {
        add(component.members.filter { !$0.name.isSame(as: "options") }.map { ($0.name, $0.value.shown) })
        let options = component.list("options")
        let (own, others) = (options.filter { $0["private"] == true }, options.filter { $0["private"] != true })
        add("options of \(component.text("name")):", Self.table(of: own))
        add("options of \(all):", Self.table(of: others))
    }

    private static func table(of options: [JSONObject]) -> TextTable {
        var table = TextTable(
            [
                .init(heading: "OPTION", most: 28), .init(heading: "TYPE", most: 12), .init(heading: "RANGE", most: 18), .init(heading: "DEFAULT", most: 18),
                "HELP",
            ], wrapsLast: true)
        for option in options {
            table.add([option.text("name"), option.text("type"), option.range, option.text("default"), option.explanation])
        }
        return table
    }
}

extension JSONObject {
    fileprivate var ban: [String] { self["allowed"] == false ? ["not allowed"] : [] }

    /// As `ffmpeg -filters` prints it: "V->V", "N->A".
    fileprivate var pads: String {
        func letters(_ name: String) -> String {
            let pads = self[name]?.arrayValue?.compactMap(\.stringValue) ?? []
            let text = pads.map { $0.isSame(as: "video") ? "V" : $0.isSame(as: "audio") ? "A" : "N" }.joined()
            return text.isEmpty ? "|" : text
        }
        return letters("inputs") + "->" + letters("outputs")
    }

    fileprivate var range: String {
        let (least, most) = (self["minimum"]?.numberValue, self["maximum"]?.numberValue)
        if least == nil && most == nil { return "" }
        return (least?.shown ?? "") + ".." + (most?.shown ?? "")
    }

    /// What it is for, and what it takes.
    fileprivate var explanation: String {
        var sentences = [text("help")]
        if let reason = self["refusal"]?.stringValue { sentences.append("[not allowed: \(reason)]") }
        let choices = list("choices").map { $0.text("name") }
        if !choices.isEmpty { sentences.append("[\(choices.joined(separator: " "))]") }
        let keys = self["keys"]?.arrayValue?.map(\.shown) ?? []
        if !keys.isEmpty { sentences.append("[keys: \(keys.joined(separator: " "))]") }
        return sentences.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
