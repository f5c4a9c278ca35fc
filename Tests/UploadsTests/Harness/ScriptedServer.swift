import Foundation
import Uploads

/// Tests/Tools/scripted-upload-server.py at work.
final class ScriptedServer: Sendable {
    struct Request: Decodable {
        let method: String
        let headers: [String: String]
        let bytes: Int
        let whole: Bool
        let sha256: String?
    }

    private let program: LineProgram
    let origin: String

    init(scheme: String = "http", host: String = "127.0.0.1", _ arguments: [String] = []) throws {
        program = try LineProgram("/usr/bin/env", ["python3", Repository.tool("scripted-upload-server.py")] + arguments)
        origin = "\(scheme)://\(host):\(program.greeting)"
    }

    /// One for all tests that need nothing special of it.
    static let shared = Result { try ScriptedServer() }

    /// A URL whose requests meet these steps, one after the other.
    func url(_ name: String, _ steps: String) throws -> HTTPURL { try HTTPURL("\(origin)/\(name)/\(steps)") }

    /// What came so far under that name.
    func requests(_ name: String) throws -> [Request] {
        try JSONDecoder().decode([Request].self, from: Data(try program.ask(name).utf8))
    }
}

extension String {
    /// A name that no other test has.
    static func unique() -> String { "t" + UUID().uuidString.lowercased() }
}
