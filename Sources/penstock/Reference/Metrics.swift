import ArgumentParser
import Gateway

struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the metrics that /metrics has, with their types and labels.")

    @OptionGroup var options: ReferenceOptions

    func run() { options.print(text: MetricTable.text, markdown: MetricTable.markdown) }
}
