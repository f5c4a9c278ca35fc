import CLinux
import Glibc
import Synchronization
import Threading

/// Readiness of many descriptors on one thread (epoll). Callbacks run on the thread that
/// called `run()` and must not block; everything else may be called from any thread.
public final class EventLoop: Sendable {
    /// Names one watch: descriptor numbers are reused, tokens are not.
    public struct Token: Hashable, Sendable {
        let value: UInt64
    }

    /// What a watch is for. Each also hears of a connection that broke.
    public enum Interest: Sendable {
        /// Something to read, or the peer's end.
        case readable
        /// Room to write.
        case writable
        /// The peer's end, and nothing else.
        case hangUp

        fileprivate var events: Int32 {
            switch self {
            case .readable: Int32(clinux_epoll_readable)
            case .writable: Int32(clinux_epoll_writable)
            case .hangUp: Int32(clinux_epoll_hang_up)
            }
        }
    }

    private struct State {
        var watches: [UInt64: @Sendable () -> Void] = [:]
        var jobs: [@Sendable () -> Void] = []
        var everySecond: [@Sendable () -> Void] = []
        /// The earliest first.
        var later: [(deadline: Deadline, job: @Sendable () -> Void)] = []
        var nextToken: UInt64 = 1
        var stopping = false
        var hasEnded = false
    }

    private let poller: Int32
    private let wake: Int32
    private let state = Mutex(State())
    /// The thread that runs it; 0 while none does.
    private let thread = Atomic<UInt>(0)
    private static let wakeToken: UInt64 = 0

    public init() throws(SystemError) {
        poller = clinux_epoll_create()
        if poller < 0 { throw SystemError("make an event loop") }
        wake = clinux_eventfd()
        if wake < 0 {
            let error = SystemError("make an event loop")
            close(poller)
            throw error
        }
        try add(wake, .readable, token: Self.wakeToken)
    }

    deinit {
        close(poller)
        close(wake)
    }

    /// Calls `onReady` whenever `descriptor` is as `interest` says, until the watch is ended.
    public func watch(
        _ descriptor: Int32, for interest: Interest = .readable, _ onReady: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Token {
        let value = state.withLock { state in
            let value = state.nextToken
            state.nextToken += 1
            state.watches[value] = onReady
            return value
        }
        do {
            try add(descriptor, interest, token: value)
        } catch {
            state.withLock { _ = $0.watches.removeValue(forKey: value) }
            throw error
        }
        return Token(value: value)
    }

    /// Ends a watch. Call it before the descriptor is closed or given away.
    public func unwatch(_ descriptor: Int32, _ token: Token) {
        var unused = epoll_event()
        epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &unused)
        state.withLock { _ = $0.watches.removeValue(forKey: token.value) }
    }

    /// Runs `job` on the loop's thread, soon; never, and lets go of it, once the loop has ended.
    public func post(_ job: @escaping @Sendable () -> Void) {
        let first = state.withLock { state in
            if state.hasEnded { return false }
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        if first { wakeUp() }
    }

    /// Runs `job` on the loop's thread once `deadline` has passed; never, and lets go of it, once the loop has ended.
    public func post(at deadline: Deadline, _ job: @escaping @Sendable () -> Void) {
        let isNext = state.withLock { state in
            if state.hasEnded { return false }
            // Most come in the order of their deadlines.
            let place = state.later.lastIndex { $0.deadline <= deadline }.map { $0 + 1 } ?? 0
            state.later.insert((deadline, job), at: place)
            return place == 0
        }
        if isNext { wakeUp() }
    }

    /// Runs `job` on the loop's thread about once a second.
    public func everySecond(_ job: @escaping @Sendable () -> Void) {
        state.withLock { $0.everySecond.append(job) }
    }

    /// Whether this is the thread that runs the loop, or none runs it.
    package var isOnLoop: Bool {
        let thread = thread.load(ordering: .relaxed)
        return thread == 0 || thread == UInt(pthread_self())
    }

    /// For what only the loop's thread may do, and any thread while the loop does not run.
    public func preconditionOnLoop() {
        precondition(isOnLoop, "this is to be done on the event loop's thread")
    }

    public func stop() {
        state.withLock { $0.stopping = true }
        wakeUp()
    }

    /// Serves until `stop()`, once; then lets go of every callback.
    public func run() {
        let capacity = 256
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        defer { thread.store(0, ordering: .relaxed) }
        var nextSecond = Deadline.after(.seconds(1))
        while !state.withLock({ $0.stopping }) {
            let next = min(nextSecond, state.withLock { $0.later.first?.deadline } ?? nextSecond)
            let count = epoll_wait(poller, events, Int32(capacity), next.pollTimeout)
            for index in 0..<max(0, Int(count)) { dispatch(events[index].data.u64) }
            runJobs()
            runLaterJobs()
            if nextSecond.hasPassed {
                for job in state.withLock({ $0.everySecond }) { job() }
                nextSecond = .after(.seconds(1))
            }
        }
        while runJobs() {}
        forgetAll()
    }

    /// What watches the loop usually holds the loop too: neither would ever go.
    private func forgetAll() {
        let forgotten = state.withLock { state in
            let forgotten = (state.watches, state.everySecond, state.jobs, state.later)
            (state.watches, state.everySecond, state.jobs, state.later) = ([:], [], [], [])
            state.hasEnded = true
            return forgotten
        }
        withExtendedLifetime(forgotten) {}
    }

    private func dispatch(_ token: UInt64) {
        if token == Self.wakeToken {
            var count: UInt64 = 0
            read(wake, &count, MemoryLayout<UInt64>.size)
            return
        }
        // Absent when an earlier event of this round ended the watch.
        state.withLock { $0.watches[token] }?()
    }

    /// Those that are there: what they post has its turn after the descriptors that are ready. False: there
    /// were none.
    @discardableResult
    private func runJobs() -> Bool {
        let jobs = state.withLock { state in
            let jobs = state.jobs
            state.jobs = []
            return jobs
        }
        for job in jobs { job() }
        return !jobs.isEmpty
    }

    /// Those whose time has come.
    private func runLaterJobs() {
        let due = state.withLock { state in
            let due = state.later.prefix { $0.deadline.hasPassed }
            state.later.removeFirst(due.count)
            return due
        }
        for (_, job) in due { job() }
    }

    private func add(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        if clinux_epoll_add(poller, descriptor, interest.events, token) < 0 {
            throw SystemError("watch a descriptor")
        }
    }

    private func wakeUp() {
        var one: UInt64 = 1
        write(wake, &one, MemoryLayout<UInt64>.size)
    }
}
