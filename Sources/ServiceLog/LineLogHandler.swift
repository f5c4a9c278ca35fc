import Bytewise
import Logging
import SystemIO
import WriterModel

/// One line an event on standard error, as text or as JSON. A line is one write, so the
/// lines of several processes don't mix.
public struct LineLogHandler: LogHandler {
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    public var logLevel: Logger.Level {
        get { own ?? threshold.level }
        set { own = newValue }
    }
    public var metadata: Logger.Metadata = [:]
    private let format: Format
    private let threshold: LogThreshold
    /// Of a logger that was given one.
    private var own: Logger.Level?

    public init(format: Format, threshold: LogThreshold) {
        self.format = format
        self.threshold = threshold
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        let time = WallClock.now()
        let moment = Timestamp(secondsSinceEpoch: time.seconds, nanoseconds: time.nanoseconds).description
        let values = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        let line =
            switch format {
            case .text: Self.text(moment, event, values)
            case .json: Self.json(moment, event, values)
            }
        StandardError.write(line)
    }

    private static func text(_ moment: String, _ event: LogEvent, _ values: [(String, String)]) -> [UInt8] {
        var line = "\(moment) \(Self.shown(event.level)) \(event.message)"
        for (name, value) in values { line += " \(name)=\(quoted(value))" }
        // By bytes: CR and LF together are one character, which is neither.
        return line.utf8.filter { $0 != 0x0A && $0 != 0x0D } + [0x0A]
    }

    private static func json(_ moment: String, _ event: LogEvent, _ values: [(String, String)]) -> [UInt8] {
        var object: JSONObject = [
            "time": .string(moment), "level": .string(event.level.rawValue),
            "message": .string("\(event.message)"),
        ]
        for (name, value) in values { object[name] = .string(value) }
        return JSONValue.object(object).encoded + [0x0A]
    }

    private static func shown(_ level: Logger.Level) -> String {
        String(decoding: level.rawValue.utf8.map { $0.isASCIILetter ? $0 & 0xDF : $0 }, as: UTF8.self)
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy {
            $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
        return isPlain ? value : JSONValue.string(value).description
    }
}
