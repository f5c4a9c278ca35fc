import ArgumentParser
import SystemIO

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the settings of 'penstock serve', or print what is in force.",
        discussion: """
            Takes the options of serve, and a configuration file. With --check, all that is wrong is printed, one a line, \
            as FILE:LINE:COLUMN: error: what. The exit code is 0 where a server would run, 1 where it would not, and 2 where \
            the file can't be read. Hosts are looked up and places tried out as a server does; one where a server listens now, \
            or a state directory where one runs, is a warning.
            With --print, the settings are printed as a configuration file, each with where it comes from. Tokens are not \
            printed, nor users and queries of URLs and patterns.
            """)

    @Flag(help: "Say what is wrong.") var check = false
    @Flag(help: "Print what is in force, and where it comes from.") var print = false
    @Flag(help: ArgumentHelp("Print the table of docs/reference/options.md.", visibility: .hidden)) var markdown = false
    @Argument(help: "The configuration file, as --config.") var file: String?
    @OptionGroup var options: ServeOptions

    func validate() throws {
        if [check, print, markdown].filter({ $0 }).count != 1 { throw ValidationError("Give one of --check and --print.") }
        if file != nil && options.config != nil { throw ValidationError("The file is there twice, with and without --config. Leave one.") }
    }

    func run() throws {
        if markdown { return Swift.print(SettingsTable.markdown, terminator: "") }
        let source = options.source(file: file)
        let effective = source.read()
        if print {
            StandardError.write(Array(effective.flaws.inOrder.map { $0.description + "\n" }.joined().utf8))
            try Self.end(effective, effective.flaws)
            return Swift.print(effective.text, terminator: "")
        }
        let flaws = effective.flawsWithMachine
        for flaw in flaws.inOrder { Swift.print(flaw.description) }
        try Self.end(effective, flaws)
    }

    private static func end(_ effective: EffectiveSettings, _ flaws: [SettingsFlaw]) throws {
        if effective.isFileUnreadable { throw ExitCode(2) }
        if flaws.hasErrors { throw ExitCode(1) }
    }
}
