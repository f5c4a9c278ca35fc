import Dispatch
import Foundation
import HTTPServer
import Synchronization
import Testing
import WriterAPI
import WriterModel

/// Those who wait: for an output to grow, and for their turn.
@Suite struct OutputWaitTests {
    // MARK: OutputNotifier

    @Test func anOutputEndsOnceAsItEndedFirst() {
        let notifier = OutputNotifier()
        #expect(notifier.current.end == nil)
        notifier.ended(.failed)
        notifier.ended(.complete)
        #expect(notifier.current.end == .failed)
    }

    @Test func whatHasChangedMeanwhileWakesAtOnceAndWhatChangesLaterOnce() {
        let notifier = OutputNotifier()
        let wakes = Atomic(0)
        let first = notifier.current.version
        notifier.grew()
        _ = notifier.whenChanged(since: first) { wakes.add(1, ordering: .relaxed) }
        #expect(wakes.load(ordering: .relaxed) == 1)
        _ = notifier.whenChanged(since: notifier.current.version) { wakes.add(1, ordering: .relaxed) }
        let cancel = notifier.whenChanged(since: notifier.current.version) { wakes.add(100, ordering: .relaxed) }
        cancel()
        #expect(wakes.load(ordering: .relaxed) == 1)
        notifier.grew()
        notifier.grew()
        notifier.ended(.complete)
        #expect(wakes.load(ordering: .relaxed) == 2)
    }

    // MARK: TurnLimit

    @Test func oneMoreThanMayWaitIsRefusedAndAfterThemNoneIs() throws {
        let limit = TurnLimit(3)
        #expect(try nested(3, in: limit) == .accepted)
        #expect(try nested(4, in: limit) == .refused)
        #expect(try nested(3, in: limit) == .accepted, "those that are refused or done wait no more")
    }

    private enum Answer { case accepted, refused }

    /// So many at a time: each asks while the one before it waits.
    private func nested(_ count: Int, in limit: borrowing TurnLimit) throws -> Answer {
        if count == 0 { return .accepted }
        var answer = Answer.accepted
        do throws(Problem) {
            answer = try limit.taking { () throws(Problem) -> Answer in
                do {
                    return try nested(count - 1, in: limit)
                } catch {
                    throw error as? Problem ?? Problem(.internalError, "\(error)")
                }
            }
        } catch {
            #expect(error.code == .overloaded && error.detail.hasPrefix("3 requests wait"))
            return .refused
        }
        return answer
    }
}
