import HTTP1
import SystemIO
import Threading
import WriterModel

/// Asks other nodes, within what that may take of this one.
package final class PeerClient: Sendable {
    private let loop: EventLoop
    private let budget: PeerBudget

    /// How long the next address of a node waits for the one before: RFC 8305 §8 has this.
    private static let attemptDelay = Duration.milliseconds(250)

    package init(loop: EventLoop, budget: PeerBudget = PeerBudget()) {
        self.loop = loop
        self.budget = budget
    }

    /// Sends a GET, and gives what it can be given up by; nil when it failed at once. `onEnd` is called once, from
    /// any thread. `client`: for which it is sent. `time`: when the caller gives up, before which every address of the
    /// node is to have had its turn.
    @discardableResult
    package func get(
        _ target: String, from peer: PeerDirectory.Peer, for client: PeerBudget.Client? = nil,
        fields: [(name: String, value: [UInt8])] = [], maxBodyBytes: Int, within time: Duration,
        onEnd: @escaping @Sendable (PeerRequest.Outcome) -> Void
    ) -> PeerRequest? {
        if peer.addresses.isEmpty {
            onEnd(.failed(peer.isUnresolved ? .unresolved : .unreachable))
            return nil
        }
        guard let share = budget.share(of: peer.key, for: client) else {
            onEnd(.failed(.busy))
            return nil
        }
        var bytes = Array("GET \(target) HTTP/1.1\r\nHost: \(peer.place)\r\nConnection: close\r\nAccept: application/json\r\n".utf8)
        // Values come from a head that was parsed: no line ends in them.
        for field in fields { bytes += Array("\(field.name): ".utf8) + field.value + Array("\r\n".utf8) }
        bytes += Array("\r\n".utf8)
        let request = PeerRequest(
            bytes, to: peer.addresses, attemptDelay: min(Self.attemptDelay, time / (2 * peer.addresses.count)),
            maxBodyBytes: maxBodyBytes, share: share, loop: loop, onEnd: onEnd)
        request.start()
        return request
    }

    func post(at deadline: Deadline, _ job: @escaping @Sendable () -> Void) { loop.post(at: deadline, job) }
}
