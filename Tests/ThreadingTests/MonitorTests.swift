import Synchronization
import Testing
import Threading

@Suite struct MonitorTests {
    /// It waited for ever: the state was looked at once, before the wait.
    @Test func waiterSeesWhatChangedWhileItWaited() throws {
        for _ in 0..<20 {
            let isReady = Monitor(false)
            try SystemThread.start(name: "late") {
                SystemThread.sleep(.milliseconds(5))
                isReady.change { $0 = true }
            }
            let seen = isReady.wait(until: .after(.seconds(60))) { $0 ? true : nil }
            #expect(seen == true)
        }
    }

    @Test func aWaitEndsAtItsDeadline() {
        let monitor = Monitor(0)
        let limit = Deadline.after(.seconds(60))
        #expect(monitor.wait(until: .after(.milliseconds(30))) { $0 == 1 ? true : nil } == nil)
        #expect(!limit.hasPassed)
    }

    @Test func aChangeForOneWakesOneOfThoseThatWait() throws {
        let state = Monitor((waiting: 0, isFree: false, took: 0))
        for _ in 0..<4 {
            try SystemThread.start(name: "taker") {
                state.change { $0.waiting += 1 }
                _ = state.wait { state -> Bool? in
                    guard state.isFree else { return nil }
                    (state.isFree, state.took) = (false, state.took + 1)
                    return true
                }
            }
        }
        _ = state.wait { $0.waiting == 4 ? true : nil }
        for round in 1...4 {
            state.change { $0.isFree = true }
            #expect(state.wait(until: .after(.seconds(60))) { $0.took == round && !$0.isFree ? true : nil } == true)
        }
    }

    @Test func everyThreadPassesTheSemaphoreAndNeverMoreThanItsPlaces() throws {
        let semaphore = Semaphore(2)
        let inside = Atomic(0)
        let most = Monitor(0)
        let finished = Monitor(0)
        let threads = 32
        for _ in 0..<threads {
            try SystemThread.start(name: "passing") {
                for _ in 0..<20 {
                    semaphore.passing {
                        let count = inside.add(1, ordering: .relaxed).newValue
                        most.change { $0 = max($0, count) }
                        SystemThread.sleep(.microseconds(50))
                        inside.subtract(1, ordering: .relaxed)
                    }
                }
                finished.change { $0 += 1 }
            }
        }
        let all = finished.wait(until: .after(.seconds(60))) { $0 == threads ? true : nil }
        #expect(all == true)
        #expect(most.withLock { $0 } == 2)
    }
}
