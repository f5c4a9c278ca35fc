import Foundation
import Testing

/// A server with tokens of several names.
struct Tenants: Sendable {
    let server: PenstockServer
    private let file: String

    static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
    static let open: JSON = ["format": "wav", "streams": [audio], "open": true]

    /// Runs a server whose tokens are these lines. The token of "acme-token name=acme" is "acme-token".
    static func run(
        _ lines: [String], options: [String] = [], in folder: TemporaryFolder? = nil,
        _ body: (Tenants) async throws -> Void
    ) async throws {
        let folder = try folder ?? TemporaryFolder()
        let file = folder / "tokens"
        try write(lines, to: file)
        try await withServer(["--token-file", file] + options, in: folder) { server in
            try await body(Tenants(server: server, file: file))
        }
    }

    private static func write(_ lines: [String], to file: String) throws {
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    func change(to lines: [String]) throws { try Self.write(lines, to: file) }

    static func field(_ token: String) -> [String] { ["Authorization: Bearer \(token)"] }

    @discardableResult
    func call(
        _ token: String, _ method: String, _ path: String, _ body: JSON? = nil, headers: [String] = []
    ) async throws -> Response {
        try await server.curl(method, path, headers: Self.field(token) + headers, body: body.map { .json($0) } ?? .none)
    }

    /// Makes a writer that must be accepted.
    func make(_ token: String, _ id: String, _ body: JSON = open, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let made = try await call(token, "PUT", "/v1/writers/\(id)", body)
        try #require(made.status == 201, "\(made.text)", sourceLocation: sourceLocation)
    }

    func send(_ token: String, _ id: String, _ bytes: Data, query: String = "") async throws -> Response {
        try await server.curl(
            "POST", "/v1/writers/\(id)/streams/0/chunks\(query)", headers: Self.field(token), body: .bytes(bytes))
    }

    func ids(_ token: String, _ query: String = "") async throws -> [String] {
        try await call(token, "GET", "/v1/writers\(query)").json["writers"].array.compactMap(\.["id"].string).sorted()
    }
}
