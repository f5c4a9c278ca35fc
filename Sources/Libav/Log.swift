internal import CLibav
import Synchronization

/// The last warnings and errors libav logged in this process, for error messages.
package enum Log {
    /// How many lines are kept.
    package static let capacity = 20

    private static let lines = Mutex<[String]>([])
    private static let installed: Void = clibav_install_log { _, line in
        guard let line else { return }
        Log.append(String(cString: line))
    }

    /// Sends libav's log here instead of to stderr. Before any other libav call.
    package static func install() { _ = installed }

    /// The lines since the last call, oldest first.
    package static func take() -> [String] {
        lines.withLock { lines in
            defer { lines.removeAll(keepingCapacity: true) }
            return lines
        }
    }

    private static func append(_ text: String) {
        var text = LogLine.withoutAddresses(text)
        while let last = text.utf8.last, last <= 0x20 { text.unicodeScalars.removeLast() }
        guard !text.isEmpty else { return }
        lines.withLock { lines in
            if lines.count == capacity { lines.removeFirst() }
            lines.append(text)
        }
    }
}
