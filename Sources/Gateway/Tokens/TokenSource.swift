/// Where the tokens are.
package enum TokenSource: Sendable {
    /// Nowhere: requests need none.
    case none
    /// In a file of their own, which is read again when it changes.
    case file(String)
    /// In the configuration file.
    case configured(TokenLines)

    package var asksForTokens: Bool { if case .none = self { false } else { true } }
}
