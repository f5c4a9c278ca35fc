import Gateway
import SystemIO
import Testing
import WriterModel

@Suite struct EncoderEndTests {
    private static let process: Int32 = 7
    private static let killed = ProcessEnd.signaled(number: 9)

    /// Each can happen once.
    private enum Word: Int, CaseIterable {
        case forked, notForked, unwanted, madeWriter, concluded, socketEnded, processEnded, condemned, timedOut
    }

    private static func event(_ word: Word, _ reason: EncoderEnd.KillReason) -> EncoderEnd.Event {
        switch word {
        case .forked: .forked(process: process)
        case .notForked: .notForked
        case .unwanted: .unwanted
        case .madeWriter: .madeWriter
        case .concluded: .concluded(.discarded)
        case .socketEnded: .socketEnded
        case .processEnded: .processEnded(killed)
        case .condemned: .condemned(reason)
        case .timedOut: .timedOut
        }
    }

    private func actions(_ events: [EncoderEnd.Event], awaitsProcess: Bool = true) -> [EncoderEnd.Action] {
        var end = EncoderEnd(awaitsProcess: awaitsProcess)
        return events.flatMap { end.take($0) }
    }

    @Test func anEncodersWordCountsAndNotHowItsProcessEnded() {
        #expect(
            actions([.forked(process: 7), .madeWriter, .concluded(.concluded(.closed)), .socketEnded, .processEnded(Self.killed)])
                == [.record(.concluded(.closed)), .release])
        // Its process's end may be told before the last of what it said is heard.
        #expect(
            actions([.forked(process: 7), .processEnded(Self.killed), .concluded(.discarded), .socketEnded])
                == [.record(.discarded), .release])
    }

    @Test func anEncoderThatDiesWithoutAWordFailsByTheWayItDied() {
        #expect(
            actions([.forked(process: 7), .madeWriter, .socketEnded, .processEnded(Self.killed)])
                == [.awaitProcess, .fail(.died(Self.killed))])
        #expect(
            actions([.forked(process: 7), .processEnded(Self.killed), .socketEnded]) == [.fail(.died(Self.killed))])
    }

    @Test func anEncoderThatKeepsItsProcessWithoutASocketIsKilled() {
        #expect(
            actions([.forked(process: 7), .socketEnded, .timedOut, .processEnded(Self.killed)])
                == [.awaitProcess, .kill(process: 7), .fail(.died(nil))])
    }

    @Test func anEncoderThatWasNotForkedIsNotWaitedFor() {
        #expect(actions([.notForked, .socketEnded]) == [.fail(.notStarted)])
        #expect(actions([.socketEnded, .notForked]) == [.awaitProcess, .fail(.notStarted)])
        // The next fork server had its turn.
        #expect(
            actions([.notForked, .forked(process: 7), .socketEnded, .processEnded(Self.killed)])
                == [.awaitProcess, .fail(.died(Self.killed))])
    }

    @Test func theFirstReasonOfAKillIsTold() {
        #expect(
            actions([.condemned(.unresponsive), .condemned(.improper), .forked(process: 7), .socketEnded, .processEnded(Self.killed)])
                == [.kill(process: 7), .awaitProcess, .fail(.unresponsive)])
    }

    @Test func theCatalogsProcessIsNotWaitedFor() {
        #expect(actions([.forked(process: 7), .socketEnded, .processEnded(Self.killed)], awaitsProcess: false) == [.fail(.died(nil))])
    }

    /// In each of the million orders in which any of them can happen, what is done is what follows from which came
    /// before which.
    @Test(arguments: [EncoderEnd.KillReason.unresponsive, .improper], [true, false])
    func everyOrderOfEventsEndsAWriterOnce(reason: EncoderEnd.KillReason, awaitsProcess: Bool) {
        var orders = Orders(reason: reason, awaitsProcess: awaitsProcess)
        orders.go(on: EncoderEnd(awaitsProcess: awaitsProcess))
        #expect(orders.count == 986_409)
        #expect(orders.wrong == [])
    }

    private struct Orders {
        let reason: EncoderEnd.KillReason
        let awaitsProcess: Bool
        /// When each happened; `never`, of those that have not.
        private var times = [Int](repeating: never, count: Word.allCases.count)
        private var order: [Word] = []
        var count = 0
        var wrong: [String] = []

        private static let never = Int.max

        init(reason: EncoderEnd.KillReason, awaitsProcess: Bool) {
            (self.reason, self.awaitsProcess) = (reason, awaitsProcess)
        }

        /// Has every event happen next that has not happened, and all others after it.
        mutating func go(on end: EncoderEnd) {
            for word in Word.allCases where at(word) == Self.never {
                times[word.rawValue] = order.count
                order.append(word)
                var next = end
                let done = next.take(EncoderEndTests.event(word, reason))
                count += 1
                let expected = expected(word)
                if done != expected && wrong.count < 5 { wrong.append("\(order): \(done), not \(expected)") }
                go(on: next)
                order.removeLast()
                times[word.rawValue] = Self.never
            }
        }

        private func at(_ word: Word) -> Int { times[word.rawValue] }

        /// A process that has ended is not begun.
        private var forkedAt: Int { at(.forked) < at(.processEnded) ? at(.forked) : Self.never }

        /// When a writer without a word of its encoder fails: never while that may still be heard.
        private var failsAt: Int {
            let socket = at(.socketEnded)
            if socket == Self.never || !awaitsProcess { return socket }
            let byProcess = max(socket, at(.processEnded))
            let byTime = at(.timedOut) > socket ? at(.timedOut) : Self.never
            let byNoFork = max(socket, at(.notForked))
            return min(byProcess, byTime, forkedAt > byNoFork ? byNoFork : Self.never)
        }

        private var concludedAt: Int { at(.concluded) < at(.socketEnded) ? at(.concluded) : Self.never }
        private var unwantedAt: Int { at(.unwanted) < forkedAt ? at(.unwanted) : Self.never }

        private func expected(_ word: Word) -> [EncoderEnd.Action] {
            let now = at(word)
            let settledAt = min(failsAt, concludedAt, unwantedAt)
            return kills(word, now, settledAt) + settlement(word, now, settledAt)
        }

        private func kills(_ word: Word, _ now: Int, _ settledAt: Int) -> [EncoderEnd.Action] {
            let lives = forkedAt <= now && at(.processEnded) > now
            let overdueAt = failsAt == at(.timedOut) && settledAt == failsAt ? failsAt : Self.never
            let isKilled =
                switch word {
                case .condemned: true
                case .forked: min(at(.condemned), overdueAt) < now
                case .timedOut: overdueAt == now
                default: false
                }
            return lives && isKilled ? [.kill(process: EncoderEndTests.process)] : []
        }

        private func settlement(_ word: Word, _ now: Int, _ settledAt: Int) -> [EncoderEnd.Action] {
            if settledAt == now {
                if now == concludedAt { return [.record(.discarded)] }
                return now == unwantedAt ? [.forget] : [.fail(cause(now))]
            }
            guard word == .socketEnded else { return [] }
            if settledAt > now { return [.awaitProcess] }
            return settledAt == concludedAt ? [.release] : []
        }

        private func cause(_ now: Int) -> EncoderEnd.Cause {
            if reason == .unresponsive && at(.condemned) < now { return .unresponsive }
            let end = at(.processEnded) <= now ? EncoderEndTests.killed : nil
            return forkedAt > now && end == nil && at(.madeWriter) > now ? .notStarted : .died(end)
        }
    }
}
