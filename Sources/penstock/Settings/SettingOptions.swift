import ArgumentParser

/// The options of a section, as they were given. ArgumentParser finds the options of a type in its mirror,
/// where each property that is an `@Option` or `@Flag` is a child: this type's mirror has a child for each
/// row of the table, so that no property repeats one. No option has a default here, as the environment and
/// the configuration file stand between the command line and it.
struct SettingOptions<Section: SettingSection>: ParsableArguments, CustomReflectable {
    private(set) var given: [String: [String]] = [:]

    init() {}

    init(from decoder: any Decoder) throws {
        let options = try decoder.container(keyedBy: Name.self)
        for setting in Section.settings {
            let name = Name(stringValue: setting.name)
            switch setting.form {
            case .value: given[setting.name] = try options.decodeIfPresent(String.self, forKey: name).map { [$0] }
            case .list:
                let values = try options.decode([String].self, forKey: name)
                given[setting.name] = values.isEmpty ? nil : values
            case .flag: given[setting.name] = try options.decode(Bool.self, forKey: name) ? ["true"] : nil
            case .invertibleFlag: given[setting.name] = try options.decodeIfPresent(Bool.self, forKey: name).map { ["\($0)"] }
            }
        }
    }

    var customMirror: Mirror {
        Mirror(self, children: Section.settings.map { (label: $0.name, value: Self.definition(of: $0)) }, displayStyle: .struct)
    }

    private static func definition(of setting: Setting) -> Any {
        let name = NameSpecification.customLong(setting.name)
        let fallback = setting.shownFallback.isEmpty ? "" : " (default: \(setting.shownFallback))"
        let help = ArgumentHelp(
            setting.help + fallback, discussion: setting.detail, valueName: setting.placeholder.isEmpty ? nil : setting.placeholder)
        return switch setting.form {
        case .value: Option<String?>(name: name, help: help)
        case .list: Option<[String]>(wrappedValue: [], name: name, help: help)
        case .flag: Flag<Bool>(wrappedValue: false, name: name, help: help)
        case .invertibleFlag: Flag<Bool?>(name: name, inversion: .prefixedNo, help: help)
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
