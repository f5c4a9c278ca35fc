import Foundation
import Uploads

/// Tests/Tools/s3-session.py at work: an S3 server behind a proxy that makes trouble.
final class S3Session: Sendable {
    private static let python = Repository.root + "/.build/s3-servers/bin/python"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: python)
    static let missing = "no S3 server to test against: scripts/s3-servers.sh could not install moto and localbucket from PyPI"

    private struct Greeting: Decodable {
        let port, direct: Int
        let bucket, access_key, secret_key: String
    }

    struct Found: Decodable {
        let size: Int?
        let sha256, missing: String?
        let ContentType, CacheControl, StorageClass: String?
        let Metadata: [String: String]?
    }

    struct Uploads: Decodable, Equatable {
        let uploads, parts: Int
        static let none = Uploads(uploads: 0, parts: 0)
    }

    private let program: LineProgram
    private let greeting: Greeting

    init(_ kind: String = "moto") throws {
        program = try LineProgram(Self.python, [Repository.tool("s3-session.py"), kind])
        greeting = try JSONDecoder().decode(Greeting.self, from: Data(program.greeting.utf8))
    }

    var accessKey: String { greeting.access_key }
    var secretKey: String { greeting.secret_key }
    var endpoint: String { "http://127.0.0.1:\(greeting.port)" }
    var bucket: String { greeting.bucket }

    func store(prefix: String = "", credentials: Store.CredentialsSource? = nil, bucket: String? = nil) throws -> Store {
        let keys = Credentials(accessKey: greeting.access_key, secretKey: Secret(greeting.secret_key))
        return try Store(
            name: "archive", endpoint: endpoint, bucket: bucket ?? greeting.bucket, region: "us-east-1", credentials: credentials ?? .fixed(keys), prefix: prefix)
    }

    func client(_ rules: ConnectionRules = ConnectionRules()) throws -> S3Client { S3Client(try HTTPClient(rules: rules), try store()) }

    private func ask<T: Decodable>(_ line: String) throws -> T { try JSONDecoder().decode(T.self, from: Data(try program.ask(line).utf8)) }

    func object(_ key: String) throws -> Found { try ask("object " + key) }
    func uploads(_ key: ObjectKey) throws -> Uploads { try ask("uploads \(key)") }
    func counts() throws -> [String: Int] { try ask("counts") }
    func trouble(seed: Int, rate: Double, _ kinds: String) throws { _ = try program.ask("trouble \(seed) \(rate) \(kinds)") }
    func always(_ kind: String, _ method: String, _ query: String, times: Int) throws { _ = try program.ask("always \(kind) \(method) \(query) \(times)") }
}
