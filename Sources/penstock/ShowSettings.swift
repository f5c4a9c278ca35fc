import ArgumentParser

struct ShowSettings: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "Print what 'penstock serve' would run with, and where each setting comes from.",
        discussion: "Takes the options of serve. What it prints is a configuration file.")

    @Flag(help: ArgumentHelp("Print the README's table of settings instead.", visibility: .hidden))
    var markdown = false

    @OptionGroup var options: ServeOptions

    func run() throws {
        if markdown {
            print(Self.table, terminator: "")
            return
        }
        let text = try options.effective().rows.map(Self.line).joined(separator: "\n") + "\n"
        print(text, terminator: "")
    }

    private static func line(_ row: EffectiveSettings.Row) -> String {
        let source =
            switch row.source {
            case .commandLine: "  # the command line"
            case .environment(let variable): "  # \(variable)"
            case .file(let path, let line): "  # \(path), line \(line)"
            case .fallback: ""
            }
        if row.values.isEmpty { return "# \(row.setting.name) =" + source }
        return row.values.map { value in
            // Behind another quotation mark a # begins no comment.
            "\(row.setting.name) = \(quoted(value))\(value.utf8.contains(UInt8(ascii: "\"")) ? "" : source)"
        }.joined(separator: "\n")
    }

    /// In quotation marks where the file would take the value for another.
    private static func quoted(_ value: String) -> String {
        let bytes = Array(value.utf8)
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t")]
        let isPlain = bytes.first.map { !blanks.contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "#") } ?? false
        let hasComment = zip(bytes, bytes.dropFirst()).contains { blanks.contains($0) && $1 == UInt8(ascii: "#") }
        return isPlain && !hasComment && !blanks.contains(bytes[bytes.count - 1]) ? value : "\"\(value)\""
    }

    /// A row for each setting: option, values, default, meaning.
    private static var table: String {
        let rows = Setting.all.map { setting in
            let option = setting.form == .invertibleFlag ? "`--\(setting.name)`, `--no-\(setting.name)`" : "`--\(setting.name)`"
            let isFlag = setting.form == .flag || setting.form == .invertibleFlag
            let unit = ["seconds", "bytes", "percent"].contains(setting.placeholder) ? " " + setting.placeholder : ""
            let fallback = setting.shownFallback.isEmpty ? "" : "`\(setting.shownFallback)`\(unit)"
            let text = setting.help + (setting.detail.isEmpty ? "" : " " + setting.detail)
            return "| \(option) | \(isFlag ? "" : escaped(setting.rule)) | \(fallback) | \(escaped(text)) |\n"
        }
        return "| option | values | default | |\n|---|---|---|---|\n" + rows.joined()
    }

    /// What Markdown would take for its own.
    private static func escaped(_ text: String) -> String {
        String(decoding: text.utf8.flatMap { Array("|*<".utf8).contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }, as: UTF8.self)
    }
}
