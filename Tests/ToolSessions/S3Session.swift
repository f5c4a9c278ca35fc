import Foundation

/// Tests/Tools/s3-session.py at work: an S3 server behind a proxy that makes trouble.
public final class S3Session: Sendable {
    private static let python = Tools.repository + "/.build/s3-servers/bin/python"
    public static let isInstalled = FileManager.default.isExecutableFile(atPath: python)
    public static let missing = "no S3 server to test against: scripts/s3-servers.sh could not install moto and localbucket from PyPI"

    private struct Greeting: Decodable {
        let port, direct: Int
        let bucket, access_key, secret_key: String
    }

    public struct Found: Decodable, Sendable {
        public let size: Int?
        public let sha256, missing: String?
        public let ContentType, CacheControl, StorageClass: String?
        public let Metadata: [String: String]?
    }

    public struct Uploads: Decodable, Equatable, Sendable {
        public let uploads, parts: Int
        public static let none = Uploads(uploads: 0, parts: 0)
    }

    private let program: LineProgram
    private let greeting: Greeting

    private let scheme: String

    /// `tls`: the files of a certificate and its key.
    public init(_ kind: String = "moto", tls: [String] = []) throws {
        scheme = tls.isEmpty ? "http" : "https"
        program = try LineProgram(Self.python, [Tools.path("s3-session.py"), kind] + tls)
        greeting = try JSONDecoder().decode(Greeting.self, from: Data(program.greeting.utf8))
    }

    public var accessKey: String { greeting.access_key }
    public var secretKey: String { greeting.secret_key }
    public var endpoint: String { "\(scheme)://127.0.0.1:\(greeting.port)" }
    public var bucket: String { greeting.bucket }

    private func ask<T: Decodable>(_ line: String) throws -> T { try JSONDecoder().decode(T.self, from: Data(try program.ask(line).utf8)) }

    public func object(_ key: String) throws -> Found { try ask("object " + key) }
    public func uploads(_ key: String) throws -> Uploads { try ask("uploads " + key) }
    public func counts() throws -> [String: Int] { try ask("counts") }
    public func trouble(seed: Int, rate: Double, _ kinds: String) throws { _ = try program.ask("trouble \(seed) \(rate) \(kinds)") }
    public func always(_ kind: String, _ method: String, _ query: String, times: Int) throws { _ = try program.ask("always \(kind) \(method) \(query) \(times)") }
}
