/// When an event that was not taken is sent again.
package enum WebhookSchedule {
    /// Of Standard Webhooks, "Deliverability and reliability": each after the failure before it.
    package static let pauses: [Duration] = [.seconds(5), .seconds(300)] + [0.5, 2, 5, 10, 14, 20, 24].map { .seconds($0 * 3_600) }

    /// After so many failures of one event: by chance a tenth more or less, so that those who failed together do not come
    /// back together.
    package static func pause(afterFailures count: Int) -> Duration {
        pauses[min(max(1, count), pauses.count) - 1] * Double.random(in: 0.9...1.1)
    }

    /// Of what a receiver may ask for by Retry-After.
    static let longestRest = Duration.seconds(3_600)

    /// For which a receiver that does not respond, or not now, gets nothing at all, after so many of its failures in a row.
    static func rest(afterFailures count: Int) -> Duration { min(.seconds(60), .seconds(5) * (1 << min(max(1, count) - 1, 4))) }
}
