import Bytewise

/// The metrics of a server, for docs and the command line.
public enum MetricTable {
    /// The table of docs/reference/metrics.md.
    public static var markdown: String {
        let rows = Metric.all.map { metric in
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            let scope = metric.isByName ? " Scrapes with a token of scope `admin` have it." : ""
            return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(escaped(metric.help))\(scope) | \(escaped(metric.alert)) |\n"
        }
        return "| metric | type | labels | | watch |\n|---|---|---|---|---|\n" + rows.joined()
    }

    /// One a line, for a terminal.
    public static var text: String {
        Metric.all.map { metric in
            let labels = metric.labels.isEmpty ? "" : "{\(metric.labels.joined(separator: ","))}"
            return "\(metric.name)\(labels) (\(metric.kind.rawValue))\n    \(metric.help)\n"
        }.joined()
    }

    /// What Markdown would take for its own.
    private static func escaped(_ text: String) -> String {
        String(decoding: text.utf8.flatMap { $0 == UInt8(ascii: "|") ? [UInt8(ascii: "\\"), $0] : [$0] }, as: UTF8.self)
    }
}
