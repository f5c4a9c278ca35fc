import APICore
import ArgumentParser
import HTTP1
import WriterModel

struct Writers: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a server's writers, newest first.",
        discussion: """
            SPEED is how many seconds of its longest stream a writer took a second since it was created, FPS how many \
            pictures. \(ServerToAsk.exitCodes)
            """)

    @Option(help: "Only writers in this state: configuring, open, finalizing, closed or failed.")
    var state: String?

    @Option(help: "At most so many, up to 1000; 100 without it.")
    var limit: Int?

    @Option(help: "Go on behind a list before: what its last line says.")
    var cursor: String?

    @Option(help: ArgumentHelp("Only writers of tokens with this name.", valueName: "owner"))
    var name: String?

    @OptionGroup var server: ServerToAsk

    func run() throws {
        let options = [("state", state), ("limit", limit.map { "\($0)" }), ("name", name)].compactMap { option, value in value.map { (option, $0) } }
        let items = options.map { QueryItem(name: $0, value: $1) } + (cursor.map { [QueryItem(name: "cursor", value: $0)] } ?? [])
        let list = try server.get("/v1/writers", items, with: "writers", for: "writers")
        if server.json { return server.show(list, as: .writers) }
        let object = list.objectValue ?? [:]
        var table = WriterTable(now: .now())
        for writer in object["writers"]?.arrayValue ?? [] { if let writer = writer.objectValue { table.add(writer) } }
        let given = options.map { ShellWord.option($0, $1) }.joined()
        let more = object["next_cursor"]?.stringValue.map { "penstock writers\(given)\(ShellWord.option("cursor", $0))" }
        let missing = object["partial"]?.arrayValue?.compactMap(\.objectValue) ?? []
        print(table.text(more: more, missing: missing, width: ServerToAsk.width), terminator: "")
    }
}

struct Writer: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show one writer: its state, its streams, how it ended.", discussion: ServerToAsk.exitCodes)

    @Argument(help: "The writer's id.")
    var id: String

    @Option(help: ArgumentHelp("The name that the writer's token has, where several names have the id.", valueName: "owner"))
    var name: String?

    @OptionGroup var server: ServerToAsk

    func validate() throws {
        if WriterID(id) == nil { throw ValidationError("A writer's id is 1 to \(WriterID.maxLength) of A-Z a-z 0-9 _ -.") }
    }

    func run() throws {
        let items = name.map { [QueryItem(name: "name", value: $0)] } ?? []
        server.show(try server.get("/v1/writers/\(id)", items, with: "id", for: "writer"), as: .writer)
    }
}
