import Glibc
import Synchronization
import SystemIO
import Testing
import Threading

/// What a process goes on with after fork(2).
@Suite struct ForkTests {
    private final class Shared: Sendable {
        let count = Mutex(0)
        let isWaiting = Atomic(false)
        let isDone = Atomic(false)
    }

    /// Swift's Mutex knows its owner by the id of its thread, which another one has in the child.
    @Test func lockThatTheFirstThreadHoldsIsWaitedForByOthers() throws {
        let shared = Shared()
        // The id of this thread is kept from here on.
        shared.count.withLock { $0 = 1 }
        let code = try inFork {
            shared.count.withLock { count in
                try? SystemThread.start(name: "second") {
                    shared.isWaiting.store(true, ordering: .releasing)
                    shared.count.withLock { $0 += 1 }
                    shared.isDone.store(true, ordering: .releasing)
                }
                let limit = Deadline.after(.seconds(60))
                while !shared.isWaiting.load(ordering: .acquiring) && !limit.hasPassed { SystemThread.sleep(.milliseconds(1)) }
                // It asks the kernel for the lock by then.
                SystemThread.sleep(.milliseconds(200))
                count += 1
            }
            let limit = Deadline.after(.seconds(60))
            while !shared.isDone.load(ordering: .acquiring) && !limit.hasPassed { SystemThread.sleep(.milliseconds(1)) }
            return Int32(shared.count.withLock { $0 })
        }
        #expect(code == 3)
    }
}
