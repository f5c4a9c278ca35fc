import Synchronization
import SystemIO
import Testing

@Suite struct MonitorTests {
    /// It waited for ever: the state was looked at once, before the wait.
    @Test func waiterSeesWhatChangedWhileItWaited() throws {
        for _ in 0..<20 {
            let isReady = Monitor(false)
            try SystemThread.start(name: "late") {
                SystemThread.sleep(.milliseconds(5))
                isReady.change { $0 = true }
            }
            let seen = isReady.wait(until: .after(.seconds(10))) { $0 ? true : nil }
            #expect(seen == true)
        }
    }

    @Test func everyThreadPassesTheTurnstileAndNeverMoreThanItsPlaces() throws {
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
        let all = finished.wait(until: .after(.seconds(30))) { $0 == threads ? true : nil }
        #expect(all == true)
        #expect(most.withLock { $0 } == 2)
    }
}
