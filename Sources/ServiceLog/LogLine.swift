import Bytewise
import Logging
import WriterModel

/// What happened, as a line.
package struct LogLine {
    private let moment: Timestamp
    private let level: Logger.Level
    private let message: String
    /// By name.
    private let fields: [(name: String, value: JSONValue)]

    package init(_ moment: Timestamp, _ level: Logger.Level, _ message: String, _ fields: Logger.Metadata) {
        self.moment = moment
        self.level = level
        self.message = message
        self.fields = fields.sorted { ByteKey($0.key) < ByteKey($1.key) }.map { ($0.key, Self.value($0.value, of: $0.key)) }
    }

    /// Of the kind that the table of fields says; text where it is none.
    private static func value(_ value: Logger.Metadata.Value, of name: String) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map { self.value($0, of: "") })
        case .dictionary(let members): .object(JSONObject(members.sorted { ByteKey($0.key) < ByteKey($1.key) }.map { ($0.key, self.value($0.value, of: "")) }))
        case .string, .stringConvertible: LogField.kind(of: name).value("\(value)")
        }
    }

    package func bytes(as format: LineLogHandler.Format) -> [UInt8] {
        let line =
            switch format {
            case .text: Array(text.utf8)
            case .json: json.encoded
            }
        return Self.escaped(line) + [0x0A]
    }

    private var json: JSONValue {
        // A field can't stand for what each line has.
        var object: JSONObject = [:]
        for field in fields { object[field.name] = field.value }
        var line: JSONObject = ["time": .string(moment.description), "level": .string(level.rawValue), "message": .string(message)]
        for member in object.members where line[member.name] == nil { line[member.name] = member.value }
        return .object(line)
    }

    private var text: String {
        fields.reduce("\(moment) \(Self.shown(level)) \(message)") { $0 + " \($1.name)=\(Self.shown($1.value))" }
    }

    private static func shown(_ level: Logger.Level) -> String {
        String(decoding: level.rawValue.utf8.map { $0.isASCIILetter ? $0 & 0xDF : $0 }, as: UTF8.self)
    }

    private static func shown(_ value: JSONValue) -> String {
        guard let text = value.stringValue else { return value.description }
        let isPlain = !text.isEmpty && text.utf8.allSatisfy {
            $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
        return isPlain ? text : value.description
    }

    /// Controls of ASCII and Latin-1, ends of lines of Unicode's, and what turns the direction of text, as `\u` and
    /// four digits: by bytes, as CR and LF together are one character, which is neither.
    private static func escaped(_ line: [UInt8]) -> [UInt8] {
        if line.allSatisfy({ (0x20...0x7E).contains($0) }) { return line }
        var escaped: [UInt8] = []
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                escaped += Array(("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
            default: escaped += Array(UTF8.encode(scalar)!)
            }
        }
        return escaped
    }
}
