import Foundation

/// Tests/Tools/scripted-upload-server.py at work.
public final class ScriptedServer: Sendable {
    public struct Request: Decodable, Sendable {
        public let method: String
        public let path: String
        public let headers: [String: String]
        public let bytes: Int
        public let whole: Bool
        public let sha256: String?
    }

    private let program: LineProgram
    public let origin: String

    public init(scheme: String = "http", host: String = "127.0.0.1", _ arguments: [String] = []) throws {
        program = try LineProgram("/usr/bin/env", ["python3", Tools.path("scripted-upload-server.py")] + arguments)
        origin = "\(scheme)://\(host):\(program.greeting)"
    }

    /// One for all tests that need nothing special of it.
    public static let shared = Result { try ScriptedServer() }

    /// What came so far under that name.
    public func requests(_ name: String) throws -> [Request] {
        try JSONDecoder().decode([Request].self, from: Data(try program.ask(name).utf8))
    }
}

extension String {
    /// A name that no other test has.
    public static func unique() -> String { "t" + UUID().uuidString.lowercased() }
}
