import ArgumentParser

/// Of commands that print a table of the documentation.
struct ReferenceOptions: ParsableArguments {
    @Flag(help: ArgumentHelp("Print the table of docs/reference.", visibility: .hidden)) var markdown = false

    func print(text: String, markdown table: String) { Swift.print(markdown ? table : text, terminator: "") }
}
