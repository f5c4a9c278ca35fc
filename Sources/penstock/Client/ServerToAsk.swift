import APICore
import ArgumentParser
import Bytewise
import HTTP1
import SystemIO
import WriterModel

/// The server that a command asks, the token it shows, and how it prints what it is told.
struct ServerToAsk: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the server is: http://HOST:PORT or unix:PATH; without it, where PENSTOCK_SERVER says, else as for 'penstock health'.",
            valueName: "place"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "A file whose first line begins with a token of the server's, as a token file of the server does; without it, the token is the value of PENSTOCK_TOKEN, if that is set.",
            valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Print the server's JSON.")
    var json = false

    @OptionGroup(title: "A server on this machine") var local: ServerOnThisMachine

    static let exitCodes = "The exit code is 0, 1 where the server refuses or has no such thing, and 2 where no server responds."

    func validate() throws {
        if server != nil && (local.host != nil || local.port != nil || local.unix != nil) {
            throw ValidationError("--server is in place of --host, --port and --unix.")
        }
        if let server { _ = try ServerPlace(server) }
    }

    /// What the server responds to a GET, with the member that all such responses have. A response that is a problem, or
    /// none, ends the command, which is `name`.
    func get(_ path: String, _ items: [QueryItem] = [], with member: String, for name: String) throws -> JSONValue {
        let target = items.isEmpty ? path : "\(path)?\(QueryItem.text(of: items))"
        let (place, token) = (try place(), try token())
        let response: (status: Int, body: [UInt8])
        do throws(ServerClient.Failure) {
            response = try ServerClient(place: place, token: token).get(target)
        } catch {
            if error.isForeign { throw CommandFailure.end(name, "what responds at \(place.address) is no penstock server: \(error.reason).", code: 2) }
            throw CommandFailure.end(name, "no server responds at \(place.address): \(error.reason). Start one with 'penstock serve', or say where it is with --server.", code: 2)
        }
        guard let value = try? JSONParser.parse(response.body), let object = value.objectValue, response.status != 200 || object[member] != nil else {
            throw CommandFailure.end(name, "what responds at \(place.address) is no penstock server.", code: 2)
        }
        if response.status == 200 { return value }
        throw CommandFailure.end(name, Self.sentence(of: value, status: response.status), code: 1)
    }

    private static func sentence(of problem: JSONValue, status: Int) -> String {
        let detail = problem.objectValue?["detail"]?.stringValue ?? "the server responds \(status)"
        let supported = problem.objectValue?["supported"]?.arrayValue?.compactMap(\.stringValue) ?? []
        // Of a short list; a long one has its own command.
        let choices = supported.isEmpty || supported.count > 12 ? "" : " There are: \(supported.joined(separator: " "))."
        let advice = status == 401 ? " Give --token-file, or PENSTOCK_TOKEN." : ""
        return TerminalText.harmless(detail + choices + advice)
    }

    private func place() throws -> ServerPlace {
        if let server { return try ServerPlace(server) }
        let hasOptions = local.host != nil || local.port != nil || local.unix != nil || local.config != nil
        if !hasOptions, let told = SettingsEnvironment.ofProcess[SettingsEnvironment.server], !told.isEmpty {
            do {
                return try ServerPlace(told)
            } catch let flaw as ValidationError {
                throw ValidationError("\(SettingsEnvironment.server): \(flaw.message)")
            }
        }
        return try local.found()
    }

    /// Never an option's value: all users of a machine see those of its processes.
    private func token() throws -> String? {
        let (told, source) = try tokenFile.map { (try Self.firstWord(of: $0), $0) } ?? (SettingsEnvironment.ofProcess[SettingsEnvironment.token], SettingsEnvironment.token)
        guard let told, !told.isEmpty || tokenFile != nil else { return nil }
        guard ServerClient.isToken(told) else { throw ValidationError("\(source) holds no token, or a character that no token has.") }
        return told
    }

    private static func firstWord(of file: String) throws -> String {
        do throws(SystemError) {
            let lines = String(decoding: try File.read(file), as: UTF8.self).words(at: ["\n", "\r"])
            return lines.compactMap { $0.words(at: [" ", "\t"]).first }.first { !$0.begins(with: "#") } ?? ""
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// `value` as JSON, where that is asked for, else as a table.
    func show(_ value: JSONValue, as kind: TableKind) {
        print(json ? value.description + "\n" : kind.text(of: value, now: .now(), width: Self.width), terminator: "")
    }

    static var width: Int { Terminal.columns.map { max(60, $0) } ?? TableText.defaultWidth }
}

/// The end of a command that could not do what it was asked.
enum CommandFailure {
    static func end(_ command: String, _ text: String, code: Int32) -> any Error {
        StandardError.write(Array("penstock \(command): \(text)\n".utf8))
        return ExitCode(code)
    }
}
