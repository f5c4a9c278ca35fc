import APICore
import ArgumentParser
import HTTP1
import WriterModel

struct Encoders: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a server's encoders, or the options of one.", discussion: ServerToAsk.exitCodes)

    @Argument(help: "An encoder, or a codec, whose encoder is meant: libx264, opus.")
    var encoder: String?

    @OptionGroup var server: ServerToAsk

    func run() throws {
        if let encoder { return try server.showOne(encoder, under: "/v1/encoders", for: "encoders", as: .encoder) }
        let lists = try ["/v1/video-encoders", "/v1/audio-encoders"].map { path in
            try server.get(path, with: "encoders", for: "encoders").objectValue?["encoders"]?.arrayValue ?? []
        }
        server.show(["encoders": .array(lists.flatMap { $0 })], as: .encoders)
    }
}

struct Muxers: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a server's formats, or the options of one.", discussion: ServerToAsk.exitCodes)

    @Argument(help: "A format: mp4.")
    var muxer: String?

    @OptionGroup var server: ServerToAsk

    func run() throws {
        if let muxer { return try server.showOne(muxer, under: "/v1/muxers", for: "muxers", as: .muxer) }
        server.show(try server.get("/v1/muxers", with: "muxers", for: "muxers"), as: .muxers)
    }
}

struct Filters: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a server's filters, or the options of one.", discussion: ServerToAsk.exitCodes)

    @Argument(help: "A filter: drawtext.")
    var filter: String?

    @OptionGroup var server: ServerToAsk

    func run() throws {
        if let filter { return try server.showOne(filter, under: "/v1/filters", for: "filters", as: .filter) }
        server.show(try server.get("/v1/filters", with: "filters", for: "filters"), as: .filters)
    }
}

extension ServerToAsk {
    fileprivate func showOne(_ name: String, under path: String, for command: String, as kind: TableKind) throws {
        show(try get("\(path)/\(PercentEncoding.encode(name))", with: "name", for: command), as: kind)
    }
}
