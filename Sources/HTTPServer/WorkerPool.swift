import SystemIO

/// A bounded number of threads for work that blocks. Threads start when they are needed and
/// end after a while without work.
final class WorkerPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
        var idleThreads = 0
    }

    private let maxThreads: Int
    private let maxQueued: Int
    private let state = Monitor(State())
    private static let idleLife = Duration.seconds(10)

    init(maxThreads: Int, maxQueued: Int) {
        self.maxThreads = maxThreads
        self.maxQueued = maxQueued
    }

    /// Whether a thread that waits a little for its client keeps nobody else waiting.
    var hasRoomToLinger: Bool {
        state.withLock { $0.jobs.isEmpty && $0.threads - $0.idleThreads <= max(1, maxThreads / 2) }
    }

    var isIdle: Bool { state.withLock { $0.jobs.isEmpty && $0.threads == $0.idleThreads } }

    /// Runs `job` on a thread of the pool. False: every thread is busy and the queue is full.
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        enum Decision { case queued, start, refused }
        let decision: Decision = state.changeForOne { state in
            let needsThread = state.idleThreads <= state.jobs.count
            if needsThread && state.threads < maxThreads {
                state.threads += 1
                return .start
            }
            if needsThread && state.jobs.count - state.idleThreads >= maxQueued { return .refused }
            state.jobs.append(job)
            return .queued
        }
        switch decision {
        case .queued: return true
        case .refused: return false
        case .start: return startThread(first: job)
        }
    }

    private func startThread(first job: @escaping @Sendable () -> Void) -> Bool {
        do {
            try SystemThread.start(name: "handler") { self.work(first: job) }
            return true
        } catch {
            state.withLock { $0.threads -= 1 }
            return false
        }
    }

    private func work(first: @escaping @Sendable () -> Void) {
        var job: (@Sendable () -> Void)? = first
        while let next = job {
            next()
            state.withLock { $0.idleThreads += 1 }
            job = state.wait(until: .after(Self.idleLife)) { state in
                if state.jobs.isEmpty { return nil }
                state.idleThreads -= 1
                return state.jobs.removeFirst()
            }
            if job == nil { job = endOrTakeLast() }
        }
    }

    /// After a wait that ran out: a job that came in the same moment, or the thread's end.
    private func endOrTakeLast() -> (@Sendable () -> Void)? {
        state.withLock { state in
            state.idleThreads -= 1
            if !state.jobs.isEmpty { return state.jobs.removeFirst() }
            state.threads -= 1
            return nil
        }
    }
}
