import APICore
import Logging
import Synchronization
import SystemIO
import WriterModel

/// Bearer tokens from a file: one a line, with what it allows behind a space if that is not
/// everything; empty lines and what follows a # don't count.
package final class TokenFile: Sendable {
    private let path: String
    private let lastStamp = Mutex<File.Stamp?>(nil)
    /// All tokens go to an encoder in one message.
    package static let maxBytes = 64 * 1_024

    package init(path: String) { self.path = path }

    package enum Unusable: Error, CustomStringConvertible {
        case unreadable(SystemError)
        case empty(String)
        case tooLarge(String)
        case unknownScope(String)

        package var description: String {
            switch self {
            case .unreadable(let error): error.description
            case .empty(let path): "the token file \(path) has no token"
            case .unknownScope(let path):
                "the token file \(path) has a line with a scope that is neither read nor write"
            case .tooLarge(let path): "the token file \(path) has more than \(TokenFile.maxBytes) bytes"
            }
        }
    }

    package func read() throws(Unusable) -> [String] {
        let stamp = File.stamp(path)
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read(path)
        } catch {
            throw .unreadable(error)
        }
        // A file that could not be read now is read again.
        lastStamp.withLock { $0 = stamp }
        if bytes.count > Self.maxBytes { throw .tooLarge(path) }
        let tokens = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { line in
                line.split(whereSeparator: { $0 == " " || $0 == "\t" }).prefix { !$0.hasPrefix("#") }.joined(separator: " ")
            }
            .filter { !$0.isEmpty }
        if tokens.isEmpty { throw .empty(path) }
        if tokens.contains(where: { TokenAuthenticator.scopes(ofLine: $0) == nil }) { throw .unknownScope(path) }
        return tokens
    }

    /// The tokens again, if the file has changed since they were read.
    package func readIfChanged() throws(Unusable) -> [String]? {
        if File.stamp(path) == lastStamp.withLock({ $0 }) { return nil }
        return try read()
    }
}
