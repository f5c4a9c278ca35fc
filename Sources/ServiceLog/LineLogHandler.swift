import Bytewise
import Logging
import SystemIO
import WriterModel

/// One line an event on standard error, as text or as JSON. A line is one write, so the
/// lines of several processes don't mix. Whatever a message or a field holds, it is one line, and no terminal takes it
/// for anything but text.
public struct LineLogHandler: LogHandler {
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    public var logLevel: Logger.Level {
        get { own ?? threshold.level }
        set { own = newValue }
    }
    public var metadata: Logger.Metadata = [:]
    private let format: Format
    private let threshold: LogThreshold
    /// Of a logger that was given one.
    private var own: Logger.Level?

    public init(format: Format, threshold: LogThreshold) {
        self.format = format
        self.threshold = threshold
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let time = WallClock.now()
        let moment = Timestamp(secondsSinceEpoch: time.seconds, nanoseconds: time.nanoseconds)
        let fields = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        StandardError.write(LogLine(moment, event.level, "\(event.message)", fields).bytes(as: format))
    }
}
