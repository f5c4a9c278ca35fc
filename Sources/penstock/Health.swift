import ArgumentParser

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a server on this machine whether it is well: exit code 0 or 1.")

    @OptionGroup var server: ServerOnThisMachine

    func run() throws {
        guard try server.found().get("/livez")?.status == 200 else { throw ExitCode(1) }
    }
}
