import Bytewise
import WriterModel

/// Pairs, tables and lines, one under the other with an empty line between them: what a person reads in a terminal
/// of what is JSON for programs.
package struct TableText {
    /// Of lines, where it is not known how wide the terminal is.
    package static let defaultWidth = 100

    private let width: Int
    private var blocks: [[String]] = []

    package init(width: Int) { self.width = width }

    mutating func add(_ table: TextTable) {
        let lines = table.lines(width: width)
        if !lines.isEmpty { blocks.append(lines) }
    }

    /// Names and what they are; those that are empty are left out.
    mutating func add(_ pairs: [(name: String, value: String)]) {
        var table = TextTable(["", ""], wrapsLast: true)
        for (name, value) in pairs where !value.isEmpty { table.add([name, value]) }
        if !table.isEmpty { add(table) }
    }

    mutating func add(_ title: String, _ table: TextTable) {
        if table.isEmpty { return }
        blocks.append([TerminalText.harmless(title)] + table.lines(width: width))
    }

    mutating func add(line: String) { blocks.append([TerminalText.harmless(line)]) }

    package var text: String { blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n") }
}

/// What a table shows.
public enum TableKind: Sendable {
    case writers, writer
    case encoders, encoder, muxers, muxer, filters, filter, protocols, version

    package init(_ operation: CatalogOperation) {
        self =
            switch operation {
            case .listAudioEncoders, .listVideoEncoders: .encoders
            case .getEncoder: .encoder
            case .listMuxers, .listOutputDevices: .muxers
            case .getMuxer: .muxer
            case .listFilters: .filters
            case .getFilter: .filter
            case .listOutputProtocols: .protocols
            case .getVersion: .version
            }
    }

    /// `value` as the API has it.
    package func text(of value: JSONValue, now: Timestamp, width: Int = TableText.defaultWidth) -> String {
        let object = value.objectValue ?? [:]
        var text = TableText(width: width)
        switch self {
        case .writers:
            var table = WriterTable(now: now)
            for writer in object.list("writers") { table.add(writer) }
            return table.text(missing: object.list("partial"), width: width)
        case .writer: text.addWriter(object, now: now)
        case .encoders: text.addEncoders(object.list("encoders"))
        case .encoder: text.addComponent(object, of: "every encoder")
        case .muxers: text.addMuxers(object.list("muxers") + object.list("output_devices"))
        case .muxer: text.addComponent(object, of: "every muxer")
        case .filters: text.addFilters(object.list("filters"))
        case .filter: text.addComponent(object, of: "every filter")
        case .protocols: text.addNames("PROTOCOL", object["protocols"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        case .version: text.add(object.members.map { ($0.name, $0.value.shown) })
        }
        return text.text
    }
}

extension JSONObject {
    func text(_ name: String) -> String { self[name]?.shown ?? "" }

    /// The objects of a list.
    func list(_ name: String) -> [JSONObject] { self[name]?.arrayValue?.compactMap(\.objectValue) ?? [] }
}

extension JSONValue {
    /// On one line; of lists the elements, of objects `name value`.
    var shown: String {
        switch self {
        case .null: ""
        case .bool(let isTrue): isTrue ? "yes" : "no"
        case .integer(let number): String(number)
        case .number(let number): number.shown
        case .string(let text): text
        case .array(let elements): elements.map(\.shown).joined(separator: elements.contains { $0.objectValue != nil } ? "; " : " ")
        case .object(let object): object.members.map { "\($0.name) \($0.value.shown)" }.joined(separator: ", ")
        }
    }
}

extension Double {
    /// Without a fraction that is none.
    var shown: String { Int64(exactly: self).map { String($0) } ?? description }

    /// With so many digits behind the point.
    func fixed(_ digits: Int) -> String {
        guard isFinite, abs(self) < 1e12 else { return description }
        var unit = 1.0
        for _ in 0..<digits { unit *= 10 }
        let scaled = Int64((abs(self) * unit).rounded())
        let fraction = String(scaled % Int64(unit))
        let sign = self < 0 && scaled > 0 ? "-" : ""
        if digits == 0 { return sign + String(scaled) }
        return "\(sign)\(scaled / Int64(unit))." + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
    }
}
