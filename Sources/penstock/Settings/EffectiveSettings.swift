import Bytewise

/// The settings that hold, each with where it comes from: the command line, else the environment, else the
/// configuration file, else the default.
struct EffectiveSettings {
    enum Source {
        case commandLine, fallback
        /// The variable.
        case environment(String)
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
            } else if let (name, text) = try Self.given(setting, in: environment) {
                let variable = Setting.variable(of: name)
                let values = setting.form == .list ? text.parts(at: " ", omittingEmpty: true) : [setting.value(text, under: name)]
                row = Row(setting: setting, values: values, source: .environment(variable))
                try apply(row, values.map { ($0, variable) })
            } else if let file, let entries = file.entries[setting.name] {
                let values = entries.map { setting.value($0.value, under: $0.name) }
                row = Row(setting: setting, values: values, source: .file(file.path, line: entries[0].line))
                try apply(row, zip(values, entries).map { ($0, "\(file.path), line \($1.line): \($1.name)") })
            } else {
                row = Row(setting: setting, values: setting.fallback.isEmpty ? [] : [setting.fallback], source: .fallback)
            }
            rows.append(row)
        }
    }

    /// The name whose variable is there, and its value.
    private static func given(_ setting: Setting, in environment: (String) -> String?) throws(Flaw) -> (name: String, text: String)? {
        let given = setting.names.compactMap { name in environment(Setting.variable(of: name)).map { (name: name, text: $0) } }
        if given.count > 1 {
            let variables = given.map { Setting.variable(of: $0.name) }.joined(separator: " and ")
            throw Flaw(description: "\(variables) are one setting: leave one of them.")
        }
        return given.first
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
