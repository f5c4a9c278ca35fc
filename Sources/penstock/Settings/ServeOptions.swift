import ArgumentParser
import SystemIO

/// The options of `penstock serve`, which `penstock settings` has too.
struct ServeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A file of settings, one a line: max-writers = 20.", discussion: "The names are the options', without dashes before them.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Where") var place: SettingOptions<PlaceSettings>
    @OptionGroup(title: "Who may") var access: SettingOptions<AccessSettings>
    @OptionGroup(title: "Limits") var limits: SettingOptions<LimitSettings>
    @OptionGroup(title: "Log") var log: SettingOptions<LogSettings>

    /// Throws what is wrong with any of them; the exit code is then 64.
    func effective() throws -> EffectiveSettings {
        let given = [place.given, access.given, limits.given, log.given].reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        let file: ConfigurationFile?
        do throws(ConfigurationFile.Flaw) {
            file = try (config ?? Environment["PENSTOCK_CONFIG"]).map { path throws(ConfigurationFile.Flaw) in
                try ConfigurationFile(path: path, known: Setting.all)
            }
        } catch {
            throw ValidationError(error.description)
        }
        do throws(EffectiveSettings.Flaw) {
            return try EffectiveSettings(commandLine: given, environment: { Environment[$0] }, file: file)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
