import Bytewise

/// The table of docs/reference/options.md: option, values, default, whether SIGHUP changes it, meaning.
enum SettingsTable {
    static var markdown: String {
        let rows = Setting.all.map { setting in
            let option = setting.form == .invertibleFlag ? "`--\(setting.name)`, `--no-\(setting.name)`" : "`--\(setting.name)`"
            let isFlag = setting.form == .flag || setting.form == .invertibleFlag
            let unit = ["seconds", "bytes", "percent"].contains { $0.isSame(as: setting.placeholder) } ? " " + setting.placeholder : ""
            let fallback = setting.shownFallback.isEmpty ? "" : "`\(setting.shownFallback)`\(unit)"
            let text = setting.help + (setting.detail.isEmpty ? "" : " " + setting.detail)
            return "| \(option) | \(isFlag ? "" : escaped(setting.rule)) | \(fallback) | \(setting.isReloadable ? "yes" : "") | \(escaped(text)) |\n"
        }
        return "| option | values | default | SIGHUP | |\n|---|---|---|---|---|\n" + rows.joined()
    }

    /// What Markdown would take for its own.
    private static func escaped(_ text: String) -> String {
        String(decoding: text.utf8.flatMap { Array("|*<".utf8).contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }, as: UTF8.self)
    }
}
