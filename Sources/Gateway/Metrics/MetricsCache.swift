import Synchronization

/// The metrics' text, which is made once for all requests within a short time: they need no token.
package final class MetricsCache: Sendable {
    private struct Made {
        let text: [UInt8]
        let at: ContinuousClock.Instant
    }

    private let age: Duration
    private let made = Mutex<[Bool: Made]>([:])

    /// `age`: how old a text may be.
    package init(age: Duration = .milliseconds(100)) { self.age = age }

    package func text(withNames: Bool, _ make: () -> [UInt8]) -> [UInt8] {
        let now = ContinuousClock.now
        if let made = made.withLock({ $0[withNames] }), now - made.at < age { return made.text }
        let text = make()
        made.withLock { $0[withNames] = Made(text: text, at: now) }
        return text
    }
}
