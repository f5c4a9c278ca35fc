import HTTPServer
import Logging
import Synchronization
import SystemIO

/// Asks encoders now and then whether they respond, and kills those that do not: stopped, or with their event
/// loop stuck.
final class SilenceWatch: Sendable {
    private let timeout: Double
    private let ends: EncoderEnds
    private let log: Logger
    private let lastPings = Mutex(ContinuousClock.now)

    /// Between two pings of an encoder.
    private static let pingInterval = Duration.seconds(5)
    /// How soon it is known how an encoder ended that was killed.
    private static let settlingTime = Duration.seconds(5)
    /// How soon an encoder responds that is not stuck.
    private static let responseTime = Duration.seconds(2)

    /// `timeout`: the seconds that an encoder may take to respond; 0: for ever.
    init(timeout: Double, ends: EncoderEnds, log: Logger) {
        self.timeout = timeout
        self.ends = ends
        self.log = log
    }

    /// By the second.
    func look(at links: [EncoderLink]) {
        if timeout <= 0 { return }
        for link in links where link.heartbeat.silence > .seconds(timeout) && link.killReason == nil { kill(link) }
        // One whose fork waits its turn can't respond.
        if isTimeToPing { for link in links where link.process != nil { link.heartbeat.ping() } }
    }

    private var isTimeToPing: Bool {
        lastPings.withLock { last in
            guard ContinuousClock.now - last >= min(Self.pingInterval, .seconds(timeout / 3)) else { return false }
            last = .now
            return true
        }
    }

    /// False: it has no process.
    @discardableResult
    private func kill(_ link: EncoderLink) -> Bool {
        guard ends.kill(link, for: .unresponsive) else { return false }
        log.notice("an encoder does not respond and is killed", metadata: ["writer": "\(link.writer.key)"])
        return true
    }

    /// Goes on with `then` once it is known whether a writer's encoder responds. One that does not is killed;
    /// true: the gateway responds for its writer now.
    func whenKnownToRespond(
        _ link: EncoderLink, _ exchange: Exchange, then: @escaping @Sendable (Exchange, _ isGone: Bool) -> Void
    ) {
        if link.process == nil { return then(exchange, false) }
        exchange.wait(until: .after(Self.responseTime), for: { link.heartbeat.askForAnswer($0) }) { [self] exchange, wake in
            switch wake {
            case .clientGone: break
            case .ready: then(exchange, false)
            case .timedOut:
                guard kill(link) else { return then(exchange, false) }
                exchange.wait(until: .after(Self.settlingTime), for: { link.whenSettled($0) }) { exchange, wake in
                    if wake != .clientGone { then(exchange, wake == .ready) }
                }
            }
        }
    }
}
