import SystemIO

/// A bounded number of threads for work that blocks. Threads start when they are needed and
/// end after a while without work.
package final class WorkerPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var jobs: [Job] = []
        var threads = 0
        /// Threads that wait for a job, or are about to.
        var idleThreads = 0
        /// Threads in `lending`, which do not count.
        var lentThreads = 0

        var countedThreads: Int { threads - lentThreads }
        var waitingJobs: Int { max(0, jobs.count - idleThreads) }

        /// A thread that is being started is as good as an idle one.
        mutating func addThread() {
            threads += 1
            idleThreads += 1
        }
    }

    private let maxThreads: Int
    private let maxQueued: Int
    private let maxLent: Int
    private let state = Monitor(State())
    private static let idleLife = Duration.seconds(10)

    package init(maxThreads: Int, maxQueued: Int, maxLent: Int = 0) {
        self.maxThreads = maxThreads
        self.maxQueued = maxQueued
        self.maxLent = maxLent
    }

    /// Whether there is work that no thread has taken up.
    package var hasWaitingJobs: Bool { state.withLock { $0.waitingJobs > 0 } }

    /// Whether a thread that waits a little for its client keeps nobody else waiting.
    package var hasRoomToLinger: Bool {
        state.withLock { $0.jobs.isEmpty && $0.countedThreads - $0.idleThreads <= max(1, maxThreads / 2) }
    }

    /// Runs `job` on a thread of the pool. False: every thread is busy and the queue is full.
    package func submit(_ job: @escaping Job) -> Bool {
        enum Decision { case queued, start, refused }
        let decision: Decision = state.changeForOne { state in
            let needsThread = state.idleThreads <= state.jobs.count
            let mayStart = needsThread && state.countedThreads < maxThreads
            if needsThread && !mayStart && state.waitingJobs >= maxQueued { return .refused }
            state.jobs.append(job)
            if mayStart { state.addThread() }
            return mayStart ? .start : .queued
        }
        if decision == .start { startThread() }
        return decision != .refused
    }

    /// Runs, on a thread of the pool, something that lasts as long as somebody else likes: a
    /// download, a wait. Up to `maxLent` such threads do not count, and work goes on beside them.
    package func lending<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        let isLent = beginLending()
        defer { if isLent { state.withLock { $0.lentThreads -= 1 } } }
        return try body()
    }

    private func beginLending() -> Bool {
        let (isLent, needsThread) = state.withLock { state in
            if state.lentThreads >= maxLent { return (false, false) }
            state.lentThreads += 1
            guard state.waitingJobs > 0, state.countedThreads < maxThreads else { return (true, false) }
            state.addThread()
            return (true, true)
        }
        if needsThread { startThread() }
        return isLent
    }

    /// When the system has no more threads, the job waits: for one there is, or for the next start.
    private func startThread() {
        do {
            try SystemThread.start(name: "handler") { self.work() }
        } catch {
            state.withLock { state in
                state.threads -= 1
                state.idleThreads -= 1
            }
        }
    }

    private func work() {
        var isWanted = true
        while isWanted, let job = awaitJob() {
            job()
            isWanted = becomeIdle()
        }
    }

    /// False: this thread is to end. One that came back from `lending` may be one too many.
    private func becomeIdle() -> Bool {
        state.withLock { state in
            if state.countedThreads > maxThreads {
                state.threads -= 1
                return false
            }
            state.idleThreads += 1
            return true
        }
    }

    private func awaitJob() -> Job? {
        state.wait(until: .after(Self.idleLife)) { state in
            if state.jobs.isEmpty { return nil }
            state.idleThreads -= 1
            return state.jobs.removeFirst()
        } ?? endOrTakeLast()
    }

    /// After a wait that ran out: a job that came in the same moment, or the thread's end.
    private func endOrTakeLast() -> Job? {
        state.withLock { state in
            state.idleThreads -= 1
            if !state.jobs.isEmpty { return state.jobs.removeFirst() }
            state.threads -= 1
            return nil
        }
    }
}
