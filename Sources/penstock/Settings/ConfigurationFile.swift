import Bytewise
import Gateway
import SystemIO
import YAML

/// A file of settings, in YAML: a mapping of the options' names, `tokens` and `stores`. All that is wrong with it is found,
/// not the first alone.
struct ConfigurationFile {
    struct Entry {
        /// One of the setting's names.
        let name: String
        let mark: YAMLMark
        let values: [(text: String, mark: YAMLMark)]
    }

    let path: String
    /// By the settings' own names.
    private(set) var entries: [String: Entry] = [:]
    private(set) var tokens: ConfiguredTokens?
    private(set) var stores: ConfiguredStores?
    private(set) var flaws: [SettingsFlaw] = []
    /// There are no settings, as there is no text.
    private(set) var isUnreadable = false

    static let tokensKey = "tokens"
    static let storesKey = "stores"
    private static let maxBytes = 8 << 20

    init(path: String) {
        self.path = path
        let bytes: [UInt8]
        do throws(SettingsFlaw) {
            bytes = try Self.bytes(path)
        } catch {
            isUnreadable = true
            flaws = [error]
            return
        }
        let lines = SettingsLines(bytes)
        flaws = lines.tabs.map { flaw($0, "a tab stands before the first word; YAML indents by spaces") }
        if !flaws.isEmpty { return }
        do throws(YAMLFlaw) {
            try read(try YAMLReader.read(bytes), lines)
        } catch {
            flaws += lines.oldForm.isEmpty ? [flaw(error.mark, error.reason)] : oldForm(lines)
        }
    }

    private static func bytes(_ path: String) throws(SettingsFlaw) -> [UInt8] {
        let contents: File.Contents<[UInt8]>
        do throws(SystemError) {
            contents = try File.withContents(path, limit: maxBytes) { Array($0) }
        } catch {
            throw SettingsFlaw(place: .file(path, nil), reason: "the configuration file can't be read: \(error.reason)")
        }
        guard case .read(let bytes, _) = contents else {
            throw SettingsFlaw(place: .file(path, nil), reason: "this is no regular file of at most \(maxBytes) bytes, or is being written")
        }
        return bytes
    }

    private mutating func read(_ root: YAMLNode?, _ lines: SettingsLines) throws(YAMLFlaw) {
        switch root?.content {
        case nil, .null: return
        case .mapping(let members):
            for member in members { take(member.key, member.value) }
        case .scalar where !lines.oldForm.isEmpty: flaws += oldForm(lines)
        case .scalar, .sequence:
            throw YAMLFlaw(mark: root?.mark ?? YAMLMark(line: 1, column: 1), reason: "a file of settings is a mapping, a line NAME: VALUE for each, such as max-writers: 20")
        }
    }

    private func flaw(_ mark: YAMLMark, _ reason: String) -> SettingsFlaw { SettingsFlaw(place: .file(path, mark), reason: reason) }

    private func oldForm(_ lines: SettingsLines) -> [SettingsFlaw] {
        let known = Setting.all.flatMap(\.names) + [Self.tokensKey]
        // The value may be a token, and so may be what is no setting's name.
        return lines.oldForm.map { line in
            let name = known.contains { $0.isSame(as: line.name) } ? line.name : "NAME"
            return flaw(line.mark, "NAME = VALUE is no YAML: write \(name): VALUE")
        }
    }

    private mutating func take(_ key: YAMLNode, _ value: YAMLNode) {
        guard case .scalar(let name) = key.content else { return flaws.append(flaw(key.mark, "a setting's name is one word, and this is \(key.kind)")) }
        if name.isSame(as: Self.tokensKey) {
            if let tokens { return flaws.append(flaw(key.mark, "tokens is there twice; the first is in line \(tokens.mark.line)")) }
            let read = ConfiguredTokens(value, at: key.mark, path: path)
            tokens = read
            flaws += read.flaws
            return
        }
        if name.isSame(as: Self.storesKey) {
            if let stores { return flaws.append(flaw(key.mark, "stores is there twice; the first is in line \(stores.mark.line)")) }
            stores = ConfiguredStores(value, at: key.mark, path: path)
            return
        }
        guard let setting = Setting.all.first(where: { $0.names.contains { $0.isSame(as: name) } }) else {
            return flaws.append(flaw(key.mark, Self.unknown(name)))
        }
        if let first = entries[setting.name] {
            let twice = first.name == name ? "\(name) is there twice" : "\(name) is there beside \(first.name)"  // ASCII
            return flaws.append(flaw(key.mark, "\(twice); the first is in line \(first.mark.line)"))
        }
        do throws(SettingsFlaw) {
            entries[setting.name] = Entry(name: name, mark: key.mark, values: try values(value, of: setting, name))
        } catch {
            flaws.append(error)
            // So that it is no default that is judged, or taken for one.
            entries[setting.name] = Entry(name: name, mark: key.mark, values: [])
        }
    }

    private func values(_ value: YAMLNode, of setting: Setting, _ name: String) throws(SettingsFlaw) -> [(text: String, mark: YAMLMark)] {
        switch value.content {
        case .scalar(let text): return [(text, value.mark)]
        case .null: throw flaw(value.mark, "\(name) has no value\(setting.rule.isEmpty ? "" : ", and may have: \(setting.rule)")")
        case .sequence(let items) where setting.form == .list:
            var values: [(text: String, mark: YAMLMark)] = []
            for item in items {
                guard case .scalar(let text) = item.content else { throw flaw(item.mark, "\(name) is a list of single values, and this is \(item.kind)") }
                values.append((text, item.mark))
            }
            return values
        case .sequence, .mapping:
            throw flaw(value.mark, "\(name) takes \(setting.form == .list ? "a list of single values" : "one value"), and this is \(value.kind)")
        }
    }

    private static func unknown(_ name: String) -> String {
        let known = Setting.all.flatMap(\.names) + [tokensKey, storesKey]
        if let near = name.nearest(among: known) { return "there is no setting \(name); \(near) is one" }
        let words = Set(name.words(at: ["-", "_", " ", "."]).map(\.lowercasedASCII)).subtracting(["max", "no"])
        let like = known.filter { !words.isDisjoint(with: $0.parts(at: "-")) }
        return "there is no setting \(name) in this version"
            + (like.isEmpty ? "; the names are those of the options that penstock serve --help lists, without dashes before them" : "; there are \(like.joined(separator: ", "))")
    }
}
