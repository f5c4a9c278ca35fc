import Synchronization

/// The client of a request that opens a destination: whether it has left, be that before the opening has begun or
/// while it is under way.
package final class OpeningClient: Sendable {
    private let left = Atomic(false)

    package init() {}

    package var hasLeft: Bool { left.load(ordering: .acquiring) }

    func leave() { left.store(true, ordering: .releasing) }
}
