import Glibc
import Synchronization
import Testing
import Threading

@Suite struct ThreadTests {
    private static var ownName: String {
        guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 64)
        let count = fread(&line, 1, line.count, file)
        return String(decoding: line[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
    }

    private static var stackBytes: Int {
        typealias Getter = @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> Int32
        var attributes = pthread_attr_t()
        guard let getter = dlsym(nil, "pthread_getattr_np") else { return -1 }
        guard unsafeBitCast(getter, to: Getter.self)(pthread_self(), &attributes) == 0 else { return -1 }
        defer { pthread_attr_destroy(&attributes) }
        var size = 0
        pthread_attr_getstacksize(&attributes, &size)
        return size
    }

    /// The kernel refuses a longer name instead of cutting it.
    @Test(arguments: [("worker", "worker"), ("a-name-longer-than-15", "a-name-longer-t")])
    func aThreadHasItsName(given: String, kept: String) throws {
        let name = Mutex("")
        try WorkerThread(name: given) { name.withLock { $0 = Self.ownName } }.join()
        #expect(name.withLock { $0 } == kept)
    }

    /// The C library may give it a larger one, of a thread that has ended.
    @Test func aThreadHasTheStackThatWasAskedFor() throws {
        let bytes = Atomic(0)
        let wanted = 3 * SystemThread.usualStackBytes
        try WorkerThread(name: "large", stackBytes: wanted) { bytes.store(Self.stackBytes, ordering: .relaxed) }.join()
        let size = bytes.load(ordering: .relaxed)
        #expect(size >= wanted)
    }

    @Test func joiningWaitsForTheEnd() throws {
        let isDone = Atomic(false)
        try WorkerThread(name: "late") {
            SystemThread.sleep(.milliseconds(20))
            isDone.store(true, ordering: .relaxed)
        }.join()
        let wasDone = isDone.load(ordering: .relaxed)
        #expect(wasDone)
    }

    @Test func aThreadThatTheSystemDoesNotGiveIsAnErrorAndDoesNotRun() {
        let has = Atomic(false)
        let tooMuch = 1 << 50
        #expect(throws: SystemThread.Unavailable.self) {
            try SystemThread.start(name: "huge", stackBytes: tooMuch) { has.store(true, ordering: .relaxed) }
        }
        #expect(throws: SystemThread.Unavailable.self) {
            _ = try WorkerThread(name: "huge", stackBytes: tooMuch) { has.store(true, ordering: .relaxed) }
        }
        let hasRun = has.load(ordering: .relaxed)
        #expect(!hasRun)
    }

    @Test func aConditionLockWakesAllThatWait() throws {
        let condition = ConditionLock()
        nonisolated(unsafe) var (waiting, awake, tickets) = (0, 0, 0)
        let threads = try (0..<3).map { _ in
            try WorkerThread(name: "waiter") {
                condition.withLock {
                    waiting += 1
                    condition.wakeAll()
                    while tickets == 0 { condition.wait() }
                    (tickets, awake) = (tickets - 1, awake + 1)
                    condition.wakeAll()
                }
            }
        }
        condition.withLock {
            while waiting < 3 { condition.wait() }
            tickets = 3
            condition.wakeAll()
            while awake < 3 { condition.wait() }
        }
        for thread in threads { thread.join() }
        #expect(tickets == 0)
    }

    @Test func aDeadlineFarAwayIsNever() {
        #expect(Deadline.after(.seconds(Int64.max)) == .never)
        #expect(!Deadline.never.hasPassed)
        #expect(Deadline.past.hasPassed)
        #expect(Deadline.after(.seconds(1)) < .after(.seconds(2)))
    }
}
