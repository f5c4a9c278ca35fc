import ArgumentParser
import ServiceLog

struct LogFields: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-fields", abstract: "List the fields of log lines, as --log-format json has them.")

    @OptionGroup var options: ReferenceOptions

    func run() { options.print(text: LogField.text, markdown: LogField.markdown) }
}
