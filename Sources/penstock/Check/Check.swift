import APICore
import ArgumentParser

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at all that a server needs on this machine: settings, folders, sandbox, FFmpeg, ports.",
        discussion: """
            Takes the options of serve, and a configuration file. Each line begins with ok, warning or error, and says what to \
            do about it. No server need run, and one that does is named. The exit code is 0 where a server runs, or would \
            run, and 1 where it would not.
            """)

    @Argument(help: "The configuration file, as --config.") var file: String?
    @OptionGroup var options: ServeOptions

    func validate() throws {
        if file != nil && options.config != nil { throw ValidationError("The file is there twice, with and without --config. Leave one.") }
    }

    func run() throws {
        let source = options.source(file: file)
        let effective = source.read()
        var findings = SettingsCheck.findings(effective, of: source)
        // Of settings that are not understood nothing else follows.
        if !effective.flaws.hasErrors {
            findings += FolderCheck.findings(effective) + [SandboxCheck.finding(effective.settings), EncoderCheck.finding()]
            findings += PlaceCheck.findings(effective.settings)
        }
        var table = TextTable(["", "", ""])
        for finding in findings { table.add([finding.level.rawValue, finding.topic, finding.text]) }
        // One line each, for grep and for logs.
        for line in table.lines(width: .max) { print(line) }
        if findings.contains(where: { $0.level == .error }) { throw ExitCode(1) }
    }
}

/// Whether the settings are understood, and hold on this machine.
enum SettingsCheck {
    static func findings(_ effective: EffectiveSettings, of source: SettingsSource) -> [Finding] {
        let flaws = effective.flawsWithMachine
        let found = flaws.inOrder.map { Finding($0.severity == .error ? .error : .warning, "settings", $0.sentence) }
        if flaws.hasErrors { return found }
        return [Finding(.ok, "settings", source.path.map { "\($0), the environment and the options" } ?? "the environment and the options; there is no file (--config)")] + found
    }
}
