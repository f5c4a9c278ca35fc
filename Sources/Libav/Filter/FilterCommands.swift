/// The commands that `sendcmd` and `asendcmd` send to the filters of their graph, taken apart as they
/// do it: "1.0-2.5 [enter] drawtext reinit text=a, all enable 0;".
package struct FilterCommands: Sendable {
    package struct Command: Sendable, Equatable {
        /// A filter's name, an instance's name, or "all".
        package let target: String
        package let command: String
        package let argument: String
    }

    package let commands: [Command]

    package init(_ text: String) throws(LibavError) {
        // By way of a Result: Swift 6.3 miscompiles some closures with typed throws.
        commands = try text.withCString { start -> Result<[Command], LibavError> in
            do throws(LibavError) {
                var text = TextCursor(start)
                return .success(try Self.read(&text))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    private static let whitespace = " \u{0C}\t\n\r"
    private static let delimiters = " \u{0C}\t\n\r,;"

    private static func read(_ text: inout TextCursor) throws(LibavError) -> [Command] {
        var commands: [Command] = []
        while true {
            skipComments(&text)
            if text.isAtEnd { return commands }
            let interval = try text.token(until: delimiters)
            guard !interval.isEmpty else { throw error("a time is missing", text) }
            while !text.isAtEnd && !text.stands(at: ";") {
                commands.append(try readCommand(&text))
                text.skip(whitespace)
                guard text.isAtEnd || text.stands(at: ";") || text.stands(at: ",") else {
                    throw error("a separator is missing", text)
                }
                if text.stands(at: ",") { text.skip(count: 1) }
            }
            text.skip(count: 1)
        }
    }

    private static func skipComments(_ text: inout TextCursor) {
        text.skip(whitespace)
        while text.stands(at: "#") {
            _ = text.read(until: "\n")
            text.skip(whitespace)
        }
    }

    private static func readCommand(_ text: inout TextCursor) throws(LibavError) -> Command {
        text.skip(whitespace)
        if text.stands(at: "[") {
            _ = text.read(until: "]")
            text.skip(count: 1)
            text.skip(whitespace)
        }
        let target = try text.token(until: delimiters)
        text.skip(whitespace)
        let command = try text.token(until: delimiters)
        guard !target.isEmpty, !command.isEmpty else { throw error("a target or a command is missing", text) }
        text.skip(whitespace)
        return Command(target: target, command: command, argument: try text.token(until: delimiters))
    }

    private static func error(_ what: String, _ text: TextCursor) -> LibavError {
        .invalid("parsing commands: \(what) near \"\(text.rest)\"")
    }
}
