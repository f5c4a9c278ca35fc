import Glibc
import SystemIO
import Testing

@Suite struct ProcessTests {
    /// Runs a shell with one end of a pair as its descriptor 3; gives what it wrote there, and its end.
    private func run(_ script: String) throws -> (said: String, end: ProcessEnd) {
        let pair = try DescriptorPair.messageSockets()
        let process: Int32
        let near: MessageSocket
        do {
            let (first, second) = pair.split()
            near = MessageSocket(owning: first)
            let theirs = Descriptor(owning: second)
            process = try ChildProcess.spawn("/bin/sh", arguments: ["-c", script], passing: theirs.number, as: 3)
        }
        var said = ""
        while case .message(let bytes, _) = near.receive(waiting: true) { said += String(decoding: bytes, as: UTF8.self) }
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
        return (said, ProcessEnd(waitStatus: status))
    }

    @Test func aChildHasItsDescriptorAndTellsHowItEnded() throws {
        let (said, end) = try run("printf hello >&3; exit 7")
        #expect(said == "hello")
        #expect(end == .exited(code: 7))
        #expect(end.description == "exited with code 7")
    }

    @Test func aChildEndedByASignalSaysWhich() throws {
        let (_, end) = try run("kill -SEGV $$")
        #expect(end == .signaled(number: SIGSEGV))
        #expect(end.description == "was ended by SIGSEGV")
    }

    @Test func aChildInheritsNothingElse() throws {
        // A descriptor of ours, high enough that the shell has none of that number itself.
        let other = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 77)
        defer { close(other) }
        let (said, _) = try run("if [ -e /proc/self/fd/\(other) ]; then printf leaked >&3; else printf none >&3; fi")
        #expect(said == "none")
    }

    @Test func aProgramThatIsNotThereCanNotBeStarted() throws {
        #expect(throws: SystemError.self) {
            try ChildProcess.spawn("/nowhere/at-all", arguments: [], passing: STDERR_FILENO, as: 3)
        }
    }

    @Test(arguments: [(SIGKILL, "SIGKILL"), (SIGTERM, "SIGTERM"), (SIGABRT, "SIGABRT"), (SIGSYS, "SIGSYS")])
    func signalsHaveTheirNames(number: Int32, name: String) { #expect(Signal.name(number) == name) }

    @Test func aNumberWithoutANameIsToldAsANumber() { #expect(Signal.name(4_000) == "signal 4000") }
}
