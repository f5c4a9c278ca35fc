import APICore
import Synchronization
import WriterModel

/// The tokens in force.
package final class Tokens: Sendable {
    /// For requests that the gateway itself gets.
    let authenticator: TokenAuthenticator
    private struct State {
        var file: TokenFile?
        var lines: TokenLines?
    }
    private let state: Mutex<State>

    package init(_ source: TokenSource) throws(TokenFile.Unusable) {
        var state = State()
        switch source {
        case .none: break
        case .file(let path):
            let file = TokenFile(path: path)
            state = State(file: file, lines: try file.read())
        case .configured(let lines): state.lines = lines
        }
        authenticator = TokenAuthenticator(state.lines?.table)
        self.state = Mutex(state)
    }

    /// nil: requests need no token.
    var current: TokenLines? { state.withLock { $0.lines } }

    /// What bounds a request's token. Throws when its line has been changed since the request was let pass.
    func limits(of principal: Principal) throws(Problem) -> TokenLimits {
        guard let lines = current else { return TokenLimits() }
        guard let limits = lines.limits(of: principal) else {
            throw Problem(.unauthorized, "The token was just changed or revoked.")
        }
        if limits.folder != nil || principal.seesAll { return limits }
        var bounded = limits
        bounded.othersFolders = lines.folders(beside: principal.name)
        return bounded
    }

    /// Puts the file's tokens in force if it has changed, or, with `now`, as it is. Encoders are told by
    /// `tell` first: a new token that passes here passes there too.
    func reload(now: Bool = false, tell: (TokenLines) -> Void) throws(TokenFile.Unusable) {
        guard let file = state.withLock({ $0.file }), let lines = now ? try file.readNow() : try file.readIfChanged() else { return }
        replace(with: lines, of: file, tell: tell)
    }

    /// Puts the tokens of another place in force, or those of the same one as they are. Where requests needed no
    /// token they need none, and where they needed one they do. False: nothing has changed.
    func use(_ source: TokenSource, tell: (TokenLines) -> Void) throws(TokenFile.Unusable) -> Bool {
        let (file, lines) = state.withLock { ($0.file, $0.lines) }
        guard let lines else { return false }
        switch source {
        case .none: return false
        case .file(let path):
            let same = file.flatMap { $0.path.utf8.elementsEqual(path.utf8) ? $0 : nil }
            let read = same ?? TokenFile(path: path)
            do throws(TokenFile.Unusable) {
                replace(with: try read.readNow(), of: read, tell: tell)
            } catch {
                // A pipe was read at the start, once and for all.
                if same != nil, case .notRegular = error { return false }
                throw error
            }
        case .configured(let new):
            if file == nil && new == lines { return false }
            replace(with: new, of: nil, tell: tell)
        }
        return true
    }

    private func replace(with lines: TokenLines, of file: TokenFile?, tell: (TokenLines) -> Void) {
        state.withLock { $0 = State(file: file, lines: lines) }
        tell(lines)
        authenticator.replace(with: lines.table)
    }
}
