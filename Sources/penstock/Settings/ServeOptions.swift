import ArgumentParser
import Bytewise
import SystemIO

/// The options of `penstock serve`, which `penstock config` has too.
struct ServeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file of settings, in YAML: max-writers: 20.", discussion: "The names are the options', without dashes before them.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Addresses and folders") var place: SettingOptions<PlaceSettings>
    @OptionGroup(title: "Access") var access: SettingOptions<AccessSettings>
    @OptionGroup(title: "Webhooks") var webhooks: SettingOptions<WebhookSettings>
    @OptionGroup(title: "Limits") var limits: SettingOptions<LimitSettings>
    @OptionGroup(title: "Log") var log: SettingOptions<LogSettings>

    /// As they are now, with the environment of the process.
    func source(file: String? = nil) -> SettingsSource {
        let given = [place.given, access.given, webhooks.given, limits.given, log.given].reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        let environment = SettingsEnvironment.ofProcess
        return SettingsSource(commandLine: given, environment: environment, path: file ?? config ?? environment[SettingsEnvironment.config])
    }
}

/// Where settings come from. Only the file may say something else when it is read again.
struct SettingsSource: Sendable {
    let commandLine: [String: [String]]
    let environment: SettingsEnvironment
    /// Of the configuration file; nil: there is none.
    let path: String?

    func read() -> EffectiveSettings {
        EffectiveSettings(commandLine: commandLine, environment: environment, file: path.map { ConfigurationFile(path: $0) })
    }
}
