import Synchronization
import WriterModel

/// How many requests may wait for their turn at a writer, each with a thread: what one client asks again
/// and again must leave threads to the others.
package struct TurnLimit: ~Copyable, Sendable {
    private let waiting = Atomic(0)
    private let most: Int

    package init(_ most: Int) { self.most = most }

    package borrowing func taking<R>(_ wait: () throws(Problem) -> R) throws(Problem) -> R {
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard waiting.add(1, ordering: .relaxed).newValue <= most else {
            throw Problem(
                .overloaded, "\(most) requests wait for their turn at this writer already. Wait for their answers first.")
        }
        return try wait()
    }
}
