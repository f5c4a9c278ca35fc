import HTTP1
import Synchronization

/// A request's name in the log, in its answer and in its problem: the client's own
/// X-Request-Id, or one made here.
enum RequestID {
    static let field = "X-Request-Id"
    private static let maxLength = 128
    /// Tells this process's ids from those of others.
    private static let prefix = String(UInt64.random(in: .min ... .max), radix: 36) + "-"
    private static let counter = Atomic<UInt64>(0)

    static func of(_ head: RequestHead?) -> String {
        if let given = head?.field(field), isUsable(given) { return given }
        let number = counter.add(1, ordering: .relaxed).newValue
        return prefix + String(number)
    }

    /// What can stand in a log line and in a field as it is.
    private static func isUsable(_ id: String) -> Bool {
        (1...maxLength).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 }
    }
}
