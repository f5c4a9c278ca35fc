import Foundation
import Testing

/// The API through curl, for tests whose subject is not the call itself.
extension PenstockServer {
    func curl(
        _ method: String, _ path: String, headers: [String] = [], body: Curl.Body = .none, options: [String] = []
    ) async throws -> Response {
        try await Curl.request(method, address + path, headers: headers, body: body, options: options)
    }

    /// Creates a writer that must be accepted; its id.
    func createWriter(_ description: JSON, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let response = try await curl("POST", "/v1/writers", body: .json(description))
        try #require(response.status == 201, "\(response.text)", sourceLocation: sourceLocation)
        return try #require(response.json["id"].string, sourceLocation: sourceLocation)
    }

    /// Sends one chunk with curl; it must be taken. The receipt.
    @discardableResult
    func sendChunk(
        _ bytes: Data, to writer: String, stream: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        let response = try await curl("POST", "/v1/writers/\(writer)/streams/\(stream)/chunks", body: .bytes(bytes))
        try #require(response.status == 200, "\(response.text)", sourceLocation: sourceLocation)
        return response.json
    }

    /// Finalizes a writer, which must end closed. The writer.
    @discardableResult
    func finalize(_ writer: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> JSON {
        let response = try await curl("POST", "/v1/writers/\(writer)/finalize")
        try #require(response.status == 200, "\(response.text)", sourceLocation: sourceLocation)
        #expect(response.json["state"] == "closed", sourceLocation: sourceLocation)
        return response.json
    }

    func writer(_ id: String) async throws -> JSON { try await curl("GET", "/v1/writers/\(id)").json }

    /// The writer as soon as it is in `state`, which it must reach within 20 s. A request that was
    /// passed to an encoder which then died has no answer, and is repeated.
    func writer(
        _ id: String, in state: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        let deadline = Date(timeIntervalSinceNow: 20)
        var writer = JSON.null
        while writer["state"].string != state, Date() < deadline { writer = (try? await self.writer(id)) ?? .null }
        #expect(writer["state"].string == state, sourceLocation: sourceLocation)
        return writer
    }

    /// The bytes of the file at `path` below the output folder.
    func output(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: outputFolder + "/" + path)) }
}
