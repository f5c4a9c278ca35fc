import Bytewise
import Logging

/// The log of a process, as its command line asks for it.
public enum ProcessLog {
    /// The arguments that make another process of ours log the same way.
    public static func arguments(format: LineLogHandler.Format, level: Logger.Level) -> [String] {
        ["--log-format=\(format.rawValue)", "--log-level=\(level.rawValue)"]
    }

    public static func make(arguments: [String], label: String) -> Logger {
        func value(_ name: String) -> String? {
            arguments.lazy.compactMap { $0.without(prefix: name + "=") }.first
        }
        return make(
            format: value("--log-format").flatMap { LineLogHandler.Format(rawValue: $0) } ?? .text,
            threshold: LogThreshold(value("--log-level").flatMap { Logger.Level(rawValue: $0) } ?? .info), label: label)
    }

    public static func make(format: LineLogHandler.Format, threshold: LogThreshold, label: String) -> Logger {
        Logger(label: label) { _ in LineLogHandler(format: format, threshold: threshold) }
    }
}
