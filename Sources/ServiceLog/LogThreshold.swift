import Logging
import Synchronization

/// The least level that a process logs, which may change while it runs.
public final class LogThreshold: Sendable {
    private let state: Mutex<Logger.Level>

    public init(_ level: Logger.Level) { state = Mutex(level) }

    public var level: Logger.Level {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
