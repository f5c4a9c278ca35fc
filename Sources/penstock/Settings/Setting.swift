import Bytewise

/// One thing that an operator can tell `penstock serve`: as an option (`--max-writers 20`), in the environment
/// (`PENSTOCK_MAX_WRITERS=20`) and in a configuration file (`max-writers: 20`).
struct Setting: Sendable {
    enum Form: Sendable, Equatable {
        /// Has one value.
        case value
        /// Has any number of values: an option for each; a list in a file; in the environment, spaces between them.
        case list
        /// An option without a value; "true" or "false" elsewhere.
        case flag
        /// The same, and `--no-…` beside it.
        case invertibleFlag
    }

    /// Why a text is no value: the end of a sentence that begins with the setting's name.
    struct Flaw: Error {
        let reason: String
    }

    let name: String
    let form: Form
    /// What the value is called in `--help`: "pattern".
    let placeholder: String
    /// What is taken: "from 1 to 65535".
    let rule: String
    /// Without a setting; empty: nothing.
    let fallback: String
    let help: String
    let detail: String
    /// SIGHUP changes it.
    let isReloadable: Bool
    /// A variable without text is as if it were not there: it undoes what a service manager sets.
    var isUnsetByEmptyVariable = false
    /// A value as it may be printed.
    let shown: @Sendable (String) -> String
    /// Takes the text of a value; of a list, once for each.
    let apply: @Sendable (String, inout Settings) throws(Flaw) -> Void

    init(
        _ name: String, _ form: Form = .value, _ placeholder: String = "", rule: String = "", fallback: String = "",
        _ help: String, _ detail: String = "", reloadable: Bool = false, shown: @escaping @Sendable (String) -> String = { $0 },
        apply: @escaping @Sendable (String, inout Settings) throws(Flaw) -> Void
    ) {
        self.name = name
        self.form = form
        self.placeholder = placeholder
        self.rule = rule
        self.fallback = fallback
        self.help = help
        self.detail = detail
        isReloadable = reloadable
        self.shown = shown
        self.apply = apply
    }

    /// What `--help` and the page of options show; that a flag is not given need not be said.
    var shownFallback: String { form == .flag ? "" : fallback }

    /// What a file and, as variables, the environment may call it: `--no-access-log` is an option, and so it is a
    /// name as well, by which true is false.
    var names: [String] { form == .invertibleFlag ? [name, negation] : [name] }

    private var negation: String { "no-" + name }

    /// A value under one of the names, as the setting has it; of a negation what is neither true nor false stays.
    func value(_ text: String, under given: String) -> String {
        guard form == .invertibleFlag, given.isSame(as: negation), let isSet = Self.bool(text) else { return text }
        return "\(!isSet)"
    }

    /// The environment's for a name.
    static func variable(of name: String) -> String {
        "PENSTOCK_" + String(decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0.isASCIILetter ? $0 & 0xDF : $0 }, as: UTF8.self)
    }

    static func bool(_ text: String) -> Bool? {
        switch text.lowercasedASCII {
        case "true", "yes", "1": true
        case "false", "no", "0": false
        default: nil
        }
    }
}

extension Setting {
    /// A flag of that name; "true" and "false" are its values.
    static func flag(
        _ name: String, inverted: Bool = false, _ path: WritableKeyPath<Settings, Bool> & Sendable, _ help: String, _ detail: String = "",
        reloadable: Bool = false
    ) -> Setting {
        Setting(
            name, inverted ? .invertibleFlag : .flag, rule: "true or false", fallback: "\(Settings()[keyPath: path])", help, detail, reloadable: reloadable
        ) { text, settings throws(Flaw) in
            guard let isSet = bool(text) else { throw Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be true or false") }
            settings[keyPath: path] = isSet
        }
    }

    /// Any text but none; the default is the path's.
    static func text(
        _ name: String, _ placeholder: String, _ path: WritableKeyPath<Settings, String> & Sendable, _ help: String, _ detail: String = ""
    ) -> Setting {
        Setting(name, .value, placeholder, fallback: Settings()[keyPath: path], help, detail) { text, settings throws(Flaw) in
            if text.isEmpty { throw Flaw(reason: "is empty") }
            settings[keyPath: path] = text
        }
    }

    /// Any text but none; without one, or with a variable that is empty, there is none.
    static func text(
        _ name: String, _ placeholder: String, _ path: WritableKeyPath<Settings, String?> & Sendable, _ help: String, _ detail: String = "",
        reloadable: Bool = false
    ) -> Setting {
        var setting = Setting(name, .value, placeholder, help, detail, reloadable: reloadable) { text, settings throws(Flaw) in
            if text.isEmpty { throw Flaw(reason: "is empty") }
            settings[keyPath: path] = text
        }
        setting.isUnsetByEmptyVariable = true
        return setting
    }
}
