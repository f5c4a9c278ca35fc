import HTTPServer
import SystemIO
import Testing

@Suite struct WorkerPoolTests {
    @Test func everyJobRunsOnceThoughMoreComeThanThreads() {
        let pool = WorkerPool(maxThreads: 4, maxQueued: 20_000)
        let done = Monitor(0)
        for _ in 0..<20_000 { #expect(pool.submit { done.change { $0 += 1 } }) }
        #expect(done.wait(until: .after(.seconds(20))) { $0 == 20_000 ? true : nil } == true)
        #expect(!pool.hasWaitingJobs)
    }

    /// An idle thread is one that will take a job: two jobs at once must not count on the same.
    @Test func jobsThatAwaitEachOtherGetAThreadEach() {
        let pool = WorkerPool(maxThreads: 8, maxQueued: 0)
        for _ in 0..<500 {
            let inside = Monitor(0)
            for _ in 0..<8 {
                let accepted = pool.submit {
                    inside.change { $0 += 1 }
                    _ = inside.wait(until: .after(.seconds(10))) { $0 >= 8 ? true : nil }
                    inside.change { $0 += 1 }
                }
                if !accepted { inside.change { $0 += 2 } }
            }
            #expect(inside.wait(until: .after(.seconds(10))) { $0 == 16 ? true : nil } == true)
        }
    }

    @Test func aFullPoolRefusesAndTakesAgain() {
        let pool = WorkerPool(maxThreads: 1, maxQueued: 2)
        let gate = Gate()
        let done = Monitor(0)
        #expect(pool.submit { gate.enterAndWait() })
        #expect(gate.awaitEntered())
        #expect(pool.submit { done.change { $0 += 1 } })
        #expect(pool.submit { done.change { $0 += 1 } })
        #expect(!pool.submit { done.change { $0 += 1 } })
        gate.open()
        #expect(done.wait(until: .after(.seconds(5))) { $0 == 2 ? true : nil } == true)
        #expect(pool.submit { done.change { $0 += 1 } })
        #expect(done.wait(until: .after(.seconds(5))) { $0 == 3 ? true : nil } == true)
    }

    @Test func lendingLetsAQueuedJobRunBesideIt() {
        let pool = WorkerPool(maxThreads: 1, maxQueued: 10, maxLent: 1)
        let (queued, done) = (Monitor(false), Monitor(0))
        #expect(
            pool.submit {
                _ = queued.wait(until: .after(.seconds(10))) { $0 ? true : nil }
                pool.lending { _ = done.wait(until: .after(.seconds(10))) { $0 >= 1 ? true : nil } }
                done.change { $0 += 1 }
            })
        #expect(pool.submit { done.change { $0 += 1 } })
        queued.change { $0 = true }
        #expect(done.wait(until: .after(.seconds(5))) { $0 == 2 ? true : nil } == true)
    }
}
