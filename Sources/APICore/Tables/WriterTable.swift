import Bytewise
import WriterModel

/// The table of a list of writers.
package struct WriterTable {
    private var table = TextTable([
        "ID", "NAME", "NODE", "STATE", .init(heading: "AGE", isNumber: true), .init(heading: "STREAMS", most: 24),
        .init(heading: "FPS", isNumber: true), .init(heading: "SPEED", isNumber: true), .init(heading: "BYTES", isNumber: true), "REASON", "DST",
    ])
    private let now: Timestamp

    package init(now: Timestamp) { self.now = now }

    package mutating func add(_ writer: JSONObject) {
        let pace = WriterPace(writer, now: now)
        table.add([
            writer.text("id"), writer.text("name"), writer.text("node"), writer.text("state"), pace.shownAge,
            writer.list("streams").map { $0.text("encoder") }.joined(separator: ","), pace.shownRate, pace.shownSpeed,
            ByteCount.text(writer["bytes_written"]?.integerValue), WriterEnd(json: .object(writer))?.problem?.code.rawValue ?? "", writer.text("dst"),
        ])
    }

    /// `more` leads to what follows; `missing` are nodes whose writers are not in the list.
    package func text(more: String? = nil, missing: [JSONObject] = [], width: Int = TableText.defaultWidth) -> String {
        var text = TableText(width: width)
        if table.isEmpty { text.add(line: "no writers") } else { text.add(table) }
        for node in missing {
            let name = node["node"]?.shown ?? node.text("place")
            text.add(line: "missing: the writers of \(name) (\(node.text("reason")))")
        }
        if let more { text.add(line: "more: \(more)") }
        return text.text
    }
}

/// How fast a writer is, on average since it was created.
struct WriterPace {
    /// Seconds.
    private let age: Double?
    private let lifetime: Double?
    private let written: Double?
    private let pictures: Double?

    init(_ writer: JSONObject, now: Timestamp) {
        func moment(_ name: String) -> Double? { writer[name]?.stringValue.flatMap(Timestamp.init)?.secondsSinceEpoch }
        let created = moment("created_at")
        age = created.flatMap { created in now.secondsSinceEpoch.map { max(0, $0 - created) } }
        lifetime = created.flatMap { created in (moment("ended_at") ?? now.secondsSinceEpoch).map { $0 - created } }
        let streams = writer.list("streams")
        written = streams.compactMap { $0["next_pts"]?.numberValue }.max()
        pictures = streams.first { $0["type"]?.stringValue?.isSame(as: "video") ?? false }?["frames"]?.numberValue
    }

    /// "5s", "12m", "3h", "2d"
    var shownAge: String {
        guard let age else { return "" }
        let units: [(name: String, seconds: Double)] = [("d", 86_400), ("h", 3_600), ("m", 60)]
        guard let unit = units.first(where: { age >= $0.seconds }) else { return "\(Int(age))s" }
        return "\(Int(min(age / unit.seconds, 1e9)))\(unit.name)"
    }

    /// Pictures a second.
    var shownRate: String { Self.shown(pictures, lifetime, digits: 1) }

    /// "1.02x": seconds of the longest stream a second.
    var shownSpeed: String {
        let text = Self.shown(written, lifetime, digits: 2)
        return text.isEmpty ? "" : text + "x"
    }

    private static func shown(_ count: Double?, _ seconds: Double?, digits: Int) -> String {
        guard let count, let seconds, count > 0, seconds > 0 else { return "" }
        return (count / seconds).fixed(digits)
    }
}

package enum ByteCount {
    /// "512", "1.2K", "34M": by 1024, as `ls -h` does.
    package static func text(_ count: Int64?) -> String {
        guard let count else { return "" }
        var amount = Double(count)
        for unit in ["", "K", "M", "G", "T"] {
            if amount < 1_024 { return unit.isEmpty ? "\(count)" : amount.fixed(amount < 10 ? 1 : 0) + unit }
            amount /= 1_024
        }
        return amount.fixed(1) + "P"
    }
}
