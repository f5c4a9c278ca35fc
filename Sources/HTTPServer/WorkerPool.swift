import SystemIO
import Threading

/// A bounded number of threads for work that blocks. Threads start when they are needed and
/// end after a while without work. No client has all of them: what is beyond its share waits for
/// a thread of its own, and others go past.
package final class WorkerPool: Sendable {
    package typealias Job = @Sendable () -> Void

    /// One of the names by which a client is known, as a number that tells it from others.
    package enum ClientKey: Hashable, Sendable {
        /// Several clients may have the same, behind a proxy.
        case address(Int)
        case credential(Int)
    }

    private struct State {
        var jobs = JobQueue()
        /// Threads at work for each client.
        var running: [ClientKey: Int] = [:]
        var threads = 0
        /// Threads that wait for a job, or are about to.
        var idleThreads = 0
        /// Threads in `blocking` and in `lingering`, which do not count.
        var lentThreads = 0
        var lingeringThreads = 0

        var countedThreads: Int { threads - lentThreads - lingeringThreads }
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

    /// Does once what Swift's runtime makes of a queue at its first job.
    package static func warmUp() {
        var jobs = JobQueue()
        jobs.append({}, for: [.address(0)])
        _ = jobs.take { _ in true }
    }

    /// Whether a thread at a job for `clients` is wanted for another: one that no thread has taken up, or one
    /// that waits for one of these clients' share.
    package func isThreadWanted(from clients: [ClientKey]) -> Bool {
        state.withLock { isThreadWanted(from: clients, $0) }
    }

    private func isThreadWanted(from clients: [ClientKey], _ state: State) -> Bool {
        if state.jobs.isEmpty { return false }
        return state.waitingJobs > 0
            || clients.contains { state.jobs.count(of: $0) > 0 && state.running[$0, default: 0] >= share(of: $0, in: maxThreads) }
    }

    /// Waits, on a thread of the pool that is at a job for `clients`, a little for more work of theirs. It
    /// keeps no other job waiting meanwhile: up to half as many threads as the pool has may do so at once, and they
    /// count neither for the pool nor for the client. nil, without waiting: the thread is wanted, or too many
    /// wait. `mayGoOn`: the thread may take up what came; otherwise that is to wait for its turn.
    package func lingering<R>(for clients: [ClientKey], _ body: () -> R) -> (result: R, mayGoOn: Bool)? {
        let mayLinger = state.withLock { state in
            guard state.lingeringThreads < max(1, maxThreads / 2), !isThreadWanted(from: clients, state) else { return false }
            state.lingeringThreads += 1
            for client in clients { state.running.decrement(client) }
            return true
        }
        guard mayLinger else { return nil }
        let result = body()
        let mayGoOn = state.withLock { state in
            state.lingeringThreads -= 1
            let isWithinShare = mayRun(clients, state.running)
            for client in clients { state.running[client, default: 0] += 1 }
            return isWithinShare && state.countedThreads <= maxThreads
        }
        return (result, mayGoOn)
    }

    /// Runs `job` on a thread of the pool, for a client with these names. False: every thread is busy,
    /// or those that the client may have, and the queue is full. `always`: however full it is.
    package func submit(for clients: [ClientKey] = [], always: Bool = false, _ job: @escaping Job) -> Bool {
        enum Decision { case queued, start, refused }
        let decision: Decision = state.changeForOne { state in
            let isWithinShare = mayRun(clients, state.running)
            let needsThread = isWithinShare && state.idleThreads <= state.jobs.count
            let mayStart = needsThread && state.countedThreads < maxThreads
            if !always && !mayStart && (needsThread || !isWithinShare) && isQueueFull(for: clients, state) {
                return .refused
            }
            state.jobs.append(job, for: clients)
            if mayStart { state.addThread() }
            return mayStart ? .start : .queued
        }
        if decision == .start { startThread() }
        return decision != .refused
    }

    private func mayRun(_ clients: [ClientKey], _ running: [ClientKey: Int]) -> Bool {
        clients.allSatisfy { running[$0, default: 0] < share(of: $0, in: maxThreads) }
    }

    /// How many of the threads, or places in the queue, it may have at once.
    private func share(of client: ClientKey, in all: Int) -> Int {
        switch client {
        case .address: max(1, all - all / 4)
        case .credential: max(1, all / 2)
        }
    }

    private func isQueueFull(for clients: [ClientKey], _ state: State) -> Bool {
        state.waitingJobs >= maxQueued || clients.contains { state.jobs.count(of: $0) >= share(of: $0, in: maxQueued) }
    }

    /// Runs, on a thread of the pool that is at a job for `clients`, something that lasts as long as
    /// a client or another request likes: an upload, a turn. Up to `maxLent` such threads do not count, neither for the
    /// pool nor for the client, and work goes on beside them.
    package func blocking<R, E: Error>(for clients: [ClientKey] = [], _ body: () throws(E) -> R) throws(E) -> R {
        let isLent = beginLending(clients)
        defer { if isLent { endLending(clients) } }
        return try body()
    }

    private func beginLending(_ clients: [ClientKey]) -> Bool {
        enum Next { case nothing, wake, start }
        let (isLent, next): (Bool, Next) = state.withLock { state in
            if state.lentThreads >= maxLent { return (false, .nothing) }
            state.lentThreads += 1
            for client in clients { state.running.decrement(client) }
            if state.jobs.isEmpty { return (true, .nothing) }
            guard state.waitingJobs > 0, state.countedThreads < maxThreads else { return (true, .wake) }
            state.addThread()
            return (true, .start)
        }
        switch next {
        case .nothing: break
        case .wake: state.wakeOne()
        case .start: startThread()
        }
        return isLent
    }

    private func endLending(_ clients: [ClientKey]) {
        state.withLock { state in
            state.lentThreads -= 1
            for client in clients { state.running[client, default: 0] += 1 }
        }
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
        InterruptibleWaits.admitThread()
        var isWanted = true
        while isWanted, let job = awaitJob() {
            job.run()
            isWanted = becomeIdle(after: job)
        }
        // Another thread may get the same stack.
        SystemThread.wipeStack()
    }

    /// False: this thread is to end. One that came back from `blocking` may be one too many.
    private func becomeIdle(after job: JobQueue.Entry) -> Bool {
        let (isWanted, leavesJobs) = state.withLock { state in
            for client in job.clients { state.running.decrement(client) }
            if state.countedThreads > maxThreads {
                state.threads -= 1
                return (false, !state.jobs.isEmpty)
            }
            state.idleThreads += 1
            return (true, false)
        }
        // This one's end may have given another job its turn.
        if leavesJobs { state.wakeOne() }
        return isWanted
    }

    private func awaitJob() -> JobQueue.Entry? {
        state.wait(until: .after(Self.idleLife)) { state in takeJob(&state) } ?? endOrTakeLast()
    }

    /// the first of a client that has not its share of threads already.
    private func takeJob(_ state: inout State) -> JobQueue.Entry? {
        let running = state.running
        guard let job = state.jobs.take(where: { mayRun($0, running) }) else { return nil }
        state.idleThreads -= 1
        for client in job.clients { state.running[client, default: 0] += 1 }
        return job
    }

    /// After a wait that ran out: a job that came in the same moment, or the thread's end.
    private func endOrTakeLast() -> JobQueue.Entry? {
        state.withLock { state in
            if let job = takeJob(&state) { return job }
            state.idleThreads -= 1
            state.threads -= 1
            return nil
        }
    }
}
