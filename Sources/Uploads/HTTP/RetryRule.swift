/// When a request that failed is made again.
package struct RetryRule: Sendable, Equatable {
    /// So long after the first failure a new attempt may begin; zero: none is made.
    package var retryTime: Duration
    /// Before the second attempt. Each pause is twice the one before.
    package var firstPause: Duration
    package var longestPause: Duration

    package init(retryTime: Duration = .seconds(60), firstPause: Duration = .milliseconds(500), longestPause: Duration = .seconds(30)) {
        (self.retryTime, self.firstPause, self.longestPause) = (retryTime, firstPause, longestPause)
    }

    package static let never = RetryRule(retryTime: .zero)

    /// RFC 9110 and RFC 6585: those that say that the same request may succeed later. 501 never does.
    package static func isPassing(_ status: Int) -> Bool {
        status == 408 || status == 425 || status == 429 || (500...599).contains(status) && status != 501
    }

    /// How long to wait after so many failures, at least as long as the server asks for: between half of the growing
    /// pause and the whole, by chance, so that those who failed together do not come back together.
    package func pause(afterFailures count: Int, retryAfter: Duration?) -> Duration {
        let growing = min(longestPause, firstPause * (1 << min(count - 1, 20)))
        let pause = growing / 2 + growing * Double.random(in: 0...0.5)
        return max(pause, retryAfter ?? .zero)
    }
}
