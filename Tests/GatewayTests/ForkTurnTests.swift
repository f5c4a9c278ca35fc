import Gateway
import Glibc
import Logging
import SystemIO
import Testing
import Threading
import WriterModel

/// How forks are asked for when many are wanted.
@Suite struct ForkTurnTests {
    @Test func oneThatAsksForAThousandDelaysAnotherByOne() {
        var turns = ForkTurns<String>()
        for index in 0..<1_000 { turns.add("a\(index)", for: .name("a")) }
        turns.add("b0", for: .name("b"))
        turns.add("b1", for: .name("b"))
        turns.add("c0", for: .client(.address(1)))
        var begun: [String] = []
        while let next = turns.next() { begun.append(next) }
        #expect(begun == ["a0", "b0", "c0", "a1"])
        for _ in 0..<3 {
            turns.end()
            if let next = turns.next() { begun.append(next) }
        }
        #expect(begun.suffix(3) == ["b1", "a2", "a3"])
        #expect(turns.next() == nil)
    }

    /// A fork server: says what it was asked for when it has, or as late as it is told to.
    private static let script = """
        import os, socket, sys, time
        s = socket.socket(fileno=3)
        while True:
            message, descriptors, _, _ = socket.recv_fds(s, 1000, 1)
            for d in descriptors: os.close(d)
            if not message: break
            time.sleep(float(sys.argv[1]))
            s.send(b"failed " + message.split()[1] + b" played")
            if b"last-words" in message: break
        """

    private func run(
        pause: String, timeout: Duration, _ body: (ForkServerClient, Monitor<[String]>, LogLines) throws -> Void
    ) throws {
        let lines = LogLines()
        let reports = Monitor<[String]>([])
        let loop = try EventLoop()
        try SystemThread.start(name: "loop") { loop.run() }
        defer { loop.stop() }
        let client = try ForkServerClient(
            executable: "/usr/bin/env", arguments: ["python3", "-c", Self.script, pause], loop: loop,
            log: Logger(label: "test") { _ in lines }, timeout: timeout
        ) { report in
            switch report {
            case .forkFailed(let subject, _): reports.change { $0.append(subject.word) }
            case .unwanted(let subject): reports.change { $0.append("no " + subject.word) }
            case .forked, .ended: break
            }
        }
        try body(client, reports, lines)
        client.stop()
    }

    private func ask(_ client: ForkServerClient, _ id: String, for name: String, isWanted: Bool = true) throws {
        let (one, other) = try DescriptorPair.messageSockets().split()
        let control = Descriptor(owning: one)
        close(other)
        #expect(client.fork(.encoder(WriterID(id)!), passing: control, for: .name(name)) { isWanted })
    }

    @Test func aForkServerThatIsBusyIsNotTakenForOneThatHangs() throws {
        try run(pause: "0.5", timeout: .seconds(5)) { client, reports, lines in
            for index in 0..<12 { try ask(client, "a\(index)", for: "a") }
            #expect(reports.wait(until: .after(.seconds(60))) { $0.count == 12 ? true : nil } == true)
            #expect(reports.withLock { $0 } == (0..<12).map { "a\($0)" })
            #expect(!lines.all.contains { $0.contains("does not answer") }, "\(lines.all)")
        }
    }

    @Test func oneThatHangsIsEnded() throws {
        try run(pause: "60", timeout: .milliseconds(500)) { client, _, lines in
            try ask(client, "a", for: "a")
            let limit = Deadline.after(.seconds(60))
            while !lines.all.contains(where: { $0.contains("does not answer") }) && !limit.hasPassed { SystemThread.sleep(.milliseconds(20)) }
            #expect(!limit.hasPassed)
        }
    }

    @Test func whatIsAskedForWhileThereIsNoneWaitsForTheNext() throws {
        try run(pause: "0", timeout: .seconds(5)) { client, reports, _ in
            try ask(client, "last-words", for: "a")
            #expect(reports.wait(until: .after(.seconds(60))) { $0.count == 1 ? true : nil } == true)
            let limit = Deadline.after(.seconds(60))
            while client.isRunning && !limit.hasPassed { SystemThread.sleep(.milliseconds(1)) }
            try ask(client, "b", for: "a")
            #expect(reports.wait(until: .after(.seconds(60))) { $0.contains("b") ? true : nil } == true)
        }
    }

    @Test func whatWaitsForOneThatCannotBeStartedIsGivenUp() throws {
        let folder = TemporaryFolder(), program = folder.path + "/program"
        #expect(symlink("/usr/bin/true", program) == 0)
        let reports = Monitor<[String]>([])
        let loop = try EventLoop()
        try SystemThread.start(name: "loop") { loop.run() }
        defer { loop.stop() }
        let client = try ForkServerClient(
            executable: program, arguments: [], loop: loop, log: Logger(label: "test") { _ in LogLines() }, timeout: .seconds(5)
        ) { report in
            if case .forkFailed(let subject, let reason) = report { reports.change { $0.append("\(subject.word): \(reason)") } }
        }
        #expect(unlink(program) == 0)
        let limit = Deadline.after(.seconds(60))
        while client.isRunning && !limit.hasPassed { SystemThread.sleep(.milliseconds(1)) }
        try ask(client, "a", for: "a")
        #expect(reports.wait(until: .after(.seconds(60))) { $0.isEmpty ? nil : true } == true)
        #expect(reports.withLock { $0 } == ["a: there is no fork server"])
        let (one, other) = try DescriptorPair.messageSockets().split()
        close(other)
        #expect(!client.fork(.encoder(WriterID("b")!), passing: Descriptor(owning: one), for: .name("a")) { true })
        client.stop()
    }

    @Test func whatNobodyWaitsForIsNotForked() throws {
        try run(pause: "0.1", timeout: .seconds(5)) { client, reports, _ in
            for index in 0..<4 { try ask(client, "a\(index)", for: "a") }
            for index in 0..<40 { try ask(client, "gone\(index)", for: "a", isWanted: false) }
            try ask(client, "last", for: "a")
            #expect(reports.wait(until: .after(.seconds(60))) { $0.contains("last") ? true : nil } == true)
            #expect(reports.withLock { $0.count { $0.hasPrefix("no gone") } } == 40)
            #expect(reports.withLock { $0.filter { !$0.hasPrefix("no ") } } == ["a0", "a1", "a2", "a3", "last"])
        }
    }
}
