import Foundation
import StreamWriter

/// What FFmpeg's command line prints about something, read back.
struct FFmpegHelp {
    struct Option {
        let name: String
        let type: String
        let flags: String
        var help: String
        var defaultValue: String?
        var range: (String, String)?
        var choices: [Choice] = []
    }

    struct Choice {
        let name: String
        /// Only printed for ints.
        let value: String?
        let flags: String
        let help: String
    }

    let lines: [String]
    /// All of them, or those under "… AVOptions:" headings that contain a word.
    let options: [Option]

    /// `arguments` as in `ffmpeg -h encoder=aac`.
    init(_ arguments: String..., section: String? = nil) throws {
        let text = try run(["ffmpeg", "-hide_banner"] + arguments)
        lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        var options: [Option] = []
        var isInside = section == nil
        for line in lines {
            if line.hasSuffix(" AVOptions:") {
                isInside = section == nil || line == "\(section!) AVOptions:"
            } else if isInside, let option = Self.option(line) {
                options.append(option)
            } else if isInside, !options.isEmpty, let choice = Self.choice(line) {
                options[options.count - 1].choices.append(choice)
            }
        }
        self.options = options
    }

    /// The words after a label: "Supported sample formats:".
    func words(_ label: String) -> [String]? {
        guard let line = lines.first(where: { $0.trimmingCharacters(in: .whitespaces).hasPrefix(label) })
        else { return nil }
        return line[line.range(of: label)!.upperBound...].split(separator: " ").map(String.init)
    }

    /// The rows of a list like `-encoders`, below the line of dashes, which has one for each flag.
    var rows: [(flags: String, name: String, rest: String)] {
        let start = lines.firstIndex { $0.wholeMatch(of: /\s*--+/) != nil } ?? 0
        return lines[(start + 1)...].compactMap { line in
            guard let match = line.wholeMatch(of: /\s([A-Zd. ]{2,6}?)\s+(\S+)\s*(.*)/) else { return nil }
            return (String(match.1), String(match.2), String(match.3))
        }
    }

    private static func option(_ line: String) -> Option? {
        guard let match = line.wholeMatch(of: /\s\s[- ](\S+)\s+<(\w+)>\s+([EDFVASXRBTP.]{11})(.*)/) else { return nil }
        var option = Option(
            name: String(match.1), type: String(match.2), flags: String(match.3), help: String(match.4))
        if let match = option.help.wholeMatch(of: /(.*) \(default (.*)\)/) {
            option.help = String(match.1)
            option.defaultValue = String(match.2)
        }
        if let match = option.help.wholeMatch(of: /(.*) \(from (\S+) to (\S+)\)/) {
            option.help = String(match.1)
            option.range = (String(match.2), String(match.3))
        }
        option.help = option.help.trimmingCharacters(in: .whitespaces)
        return option
    }

    private static func choice(_ line: String) -> Choice? {
        guard let match = line.wholeMatch(of: /\s{5}(\S+)\s+(-?\d+\s+)?([EDFVASXRBTP.]{11})(.*)/) else { return nil }
        return Choice(
            name: String(match.1), value: match.2.map { $0.trimmingCharacters(in: .whitespaces) },
            flags: String(match.3), help: match.4.trimmingCharacters(in: .whitespaces))
    }
}

extension OptionCapability {
    /// What differs from FFmpeg's words for the same option.
    func differences(from printed: FFmpegHelp.Option) -> [String] {
        var found: [String] = []
        func expect(_ isSame: Bool, _ what: String) { if !isSame { found.append("\(name): \(what)") } }
        expect(type == printed.type, "type \(type), \(printed.type)")
        let ownHelp = (help ?? "").trimmingCharacters(in: .whitespaces)
        expect(ownHelp == printed.help, "help \(ownHelp), \(printed.help)")
        expect(hasDefault(printed.defaultValue), "default \(defaultValue ?? "nil"), \(printed.defaultValue ?? "nil")")
        expect(isBound(minimum, printed.range?.0), "minimum \(minimum as Any), \(printed.range as Any)")
        expect(isBound(maximum, printed.range?.1), "maximum \(maximum as Any), \(printed.range as Any)")
        // Of text libav lists none; some are known all the same (HiddenChoiceTests).
        let isText = type == "string" && printed.choices.isEmpty
        expect(isText || choices.map(\.name) == printed.choices.map(\.name), "choices \(choices), \(printed.choices)")
        for (own, theirs) in zip(choices, printed.choices) {
            expect(own.value == theirs.value ?? own.value, "\(own.name) is \(own.value), \(theirs)")
            let help = (own.help ?? "").trimmingCharacters(in: .whitespaces)
            expect(help == theirs.help, "help of \(own.name): \(help), \(theirs.help)")
        }
        return found
    }

    private func hasDefault(_ printed: String?) -> Bool {
        // FFmpeg also shows what stands for "not set".
        let isUnset = [nil, "nan", "0x0", "INT64_MIN", "INT64_MAX"].contains(printed)
        guard let printed, let defaultValue else { return isUnset && defaultValue == nil }
        switch type {
        case "string", "dictionary", "image_size", "video_rate", "color": return printed == "\"\(defaultValue)\""
        case "duration": return Self.seconds(printed) == Double(defaultValue)
        // Without names FFmpeg prints the bits.
        case "flags": return printed == defaultValue || Int64(printed, radix: 16) == Int64(defaultValue)
        default:
            if let theirs = Self.number(printed), let own = Double(defaultValue) { return Self.isNear(own, theirs) }
            return printed == defaultValue
        }
    }

    private func isBound(_ bound: Double?, _ printed: String?) -> Bool {
        guard let printed, let theirs = Self.number(printed) else { return bound == nil }
        let limits = switch type {
        case "int", "rational": (Double(Int32.min), Double(Int32.max))
        case "int64": (-0x1p63, 0x1p63)
        case "uint64": (0.0, 0x1p64)
        case "float": (-Double(Float.greatestFiniteMagnitude), Double(Float.greatestFiniteMagnitude))
        default: (-Double.greatestFiniteMagnitude, Double.greatestFiniteMagnitude)
        }
        if let bound { return Self.isNear(bound, theirs) }
        return theirs <= limits.0 || theirs >= limits.1
    }

    /// FFmpeg prints six digits.
    private static func isNear(_ a: Double, _ b: Double) -> Bool { a == b || abs(a - b) <= abs(b) * 1e-5 }

    private static func number(_ text: String) -> Double? {
        let sign = text.hasPrefix("-") ? -1.0 : 1
        switch text.drop(while: { $0 == "-" }) {
        case "INT_MAX": return Double(Int32.max)
        case "INT_MIN": return Double(Int32.min)
        case "UINT32_MAX": return Double(UInt32.max)
        case "I64_MAX": return 0x1p63
        case "I64_MIN": return -0x1p63
        case "FLT_MAX": return sign * Double(Float.greatestFiniteMagnitude)
        case "FLT_MIN": return sign * Double(Float.leastNormalMagnitude)
        case "DBL_MAX": return sign * Double.greatestFiniteMagnitude
        case "DBL_MIN": return sign * Double.leastNormalMagnitude
        default: return Double(text)
        }
    }

    /// "1:02:03.5"
    private static func seconds(_ text: String) -> Double? {
        text.split(separator: ":").reduce(0.0) { sum, part in
            Double(part).flatMap { part in sum.map { $0 * 60 + part } }
        }
    }
}
