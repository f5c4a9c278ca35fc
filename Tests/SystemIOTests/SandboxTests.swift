import CRawCall
import Glibc
import SystemIO
import Testing
import Threading

/// System calls, privileges, limits and descriptors of a confined process, on the running kernel.
@Suite struct SandboxTests {
    private let none = SandboxRules(places: [])

    @Test func thisKernelHasAllOfTheSandbox() {
        let report = SandboxReport.probe()
        #expect(report.missing == [])
        #expect(report.landlockABI >= 6)
    }

    @Test func olderKernelsNameWhatTheyLack() {
        #expect(SandboxReport(landlockABI: 7, filtersSystemCalls: true).missing == [])
        let debian12 = SandboxReport(landlockABI: 2, filtersSystemCalls: true)
        #expect(debian12.missingEssentials == [])
        #expect(debian12.missing.count == 4)
        for word in ["truncating", "TCP", "ioctl", "signals"] {
            #expect(debian12.missing.contains { $0.contains(word) }, "\(word)")
        }
        #expect(debian12.restrictsFiles && !debian12.restrictsTCP)
        let none = SandboxReport(landlockABI: 0, filtersSystemCalls: false)
        #expect(none.missing == none.missingEssentials)
        #expect(none.missing.count == 2)
    }

    @Test(arguments: [
        ("ptrace", 0), ("unshare", 0x1000_0000), ("bpf", 0), ("keyctl", 0), ("io_uring_setup", 0),
        ("perf_event_open", 0), ("userfaultfd", 0), ("mount", 0), ("setns", 0), ("personality", -1),
        ("kill", 0), ("pidfd_open", 1), ("process_vm_readv", 1), ("chroot", 0), ("memfd_create", -1),
        ("sched_setscheduler", 0), ("sched_setattr", 0), ("setpriority", 0),
    ])
    func callsThatReachFurtherAreRefused(call: String, argument: Int) throws {
        let refused = try confined(none) { raw_call(call, argument, 0, 0, 0) }
        // Not on the list, and answered by the kernel itself: the filter does not refuse everything.
        if call == "memfd_create" { #expect(refused == EFAULT) } else { #expect(refused == EPERM) }
    }

    @Test func newProcessIsRefusedAndNewThreadsAreNot() throws {
        #expect(try confined(none) { raw_call("clone", Int(SIGCHLD), 0, 0, 0) } == EPERM)
        #expect(try confined(none) { raw_call("clone3", 0, 0, 0, 0) } == ENOSYS)
        let code = try confined(none) {
            let pair = try DescriptorPair.messageSockets().split()
            let (near, far) = (MessageSocket(owning: pair.0), MessageSocket(owning: pair.1))
            try SystemThread.start(name: "new") { _ = far.send([7]) }
            guard case .message(let bytes, _) = near.receive(waiting: true) else { return 1 }
            return bytes == [7] ? 0 : 2
        }
        #expect(code == 0)
    }

    /// The kernel looks at the lower half of the register only.
    @Test func requestIsRefusedWhateverTheUpperHalfOfItsRegister() throws {
        let tiocsti = 0x5412
        for request in [tiocsti, tiocsti | 1 << 32] {
            #expect(try confined(none) { raw_call("ioctl", 0, request, 0, 0) } == EPERM)
        }
        let rules = SandboxRules(places: [], sockets: .local)
        for family in [Int(AF_INET), Int(AF_INET) | 1 << 32, Int(AF_NETLINK), Int(AF_NETLINK) | 1 << 32] {
            #expect(try confined(rules) { raw_call("socket", family, 1, 0, 0) } == EACCES)
        }
    }

    @Test func socketsAreOfTheKindsAllowed() throws {
        let (stream, datagram, raw) = (SOCK_STREAM.rawValue, SOCK_DGRAM.rawValue, SOCK_RAW.rawValue)
        let multipath: Int32 = 262
        let tcp = SandboxRules(places: [], tcpPorts: .all, sockets: .tcp)
        #expect(try confined(tcp) { makeSocket(AF_INET, stream) } == 0)
        #expect(try confined(tcp) { makeSocket(AF_INET, stream | SOCK_CLOEXEC.rawValue, 6) } == 0)
        #expect(try confined(tcp) { makeSocket(AF_INET, stream, multipath) } == EACCES)
        #expect(try confined(tcp) { makeSocket(AF_INET, datagram) } == EACCES)
        #expect(try confined(tcp) { makeSocket(AF_UNIX, stream) } == EACCES)
        let udp = SandboxRules(places: [], sockets: .datagrams)
        #expect(try confined(udp) { makeSocket(AF_INET6, datagram) } == 0)
        #expect(try confined(udp) { makeSocket(AF_INET, stream) } == EACCES)
        let local = SandboxRules(places: [], sockets: .local)
        #expect(try confined(local) { makeSocket(AF_UNIX, stream) } == 0)
        #expect(try confined(local) { makeSocket(AF_INET, datagram) } == EACCES)
        for rules in [tcp, udp, local, none] {
            #expect(try confined(rules) { makeSocket(AF_PACKET, raw) } == EACCES)
            #expect(try confined(rules) { makeSocket(AF_INET, raw) } == EACCES)
        }
        #expect(try confined(none) { makeSocket(AF_UNIX, stream) } == EACCES)
    }

    @Test func connectionItWasGivenCanNotBeTurnedElsewhere() throws {
        let listener = try Listener(host: "127.0.0.1", port: 0)
        let connection = try Socket.connect(host: "127.0.0.1", port: listener.address.port)
        defer { close(connection) }
        let code = try confined(none, keeping: [connection]) {
            var undone = sockaddr()
            undone.sa_family = sa_family_t(AF_UNSPEC)
            let error = failure(connect(connection, &undone, socklen_t(MemoryLayout<sockaddr>.size)))
            if error != EACCES { return error }
            var byte: UInt8 = 1
            if failure(send(connection, &byte, 1, 0x2000_0000)) != EPERM { return 1 }
            return send(connection, &byte, 1, 0) == 1 ? EACCES : 2
        }
        #expect(code == EACCES)
    }

    @Test func privilegesAreGoneForGood() throws {
        let output = TemporaryFolder()
        let path = output.path + "/status"
        let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(number) }
        let rules = SandboxRules(places: [.path("/proc/self", .read)])
        let code = try confined(rules, keeping: [number]) {
            let status = try File.read("/proc/self/status")
            return write(number, status, status.count) == status.count ? 0 : 1
        }
        #expect(code == 0)
        let status = String(decoding: try File.read(path), as: UTF8.self)
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000"] {
            #expect(status.contains(line), "\(status)")
        }
    }

    @Test func onlyKeptDescriptorsAreLeft() throws {
        let stray = (0..<3).map { _ in fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 40) }
        defer { for number in stray { close(number) } }
        // The whole suite has some thousand descriptors open at once: what is kept may lie anywhere below the bound.
        var bound = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &bound)
        let end = Int32(clamping: min(bound.rlim_cur, 1 << 20))
        let isThere: (Int32) -> Bool = { fcntl($0, F_GETFD) >= 0 }
        let code = try confined(none, keeping: [stray[1]]) {
            guard isThere(stray[1]) else { return 1 }
            return (3..<end).allSatisfy { $0 == stray[1] || !isThere($0) } ? 0 : 2
        }
        #expect(code == 0)
    }

    @Test func limitsHold() throws {
        let folder = TemporaryFolder()
        // The tests' process, of which these are copies, has some hundred megabytes itself.
        let bounds = ProcessBounds(memoryBytes: 2 << 30, fileBytes: 1 << 20, descriptors: 20)
        let rules = SandboxRules(places: [.path(folder.path, .change)])
        let memory = try confined(rules, bounds) {
            let large = mmap(nil, 3 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            if large != MAP_FAILED { return 0 }
            // What is only reserved is no memory.
            let reserved = mmap(nil, 8 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            return reserved == MAP_FAILED ? 1 : ENOMEM
        }
        #expect(memory == ENOMEM)
        let size = try confined(rules, bounds) {
            let file = open(folder.path + "/large", O_RDWR | O_CREAT, 0o600)
            let bytes = [UInt8](repeating: 1, count: 1 << 20)
            if write(file, bytes, bytes.count) != bytes.count { return 1 }
            return failure(write(file, bytes, 1))
        }
        #expect(size == EFBIG)
        let descriptors = try confined(rules, bounds) {
            var error: Int32 = 0
            for _ in 0..<20 where error == 0 { error = failure(dup(STDERR_FILENO)) }
            return error
        }
        #expect(descriptors == EMFILE)
        let core = try confined(rules, bounds) {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            return limit.rlim_max == 0 ? 0 : 1
        }
        #expect(core == 0)
    }
}
