import SystemIO
import Threading

/// Sees that the peer of a socket is gone while this process may be in a call that waits for something else.
package enum HangUpWatch {
    /// From now on a thread waits for the end of the socket's peer, and calls `body` so long after it.
    package static func start(on socket: Int32, grace: Duration, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "hang-up") {
                // A socket that can't be waited for has no peer.
                try? Readiness.awaitHangUp(of: socket)
                SystemThread.sleep(grace)
                body()
            }
        } catch {
            throw SystemError("start a thread", number: error.number)
        }
    }
}
