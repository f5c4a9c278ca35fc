import Bytewise
import Gateway
import YAML

/// The `tokens` of a configuration file: a list of mappings with the fields of a token file's lines. The tokens
/// themselves are hashed as they are read.
struct ConfiguredTokens {
    let mark: YAMLMark
    private(set) var lines: TokenLines?
    /// Of those that have one, in the file's order.
    private(set) var names: [String] = []
    private(set) var count = 0
    private(set) var flaws: [SettingsFlaw] = []
    private let path: String

    init(_ list: YAMLNode, at mark: YAMLMark, path: String) {
        self.mark = mark
        self.path = path
        guard case .sequence(let items) = list.content else {
            note(list.mark, "tokens is a list, each item with token: and what it may, and this is \(list.kind)")
            return
        }
        if items.isEmpty { note(list.mark, "tokens is an empty list; leave it out for a server without tokens") }
        var found: [TokenLine] = []
        for item in items {
            if let line = line(item) { found.append(line) }
        }
        count = items.count
        names = found.compactMap(\.name)
        if !flaws.isEmpty { return }
        do throws(TokenLine.Flaw) {
            lines = try TokenLines(configured: found)
        } catch {
            note(YAMLMark(line: max(1, error.line), column: 1), error.reason)
        }
    }

    private mutating func note(_ mark: YAMLMark, _ reason: String) {
        flaws.append(SettingsFlaw(place: .file(path, mark), reason: reason))
    }

    private mutating func line(_ item: YAMLNode) -> TokenLine? {
        guard case .mapping(let members) = item.content else {
            note(item.mark, "a token is a mapping, token: TOKEN and what it may, and this is \(item.kind)")
            return nil
        }
        var entry = TokenEntry(line: item.mark.line)
        let before = flaws.count
        for member in members { take(member.key, member.value, &entry) }
        let line = entry.finished
        if line == nil && flaws.count == before { note(item.mark, "a token has no token: itself") }
        return line
    }

    private mutating func take(_ key: YAMLNode, _ value: YAMLNode, _ entry: inout TokenEntry) {
        guard case .scalar(let name) = key.content, TokenEntry.fields.contains(where: { $0.isSame(as: name) }) else {
            // A word that stands where it does not belong may be a token.
            return note(key.mark, "this is no field of a token; there are \(TokenEntry.fields.joined(separator: ", "))")
        }
        switch value.content {
        case .scalar(let text): give(name, text, value.mark, &entry)
        case .sequence(let items) where TokenEntry.listFields.contains(where: { $0.0.isSame(as: name) }):
            let kind = TokenEntry.listFields.first { $0.0.isSame(as: name) }?.1 ?? ""
            if items.isEmpty { give(name, "", value.mark, &entry) }
            for item in items {
                if case .scalar(let text) = item.content, !text.utf8.isEmpty {
                    give(name, text, item.mark, &entry)
                } else {
                    note(item.mark, "\(name) is a list of \(kind), and this is \(item.kind)")
                }
            }
        case .null, .sequence, .mapping: note(value.mark, "\(name) takes one value, and this is \(value.kind)")
        }
    }

    private mutating func give(_ name: String, _ text: String, _ mark: YAMLMark, _ entry: inout TokenEntry) {
        do throws(TokenLine.Flaw) {
            try entry.take(name, text)
        } catch {
            note(mark, error.reason)
        }
    }
}
