import APICore
import Logging
import Synchronization
import SystemIO
import WriterModel

/// Bearer tokens from a file: one a line; empty lines and lines beginning with # don't count.
final class TokenFile: Sendable {
    private let path: String
    private let lastModification = Mutex<Int64?>(nil)

    init(path: String) { self.path = path }

    enum Unusable: Error, CustomStringConvertible {
        case unreadable(SystemError)
        case empty(String)

        var description: String {
            switch self {
            case .unreadable(let error): error.description
            case .empty(let path): "the token file \(path) has no token"
            }
        }
    }

    func read() throws(Unusable) -> [String] {
        lastModification.withLock { $0 = File.modification(path) }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read(path)
        } catch {
            throw .unreadable(error)
        }
        let tokens = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" } }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }.map(String.init)
        if tokens.isEmpty { throw .empty(path) }
        return tokens
    }

    /// The tokens again, if the file has changed since they were read.
    func readIfChanged() throws(Unusable) -> [String]? {
        if File.modification(path) == lastModification.withLock({ $0 }) { return nil }
        return try read()
    }
}
