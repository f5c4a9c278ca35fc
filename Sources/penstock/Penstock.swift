import ArgumentParser

struct Penstock: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "penstock",
        abstract: "Turns raw audio and video, POSTed in chunks, into encoded media.",
        version: version,
        subcommands: [
            Serve.self, Config.self, Check.self, Health.self, Drain.self, Writers.self, Writer.self, Encoders.self, Muxers.self, Filters.self,
            Problems.self, Metrics.self, LogFields.self,
        ])
}
