import Foundation

/// What a server and its encoders write to standard error, read line by line.
///
/// Every process of the server holds the other end, so the log ends when the last of
/// them has.
final class ServerLog: @unchecked Sendable {  // `lines` and `hasEnded` are guarded by `condition`.
    private let condition = NSCondition()
    private var lines: [String] = []
    private var hasEnded = false

    /// Takes over the reading end.
    init(readingFrom descriptor: Int32) {
        Thread.detachNewThread { [self] in
            var partial = Data()
            var buffer = [UInt8](repeating: 0, count: 16_384)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { break }
                partial.append(contentsOf: buffer[..<count])
                var parts = partial.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                partial = Data(parts.removeLast())
                let complete = parts.map { String(decoding: $0, as: UTF8.self) }
                change { $0.lines += complete }
            }
            close(descriptor)
            change { $0.hasEnded = true }
        }
    }

    var text: String { condition.withLock { lines.joined(separator: "\n") } }

    /// The first line that contains `part`; nil when none came in time or the log has ended.
    func line(containing part: String, within seconds: Double) async -> String? {
        await waited(seconds) { log in
            if let line = log.lines.first(where: { $0.contains(part) }) { return .some(line) }
            return log.hasEnded ? .some(nil) : nil
        } ?? nil
    }

    /// Whether every process that writes to the log has ended.
    func ended(within seconds: Double) async -> Bool {
        await waited(seconds) { $0.hasEnded ? true : nil } ?? false
    }

    private func change(_ body: (ServerLog) -> Void) {
        condition.withLock {
            body(self)
            condition.broadcast()
        }
    }

    private func waited<Value: Sendable>(
        _ seconds: Double, for value: @escaping @Sendable (ServerLog) -> Value?
    ) async -> Value? {
        await onThread {
            self.condition.withLock {
                let deadline = Date(timeIntervalSinceNow: seconds)
                while true {
                    if let value = value(self) { return value }
                    if !self.condition.wait(until: deadline) { return nil }
                }
            }
        }
    }
}
