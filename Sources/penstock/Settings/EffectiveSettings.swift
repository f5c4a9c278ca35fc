import Bytewise

/// The settings that hold, each with where it comes from: the command line, else the environment, else the
/// configuration file, else the default.
struct EffectiveSettings {
    enum Source {
        case commandLine, environment, fallback
        /// The line of the first value.
        case file(String, line: Int)
    }

    struct Row {
        let setting: Setting
        let values: [String]
        let source: Source
    }

    private(set) var settings = Settings()
    private(set) var rows: [Row] = []

    /// A sentence that names the option, the variable or the file's line, and what would be right.
    struct Flaw: Error {
        let description: String
    }

    init(
        commandLine: [String: [String]], environment: (String) -> String?, file: ConfigurationFile?
    ) throws(Flaw) {
        for setting in Setting.all {
            let row: Row
            if let given = commandLine[setting.name] {
                row = Row(setting: setting, values: given, source: .commandLine)
                try apply(row, given.map { ($0, "--\(setting.name)") })
            } else if let text = environment(setting.variable) {
                let values = setting.form == .list ? text.parts(at: " ", omittingEmpty: true) : [text]
                row = Row(setting: setting, values: values, source: .environment)
                try apply(row, values.map { ($0, setting.variable) })
            } else if let file, let entries = file.entries[setting.name] {
                row = Row(setting: setting, values: entries.map(\.value), source: .file(file.path, line: entries[0].line))
                try apply(row, entries.map { ($0.value, "\(file.path), line \($0.line): \(setting.name)") })
            } else {
                row = Row(setting: setting, values: setting.fallback.isEmpty ? [] : [setting.fallback], source: .fallback)
            }
            rows.append(row)
        }
    }

    private mutating func apply(_ row: Row, _ values: [(text: String, place: String)]) throws(Flaw) {
        for value in values {
            do throws(Setting.Flaw) {
                try row.setting.apply(value.text, &settings)
            } catch {
                throw Flaw(description: "\(value.place) \(error.reason).")
            }
        }
    }
}
