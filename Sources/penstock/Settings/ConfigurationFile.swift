import Bytewise
import SystemIO

/// A file of settings, one a line: `max-writers = 20`. Empty lines and what follows a # at the beginning of a
/// line, or behind a blank, don't count; a value in double quotes is taken as it stands.
struct ConfigurationFile {
    struct Entry: Equatable {
        let line: Int
        /// One of the setting's.
        let name: String
        let value: String
    }

    /// What is wrong, with the file's name and the line.
    struct Flaw: Error {
        let description: String
    }

    let path: String
    /// By the settings' own names.
    private(set) var entries: [String: [Entry]] = [:]
    private static let maxBytes = 1 << 20

    init(path: String, known: [Setting]) throws(Flaw) {
        self.path = path
        for (index, line) in try Self.lines(path).enumerated() {
            let text = Self.trimmed(Self.withoutComment(line))
            if text.isEmpty { continue }
            let place = "\(path), line \(index + 1)"
            guard let (before, after) = text.cut(at: "=") else {
                throw Flaw(description: "\(place): a line is NAME = VALUE, such as: max-writers = 20")
            }
            let name = Self.trimmed(before)
            guard let setting = known.first(where: { $0.names.contains { $0.isSame(as: name) } }) else {
                throw Flaw(description: "\(place): there is no setting \(name). \(Self.hint(name, known))")
            }
            if let first = entries[setting.name]?.first, setting.form != .list {
                let twice = first.name == name ? "\(name) is there twice" : "\(name) is there beside \(first.name)"  // ASCII
                throw Flaw(description: "\(place): \(twice); the first is in line \(first.line)")
            }
            guard let value = Self.unquoted(Self.trimmed(after)) else {
                throw Flaw(description: "\(place): the value of \(name) begins with a quotation mark and does not end with one")
            }
            entries[setting.name, default: []].append(Entry(line: index + 1, name: name, value: value))
        }
    }

    private static func lines(_ path: String) throws(Flaw) -> [String] {
        let contents: File.Contents<[UInt8]>
        do throws(SystemError) {
            contents = try File.withContents(path, limit: maxBytes) { Array($0) }
        } catch {
            throw Flaw(description: "the configuration file can't be read: \(error.description)")
        }
        guard case .read(let bytes, _) = contents else {
            throw Flaw(description: "\(path) is no regular file of at most \(maxBytes) bytes, or is being written")
        }
        guard let text = String(validating: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self),
            !text.utf8.contains(0)
        else { throw Flaw(description: "\(path) is no text in UTF-8") }
        return text.parts(at: "\n")
    }

    /// Up to a # that begins the line or stands behind a blank, and not between quotation marks.
    private static func withoutComment(_ line: String) -> String {
        var isQuoted = false
        var previous = UInt8(ascii: " ")
        let kept = line.utf8.prefix { byte in
            defer { previous = byte }
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            return byte != UInt8(ascii: "#") || isQuoted || !isBlank(previous)
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") }

    private static func trimmed(_ text: String) -> String {
        let bytes = text.utf8.drop(while: isBlank)
        guard let last = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: bytes[...last], as: UTF8.self)
    }

    /// nil for one quotation mark without the other.
    private static func unquoted(_ value: String) -> String? {
        guard let inner = value.without(prefix: "\"") else { return value }
        return inner.without(suffix: "\"")
    }

    /// "There are: …", the settings that share a word with the name; all of them when none does.
    private static func hint(_ name: String, _ known: [Setting]) -> String {
        let words = Set(name.words(at: ["-", "_", " ", "."]).map(\.lowercasedASCII)).subtracting(["max"])
        let near = known.flatMap(\.names).filter { !words.isDisjoint(with: $0.parts(at: "-")) }
        return "There are \((near.isEmpty ? known.flatMap(\.names) : near).joined(separator: ", "))."
    }
}
