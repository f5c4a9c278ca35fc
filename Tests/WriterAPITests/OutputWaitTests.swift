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

    @Test func nextGivesWhatWasNotKnownYet() {
        let notifier = OutputNotifier()
        let (first, _) = notifier.next(after: 0)
        DispatchQueue.global().async { notifier.ended(.complete) }
        let (second, end) = notifier.next(after: first)
        #expect(second > first && end == .complete)
    }

    // MARK: OutputFollower

    private func follow(_ pieces: Int, end: FileEnd, failingAfter most: Int = .max) throws -> (sent: [UInt8], error: (any Error)?) {
        let folder = TemporaryFolder()
        folder.write("a", "")
        let path = folder.path + "/a"
        let file = OpenFile(owning: Glibc.open(path, O_RDONLY))
        let growth = OutputNotifier()
        DispatchQueue.global().async {
            let output = FileHandle(forWritingAtPath: path)!
            for piece in 0..<pieces {
                output.write(Data(repeating: UInt8(truncatingIfNeeded: piece), count: 1 + piece * 977 % 100_000))
                growth.grew()
            }
            growth.ended(end)
        }
        var sent: [UInt8] = []
        do {
            try OutputFollower(file: file, growth: growth).follow { piece throws(Exchange.Failure) in
                if sent.count > most { throw .clientGone }
                sent += piece
            }
        } catch {
            return (sent, error)
        }
        return (sent, nil)
    }

    @Test func aFollowerSendsEveryByteOnceInOrder() throws {
        let expected = (0..<60).flatMap { [UInt8](repeating: UInt8($0), count: 1 + $0 * 977 % 100_000) }
        let (sent, error) = try follow(60, end: .complete)
        #expect(sent == expected && error == nil)
    }

    @Test func aFollowerOfWhatFailedSendsWhatThereIsAndSaysSo() throws {
        let (sent, error) = try follow(10, end: .failed)
        #expect(sent.count == (0..<10).reduce(0) { $0 + 1 + $1 * 977 % 100_000 })
        #expect(error is OutputFollower.Cut)
    }

    @Test func aFollowerWhoseClientLeavesStops() throws {
        let (_, error) = try follow(60, end: .complete, failingAfter: 50_000)
        #expect(error as? Exchange.Failure == .clientGone)
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
