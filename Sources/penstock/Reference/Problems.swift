import ArgumentParser
import WriterModel

struct Problems: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the codes of problems, with when each comes and what to do, or one of them.",
        discussion: "The code is the end of a problem's type: encoder-crashed of urn:penstock:problem:encoder-crashed.")

    @Argument(help: "A code.") var code: String?
    @OptionGroup var options: ReferenceOptions

    func validate() throws {
        if let code, ProblemCode(rawValue: code) == nil { throw ValidationError("\(code) is no code of a problem. Leave it out for all of them.") }
    }

    func run() {
        options.print(text: ProblemTable.text(of: code.flatMap(ProblemCode.init(rawValue:))), markdown: ProblemTable.markdown)
    }
}
