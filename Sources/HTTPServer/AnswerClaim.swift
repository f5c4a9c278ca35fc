import Synchronization

/// Who may answer a request: the first that asks. Usually its handler; another thread where the
/// handler does not come back.
final class AnswerClaim: Sendable {
    private let isTaken = Atomic(false)

    /// True once.
    func take() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }

    /// It was taken for nothing: the request has no answer yet.
    func giveBack() { isTaken.store(false, ordering: .releasing) }
}
