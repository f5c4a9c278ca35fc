import Bytewise
import YAML

// What is in force, as a configuration file that says the same. No token is in it.
extension EffectiveSettings {
    var text: String {
        (rows.map(lines) + [storeLines, tokenLines]).joined()
    }

    private func lines(_ row: Row) -> String {
        let isWhole = row.values.allSatisfy { row.setting.shown($0).isSame(as: $0) }
        let source = "  # \(shown(row))\(isWhole ? "" : "; *** stands for what is not printed")"
        // Given back, a default of these would be one more place to listen on.
        let isIdle = !settings.listensOnHost && ["host", "port"].contains { $0.isSame(as: row.setting.name) }
        if row.setting.form == .list && row.source != .fallback && !(row.values.count == 1) {
            if row.values.isEmpty { return "\(row.setting.name): []\(source)\n" }
            return "\(row.setting.name):\(source)\n" + row.values.map { "  - \(YAMLText.scalar(shownValue($0, row)))\n" }.joined()
        }
        guard let value = row.values.first, !isIdle else {
            return "# \(row.setting.name):\(isIdle ? "\(source), not in force as there is listen" : "\(source), none")\n"
        }
        return "\(row.setting.name): \(YAMLText.scalar(shownValue(value, row)))\(source)\n"
    }

    private func shownValue(_ value: String, _ row: Row) -> String {
        switch row.setting.form {
        case .flag, .invertibleFlag: Setting.bool(value).map { "\($0)" } ?? value
        case .list, .value: row.setting.shown(value)
        }
    }

    private var tokenLines: String {
        guard let tokens else { return "# tokens:  # default, none\n" }
        let names = tokens.names.isEmpty ? "" : ", of \(tokens.names.joined(separator: ", "))"
        return "# tokens: \(tokens.count)\(names)  # \(tokens.place); not printed\n"
    }
}
