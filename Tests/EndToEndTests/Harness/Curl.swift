import Foundation

/// The real curl, one run a request.
enum Curl {
    enum Body: Sendable {
        case none
        case json(JSON)
        case text(String)
        case bytes(Data)
    }

    /// Sends one request. `options` are further arguments of curl.
    static func request(
        _ method: String, _ url: String, headers: [String] = [], body: Body = .none, options: [String] = []
    ) async throws -> Response {
        let folder = try TemporaryFolder()
        var arguments = ["--silent", "--show-error", "--noproxy", "*", "--max-time", "110"]
        arguments += method == "HEAD" ? ["--head"] : ["--request", method]
        arguments += ["--dump-header", folder / "head", "--output", folder / "body"]
        var headers = headers
        if let data = try data(of: body) {
            try data.write(to: URL(fileURLWithPath: folder / "sent"))
            arguments += ["--data-binary", "@" + (folder / "sent")]
            if !headers.contains(where: { $0.lowercased().hasPrefix("content-type:") }) {
                headers.append("Content-Type: " + contentType(of: body))
            }
        }
        for header in headers { arguments += ["--header", header] }
        let result = try await Tool.run("curl", arguments + options + [url])
        guard result.end == .exited(0) else {
            throw HarnessError("curl \(method) \(url): \(result.end) \(result.errors)")
        }
        // curl writes one head a response; the last is the final one.
        let heads = try String(contentsOfFile: folder / "head", encoding: .utf8)
        let last = heads.components(separatedBy: "\r\n\r\n").last { !$0.isEmpty }
        let bytes = method == "HEAD" ? nil : FileManager.default.contents(atPath: folder / "body")
        let response = try Response(head: last ?? "", body: bytes ?? Data())
        if let target = url.firstMatch(of: /^http:\/\/[^\/]+(\/.*)$/)?.1 { Contract.check(response, to: method, String(target)) }
        return response
    }

    private static func data(of body: Body) throws -> Data? {
        switch body {
        case .none: nil
        case .json(let json): try json.data
        case .text(let text): Data(text.utf8)
        case .bytes(let bytes): bytes
        }
    }

    private static func contentType(of body: Body) -> String {
        if case .bytes = body { "application/octet-stream" } else { "application/json" }
    }
}
