import APICore
import Synchronization
import WriterModel

/// The tokens in force.
package final class Tokens: Sendable {
    /// For requests that the gateway itself gets.
    let authenticator: TokenAuthenticator
    private let file: TokenFile?
    private let lines: Mutex<TokenLines?>

    /// nil: requests need no token.
    package init(_ file: TokenFile?) throws(TokenFile.Unusable) {
        self.file = file
        let lines = try file?.read()
        authenticator = TokenAuthenticator(lines?.table)
        self.lines = Mutex(lines)
    }

    /// nil: requests need no token.
    var current: TokenLines? { lines.withLock { $0 } }

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
        guard let file, let lines = now ? try file.readNow() : try file.readIfChanged() else { return }
        self.lines.withLock { $0 = lines }
        tell(lines)
        authenticator.replace(with: lines.table)
    }
}
