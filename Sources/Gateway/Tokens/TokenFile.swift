import APICore
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The file of bearer tokens: a token a line, with what it allows and what bounds it (`TokenLine`); empty
/// lines and what follows a # don't count. What is read of it is kept as hashes only.
package final class TokenFile: Sendable {
    private struct State {
        /// What was read or found unusable.
        var known: File.Stamp?
        /// Seen for the first time at the look before.
        var seen: File.Stamp?
        var lines: TokenLines?
        /// That it is unusable has been said.
        var unusable: File.Stamp?
    }

    let path: String
    private let salt: [UInt8]
    private let state = Mutex(State())
    package static let maxBytes = 8 << 20

    /// With a new salt.
    package init(path: String) {
        self.path = path
        salt = TokenLines.newSalt()
    }

    package enum Unusable: Error, CustomStringConvertible {
        case unreadable(SystemError)
        case changing(String)
        case empty(String)
        case tooLarge(String)
        case notRegular(String)
        case flawed(String, TokenLine.Flaw)

        package var description: String {
            switch self {
            case .unreadable(let error): error.description
            case .changing(let path): "the token file \(path) is being written; it is read when that has ended"
            case .empty(let path): "the token file \(path) has no token: a line counts with the newline at its end"
            case .tooLarge(let path): "the token file \(path) has more than \(TokenFile.maxBytes) bytes"
            case .notRegular(let path): "the token file \(path) is no regular file: it can be read at the start only, and only if it is a pipe"
            case .flawed(let path, let flaw): "the token file \(path), line \(flaw.line): \(flaw.reason)"
            }
        }
    }

    /// How long the writer of a pipe may take.
    private static let pipeTime = Duration.seconds(10)

    /// Reads the file as it is now, for the first time: it may be a pipe. One that is being written is waited
    /// for, a second at most.
    package func read() throws(Unusable) -> TokenLines {
        let limit = Deadline.after(.seconds(1))
        while true {
            do throws(Unusable) {
                return try readNow(pipeTime: Self.pipeTime)
            } catch {
                guard case .changing = error, !limit.hasPassed else { throw error }
                SystemThread.sleep(.milliseconds(20))
            }
        }
    }

    /// The lines again, if the file has changed, and not since the call before: a program that writes it
    /// in place is given that time. Call it by the second.
    package func readIfChanged() throws(Unusable) -> TokenLines? {
        let stamp = File.stamp(path)
        let isStable = state.withLock { state in
            if stamp != nil && stamp == state.known { return false }
            defer { state.seen = stamp }
            return stamp == state.seen
        }
        if !isStable { return nil }
        let before = state.withLock { $0.lines }
        do throws(Unusable) {
            let lines = try readNow()
            return lines == before ? nil : lines
        } catch {
            if case .unreadable = error { throw error }
            let isKnown = state.withLock { state in
                defer { state.unusable = stamp }
                return stamp != nil && state.unusable == stamp
            }
            if isKnown { return nil }
            throw error
        }
    }

    /// Reads the file as it is now, without waiting for it.
    package func readNow() throws(Unusable) -> TokenLines { try readNow(pipeTime: nil) }

    private func readNow(pipeTime: Duration?) throws(Unusable) -> TokenLines {
        let contents: File.Contents<Result<TokenLines, TokenLine.Flaw>>
        do throws(SystemError) {
            contents = try File.withContents(path, limit: Self.maxBytes, pipeTime: pipeTime) { bytes in
                Result { () throws(TokenLine.Flaw) in try TokenLines(bytes, salt: salt) }
            }
        } catch {
            // Read again at the next look.
            throw .unreadable(error)
        }
        switch contents {
        case .changed: throw .changing(path)
        case .notRegular(let stamp):
            state.withLock { $0.known = stamp }
            throw .notRegular(path)
        case .tooLarge:
            state.withLock { $0.known = File.stamp(path) }
            throw .tooLarge(path)
        case .read(let result, let stamp):
            // A change right now might leave the stamp as it is: looked at once more.
            state.withLock { $0.known = stamp.isFresh ? nil : stamp }
            let lines: TokenLines
            do throws(TokenLine.Flaw) {
                lines = try result.get()
            } catch {
                throw .flawed(path, error)
            }
            if lines.lines.isEmpty { throw .empty(path) }
            state.withLock { $0.lines = lines }
            return lines
        }
    }
}
