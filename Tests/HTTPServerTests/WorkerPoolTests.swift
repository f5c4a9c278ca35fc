import HTTPServer
import SystemIO
import Testing
import Threading

@Suite struct WorkerPoolTests {
    @Test func everyJobRunsOnceThoughMoreComeThanThreads() {
        let pool = WorkerPool(maxThreads: 4, maxQueued: 20_000)
        let done = Monitor(0)
        for _ in 0..<20_000 { #expect(pool.submit { done.change { $0 += 1 } }) }
        #expect(done.wait(until: .after(.seconds(60))) { $0 == 20_000 ? true : nil } == true)
        #expect(!pool.isThreadWanted(from: []))
    }

    /// An idle thread is one that will take a job: two jobs at once must not count on the same.
    @Test func jobsThatAwaitEachOtherGetAThreadEach() {
        let pool = WorkerPool(maxThreads: 8, maxQueued: 0)
        for _ in 0..<500 {
            let inside = Monitor(0)
            for _ in 0..<8 {
                let accepted = pool.submit {
                    inside.change { $0 += 1 }
                    _ = inside.wait(until: .after(.seconds(60))) { $0 >= 8 ? true : nil }
                    inside.change { $0 += 1 }
                }
                if !accepted { inside.change { $0 += 2 } }
            }
            #expect(inside.wait(until: .after(.seconds(60))) { $0 == 16 ? true : nil } == true)
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
        #expect(done.wait(until: .after(.seconds(60))) { $0 == 2 ? true : nil } == true)
        #expect(pool.submit { done.change { $0 += 1 } })
        #expect(done.wait(until: .after(.seconds(60))) { $0 == 3 ? true : nil } == true)
    }

    @Test func blockingLetsAQueuedJobRunBesideIt() {
        let pool = WorkerPool(maxThreads: 1, maxQueued: 10, maxLent: 1)
        let (queued, done) = (Monitor(false), Monitor(0))
        #expect(
            pool.submit {
                _ = queued.wait(until: .after(.seconds(60))) { $0 ? true : nil }
                pool.blocking { _ = done.wait(until: .after(.seconds(60))) { $0 >= 1 ? true : nil } }
                done.change { $0 += 1 }
            })
        #expect(pool.submit { done.change { $0 += 1 } })
        queued.change { $0 = true }
        #expect(done.wait(until: .after(.seconds(60))) { $0 == 2 ? true : nil } == true)
    }

    /// Runs jobs that wait at `gate`, for one client.
    private func fill(_ pool: WorkerPool, _ count: Int, for client: WorkerPool.ClientKey, at gate: Gate) -> Int {
        (0..<count).count { _ in pool.submit(for: [client, .address(1)]) { gate.enterAndWait() } }
    }

    @Test func noClientHasAllThreadsNorTheWholeQueue() {
        let pool = WorkerPool(maxThreads: 8, maxQueued: 16)
        let (greedy, other, last) = (Gate(), Gate(), Gate())
        // Half of the threads, and of the queue.
        #expect(fill(pool, 4, for: .credential(1), at: greedy) == 4)
        #expect(greedy.awaitEntered(4))
        #expect(fill(pool, 40, for: .credential(1), at: greedy) == 8)
        #expect(fill(pool, 2, for: .credential(2), at: other) == 2)
        #expect(other.awaitEntered(2))
        // An address has three quarters of the threads, whatever its credentials.
        #expect(fill(pool, 1, for: .credential(3), at: last) == 1)
        #expect(pool.submit(for: [.address(2)]) { last.enter() })
        #expect(last.awaitEntered(1))
        #expect(greedy.entered == 4 && last.entered == 1)
        // What waits for its turn gets it when the others are done.
        for gate in [other, greedy, last] { gate.open() }
        #expect(greedy.awaitEntered(12) && last.awaitEntered(2))
    }

    @Test func whatIsLentLeavesTheClientItsShare() {
        let pool = WorkerPool(maxThreads: 4, maxQueued: 16, maxLent: 8)
        let (long, short) = (Gate(), Gate())
        let client = WorkerPool.ClientKey.credential(1)
        for _ in 0..<6 { #expect(pool.submit(for: [client]) { pool.blocking(for: [client]) { long.enterAndWait() } }) }
        #expect(long.awaitEntered(6))
        #expect(pool.submit(for: [client]) { short.enter() })
        #expect(short.awaitEntered(1))
        long.open()
    }

    /// Two of its connections that were kept open held up everything else of a token.
    @Test func threadsThatLingerCountForNobody() {
        let pool = WorkerPool(maxThreads: 4, maxQueued: 16)
        let (lingering, busy) = (Gate(), Gate())
        let client = WorkerPool.ClientKey.credential(1)
        for _ in 0..<2 {
            #expect(pool.submit(for: [client]) { _ = pool.lingering(for: [client]) { lingering.enterAndWait() } })
        }
        #expect(lingering.awaitEntered(2))
        #expect(fill(pool, 2, for: client, at: busy) == 2)
        #expect(busy.awaitEntered(2))
        #expect(pool.submit(for: [.credential(2)]) { busy.enterAndWait() })
        #expect(pool.submit(for: [.credential(2)]) { busy.enterAndWait() })
        #expect(busy.awaitEntered(4))
        for gate in [lingering, busy] { gate.open() }
    }

    @Test func whoComesBackFromLingeringTakesNoMoreThanTheShare() {
        let pool = WorkerPool(maxThreads: 4, maxQueued: 16)
        let (lingering, busy) = (Gate(), Gate())
        let answers = Monitor<[Bool?]>([])
        let client = WorkerPool.ClientKey.credential(1)
        let linger: WorkerPool.Job = {
            let mayGoOn = pool.lingering(for: [client]) { lingering.enterAndWait() }?.mayGoOn
            answers.change { $0.append(mayGoOn) }
        }
        #expect(pool.submit(for: [client], linger))
        #expect(lingering.awaitEntered(1))
        #expect(fill(pool, 2, for: client, at: busy) == 2)
        #expect(busy.awaitEntered(2))
        lingering.open()
        #expect(answers.wait(until: .after(.seconds(60))) { $0.first ?? nil } == false)
        busy.open()
        #expect(busy.awaitEntered(2))
        while pool.isThreadWanted(from: [client]) { SystemThread.sleep(.milliseconds(1)) }
        #expect(pool.submit(for: [client], linger))
        #expect(answers.wait(until: .after(.seconds(60))) { $0.count == 2 ? $0[1] : nil } == true)
    }

    @Test func nobodyLingersWhileAJobWaitsForTheClientsShare() {
        let pool = WorkerPool(maxThreads: 4, maxQueued: 16)
        let (busy, queued) = (Gate(), Monitor(false))
        let lingered = Monitor<[Bool]>([])
        let client = WorkerPool.ClientKey.credential(1)
        #expect(
            pool.submit(for: [client]) {
                _ = queued.wait(until: .after(.seconds(60))) { $0 ? true : nil }
                let isWanted = pool.isThreadWanted(from: [client])
                let mayGoOn = pool.lingering(for: [client]) {}
                lingered.change { $0 = [isWanted, mayGoOn != nil] }
            })
        #expect(fill(pool, 1, for: client, at: busy) == 1)
        #expect(busy.awaitEntered(1))
        #expect(fill(pool, 1, for: client, at: busy) == 1)
        queued.change { $0 = true }
        #expect(lingered.wait(until: .after(.seconds(60))) { $0.isEmpty ? nil : $0 } == [true, false])
        // The thread is the other's now.
        #expect(busy.awaitEntered(2))
        busy.open()
    }
}
