import Glibc
import Synchronization
import SystemIO
import Testing
import Threading

/// A process that is confined, has threads, and is confined further.
@Suite(.serialized) struct NarrowingTests {
    private static let threads = 30

    /// How many of 30 busy threads still open `path` and make a socket once the process is narrowed.
    private final class Busy: Sendable {
        let opened = Atomic<Int>(0)
        let connected = Atomic<Int>(0)
        let ready = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
        let isNarrowed = Atomic<Bool>(false)

        func run(_ index: Int, _ path: String) throws {
            try SystemThread.start(name: "busy") { [self] in
                if openAndClose(path, O_RDONLY) == 0 { ready.add(1, ordering: .relaxed) }
                var spins = 0
                while !isNarrowed.load(ordering: .acquiring) {
                    // Some turn, some wait in the kernel, some start a thread now and then.
                    switch index % 3 {
                    case 0: spins += 1
                    case 1: SystemThread.sleep(.milliseconds(50))
                    default:
                        try? SystemThread.start(name: "brief") { SystemThread.sleep(.milliseconds(1)) }
                        SystemThread.sleep(.milliseconds(100))
                    }
                }
                if openAndClose(path, O_RDONLY) == 0 { opened.add(1, ordering: .relaxed) }
                if makeSocket(AF_INET, SOCK_STREAM.rawValue) == 0 { connected.add(1, ordering: .relaxed) }
                finished.add(1, ordering: .relaxed)
            }
        }
    }

    @Test(arguments: 0..<5) func narrowingReachesEveryThread(round: Int) throws {
        let folder = TemporaryFolder()
        let outputs = try Directory(path: folder.path)
        try outputs.writeAtomically("file", [1])
        let path = folder.path + "/file"
        let wide = SandboxRules(
            places: [.path(folder.path, .change), .path("/proc/self", .read)], tcpPorts: .none, sockets: .tcp)
        let narrow = SandboxRules(places: [.path("/proc/self", .read)])
        let code = try confined(wide) {
            let busy = Busy()
            for index in 0..<Self.threads { try busy.run(index, path) }
            while busy.ready.load(ordering: .relaxed) < Self.threads { SystemThread.sleep(.milliseconds(1)) }
            try Sandbox.narrow(to: narrow)
            busy.isNarrowed.store(true, ordering: .releasing)
            while busy.finished.load(ordering: .relaxed) < Self.threads { SystemThread.sleep(.milliseconds(1)) }
            if openAndClose(path, O_RDONLY) != EACCES { return 100 }
            if makeSocket(AF_INET, SOCK_STREAM.rawValue) != EACCES { return 101 }
            // What a signal interrupted went on.
            return Int32(busy.opened.load(ordering: .relaxed) + busy.connected.load(ordering: .relaxed))
        }
        #expect(code == 0)
    }

    @Test func threadThatCanNotBeReachedFailsTheNarrowing() throws {
        let rules = SandboxRules(places: [.path("/proc/self", .read)])
        let code = try confined(rules) {
            let holder = Holder()
            try SystemThread.start(name: "deaf") {
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                holder.isReady.store(true, ordering: .releasing)
                while true { SystemThread.sleep(.seconds(1)) }
            }
            while !holder.isReady.load(ordering: .acquiring) { SystemThread.sleep(.milliseconds(1)) }
            do throws(SystemError) {
                try Sandbox.narrow(to: rules)
                return 0
            } catch { return error.number }
        }
        #expect(code == ETIMEDOUT)
    }

    private final class Holder: Sendable { let isReady = Atomic<Bool>(false) }
}
