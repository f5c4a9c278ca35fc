import Bytewise
import Gateway
import SystemIO
import WriterModel
import YAML

/// The settings that hold, each with where it comes from: the command line, else the environment, else the
/// configuration file, else the default; and all that is wrong with any of them.
struct EffectiveSettings: Sendable {
    enum Source: Sendable, Equatable {
        case commandLine, fallback
        /// The variable.
        case environment(String)
        case file(String, line: Int)
    }

    struct Row: Sendable {
        let setting: Setting
        let values: [String]
        let source: Source
    }

    private(set) var settings = Settings()
    private(set) var rows: [Row] = []
    private(set) var flaws: [SettingsFlaw] = []
    /// What the configuration file says of tokens, to show.
    private(set) var tokens: (names: [String], count: Int, place: String)?
    private(set) var isFileUnreadable = false
    let environment: SettingsEnvironment

    init(commandLine: [String: [String]], environment: SettingsEnvironment, file: ConfigurationFile?) {
        self.environment = environment
        flaws = environment.flaws + (file?.flaws ?? [])
        isFileUnreadable = file?.isUnreadable ?? false
        for setting in Setting.all { add(setting, commandLine, file) }
        settings.listensOnHost = settings.listen.isEmpty || isGiven("host") || isGiven("port")
        if let read = file?.tokens, let path = file?.path {
            settings.tokens = read.lines
            tokens = (read.names, read.count, "\(path):\(read.mark.line)")
        }
        let read = Self.stores(environment, file)
        settings.stores = read.stores
        flaws += read.flaws
        // A contradiction with what was not understood is none.
        if !flaws.hasErrors { flaws += contradictions(file) }
    }

    mutating func replaceRows(_ replacement: (Row) -> Row) { rows = rows.map(replacement) }

    mutating func replaceStores(_ stores: [StoreSettings]) { settings.stores = stores }

    func row(_ name: String) -> Row? { rows.first { $0.setting.name.isSame(as: name) } }

    func isGiven(_ name: String) -> Bool { row(name).map { $0.source != .fallback } ?? false }

    private mutating func add(_ setting: Setting, _ commandLine: [String: [String]], _ file: ConfigurationFile?) {
        if let given = commandLine[setting.name] {
            rows.append(Row(setting: setting, values: given, source: .commandLine))
            for value in given { apply(setting, value, .option, "--\(setting.name)") }
        } else if let (name, text) = given(setting) {
            let variable = Setting.variable(of: name)
            let values = setting.form == .list ? text.parts(at: " ", omittingEmpty: true) : [setting.value(text, under: name)]
            rows.append(Row(setting: setting, values: values, source: .environment(variable)))
            for value in values { apply(setting, value, .variable, variable) }
        } else if let file, let entry = file.entries[setting.name] {
            let values = entry.values.map { setting.value($0.text, under: entry.name) }
            rows.append(Row(setting: setting, values: values, source: .file(file.path, line: entry.mark.line)))
            for (value, written) in zip(values, entry.values) { apply(setting, value, .file(file.path, written.mark), entry.name) }
        } else {
            rows.append(Row(setting: setting, values: setting.fallback.isEmpty ? [] : [setting.fallback], source: .fallback))
        }
    }

    /// The name whose variable is there, and its value.
    private mutating func given(_ setting: Setting) -> (name: String, text: String)? {
        let given = setting.names.compactMap { name in environment[Setting.variable(of: name)].map { (name: name, text: $0) } }
        if setting.isUnsetByEmptyVariable && given.first?.text.isEmpty == true { return nil }
        if given.count > 1 {
            let variables = given.map { Setting.variable(of: $0.name) }.joined(separator: " and ")
            flaws.append(SettingsFlaw(place: .variable, reason: "\(variables) are one setting: leave one of them"))
        }
        return given.first
    }

    private mutating func apply(_ setting: Setting, _ value: String, _ place: SettingsFlaw.Place, _ name: String) {
        do throws(Setting.Flaw) {
            try setting.apply(value, &settings)
        } catch {
            flaws.append(SettingsFlaw(place: place, reason: "\(name) \(error.reason)"))
        }
    }
}
