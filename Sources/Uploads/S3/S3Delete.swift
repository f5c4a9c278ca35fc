import Threading

/// Deletes objects that are no longer wanted, such as segments that a playlist has dropped, without holding up the muxer.
package final class S3Delete: Sendable {
    /// Deletions that are under way at once.
    private static let mostInFlight = 4
    /// That wait for their turn.
    private static let mostWaiting = 10_000
    /// Kept of failures.
    private static let mostFailures = 16

    private let client: S3Client
    private let retry: RetryRule
    private let state = Monitor(State())

    private struct State {
        var waiting: [ObjectKey] = []
        var inFlight = 0
        var failures: [UploadError] = []
        var failed = 0
    }

    package init(_ client: S3Client, retry: RetryRule = RetryRule()) { (self.client, self.retry) = (client, retry) }

    /// Begins. An object that is not there is as good as deleted.
    package func delete(_ key: ObjectKey) {
        let isFull = state.withLock { state in
            if state.waiting.count == Self.mostWaiting { return true }
            state.waiting.append(key)
            return false
        }
        beginNext()
        if isFull { note(UploadError(.local, "deletion of \(client.name(of: key))", "\(Self.mostWaiting) others wait already")) }
    }

    private func note(_ error: UploadError) {
        state.change { state in
            state.failed += 1
            if state.failures.count < Self.mostFailures { state.failures.append(error) }
        }
    }

    /// Waits for all that were begun; how many of them failed, and the first of those failures.
    package func finish(until deadline: Deadline = .never) -> (failed: Int, failures: [UploadError]) {
        _ = state.wait(until: deadline) { $0.inFlight == 0 && $0.waiting.isEmpty ? true : nil }
        return state.withLock { ($0.failed, $0.failures) }
    }

    private func beginNext() {
        let next = state.withLock { state -> ObjectKey? in
            if state.inFlight == Self.mostInFlight || state.waiting.isEmpty { return nil }
            state.inFlight += 1
            return state.waiting.removeFirst()
        }
        guard let next else { return }
        _ = client.http.start(client.delete(next, retry: retry)) { result in
            if case .failure(let error) = result { self.note(error) }
            self.state.change { $0.inFlight -= 1 }
            self.beginNext()
        }
    }
}
