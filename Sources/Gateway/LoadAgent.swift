import SystemIO

/// Tells HAProxy's agent-check the server's weight: each connection is sent a line such as "75%", and closed.
/// Weights alone: a word such as "drain" or "ready" would undo what HAProxy's operator has set.
final class LoadAgent: Sendable {
    private let listener: Listener
    private let weight: @Sendable () -> Int

    init(_ listener: Listener, loop: EventLoop, weight: @escaping @Sendable () -> Int) throws(SystemError) {
        self.listener = listener
        self.weight = weight
        _ = try loop.watch(listener.descriptor) { [self] in respondToWaiting() }
    }

    /// A few each time: the loop has other work.
    private func respondToWaiting() {
        for _ in 0..<8 {
            guard let number = try? listener.accept() else { return }
            let connection = Descriptor(owning: number)
            // A line fits into what the kernel keeps for a new connection.
            _ = Array("\(weight())%\n".utf8).withUnsafeBytes { Socket.sendAvailable(connection.number, $0) }
            Socket.shutDownWriting(connection.number)
        }
    }
}
