import Bytewise
import StreamWriter
import WriterModel

/// Judges `filter_desc`: which filters libav would make of it, with which options.
struct FilterJudge {
    private let filters: [OptionInspection.Filter]

    /// Throws where the description can't be taken apart: libav makes the filters in front of what
    /// it can't read.
    init(_ description: String) throws(Problem) {
        filters = try asProblem { () throws(StreamWriterError) in try OptionInspection.filters(in: description) }
    }

    func check() throws(Problem) {
        for filter in filters {
            // What libav does not know either is its to name.
            guard OptionInspection.options(of: .filter(filter.name)) != nil else { continue }
            if let reason = OptionPolicy.refusal(of: filter.name, in: .filters) {
                throw Self.refusal("The filter \(filter.name) is not allowed: \(reason).")
            }
            let names = OptionNames.ofFilter(filter.name)
            let options = try asProblem { () throws(StreamWriterError) in try filter.options() }
            for (name, value) in options {
                if let reason = names.refusal(of: name, value, graph: filters) {
                    throw Self.refusal("The option \(name) of the filter \(filter.name) is not allowed: \(reason).")
                }
            }
        }
    }

    private static func refusal(_ detail: String) -> Problem { Problem(.forbiddenOption, detail, parameter: "filter_desc") }
}

/// Judges the commands of `sendcmd`: a command sets an option of another filter of the graph, or of
/// several.
struct CommandJudge {
    let graph: [OptionInspection.Filter]

    /// What libav would refuse as a whole is left to it.
    func refusal(of text: String) -> String? {
        for command in OptionInspection.filterCommands(in: text) ?? [] {
            if command.command.lowercasedASCII == "reinit" {
                return "the command reinit sets any option; commands for single options are allowed"
            }
            for filter in graph where filter.receives(command.target) {
                let reason = OptionNames.ofFilter(filter.name).refusal(of: command.command, command.argument, graph: [])
                if let reason { return "the command \(command.command) for \(filter.name) is not allowed: \(reason)" }
            }
        }
        return nil
    }
}

extension OptionInspection.Filter {
    /// libav cuts names of instances, though not so short.
    private static let shortestCut = 29

    /// Whether a command for a target reaches the filter: by its name, that of its instance, which libav
    /// may have cut, or the one libav gives it.
    fileprivate func receives(_ target: String) -> Bool {
        let isInstance = target.isSame(as: instance ?? name)
            || target.utf8.count >= Self.shortestCut && instance?.begins(with: target) == true
        return target == "all" || isInstance || target.isSame(as: name) || target.begins(with: "Parsed_\(name)")
    }
}
