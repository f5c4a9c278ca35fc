import Glibc
import SystemIO
import Testing

/// Runs `body` in a fork of this process, which has one thread then, and gives what it answers: an
/// errno, 0 for success, or what it likes. 255: it threw.
func inFork(_ body: () throws -> Int32, sourceLocation: SourceLocation = #_sourceLocation) throws -> Int32 {
    let child = try ChildProcess.fork()
    if child == 0 {
        // A thread of the test runner's holds signals back.
        ChildProcess.unblockSignals()
        do {
            ChildProcess.exit(try body())
        } catch {
            StandardError.write(Array("in a fork: \(error)\n".utf8))
            ChildProcess.exit(255)
        }
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    guard case .exited(let code) = ProcessEnd(waitStatus: status) else {
        Issue.record("the fork \(ProcessEnd(waitStatus: status))", sourceLocation: sourceLocation)
        return -1
    }
    return code
}

/// In a fork that is confined to `rules`.
func confined(
    _ rules: SandboxRules, _ bounds: ProcessBounds = .init(memoryBytes: nil, fileBytes: nil, descriptors: 256),
    keeping: [Int32] = [], sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Int32
) throws -> Int32 {
    try inFork({
        try Sandbox.enter(rules, bounds, keeping: keeping, isRequired: true)
        return try body()
    }, sourceLocation: sourceLocation)
}

/// errno of a call that failed, 0 of one that did not.
func failure(_ result: some SignedInteger) -> Int32 { result < 0 ? errno : 0 }

func openAndClose(_ path: String, _ flags: Int32) -> Int32 {
    let number = open(path, flags | O_CLOEXEC, 0o644)
    let error = failure(number)
    if number >= 0 { close(number) }
    return error
}

/// The same for a socket.
func makeSocket(_ family: Int32, _ type: UInt32, _ number: Int32 = 0) -> Int32 {
    let socket = socket(family, Int32(type), number)
    let error = failure(socket)
    if socket >= 0 { close(socket) }
    return error
}

/// Connects to a port of loopback, or listens there.
func reach(_ port: UInt16, listening: Bool = false) -> Int32 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if socket < 0 { return errno }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return failure(listening ? bind(socket, $0, length) : connect(socket, $0, length))
        }
    }
}
