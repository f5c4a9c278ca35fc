import Gateway
import Glibc
import Logging
import SystemIO
import Testing
import Threading
import WriterModel

/// What the fork server says of processes, which the gateway may one day kill.
@Suite struct ForkServerTrustTests {
    /// Names processes by the messages it is given, then waits for its end.
    private static let script = """
        import os, signal, socket, sys
        s = socket.socket(fileno=3)
        child = os.fork()
        if child == 0:
            s.close()
            signal.pause()
        for text in sys.argv[1:]:
            s.send(text.replace("CHILD", str(child)).encode())
        while s.recv(100): pass
        os.kill(child, 9)
        os.waitpid(child, 0)
        """

    @Test func onlyChildrenOfTheForkServerAreEncoders() throws {
        let lines = LogLines()
        let reports = Monitor<[String]>([])
        let loop = try EventLoop()
        try SystemThread.start(name: "loop") { loop.run() }
        defer { loop.stop() }
        let words = ["forked a CHILD", "forked b 1", "forked c 0", "forked d -1", "forked e \(getppid())", "forked f CHILD", "failed g x", "forked h 2000000000"]
        let client = try ForkServerClient(
            executable: "/usr/bin/env", arguments: ["python3", "-c", Self.script] + words, loop: loop, log: Logger(label: "test") { _ in lines }
        ) { report in
            switch report {
            case .forked(let subject, _): reports.change { $0.append(subject.word) }
            case .forkFailed(let subject, _): reports.change { $0.append("-" + subject.word) }
            case .ended, .unwanted: break
            }
        }
        #expect(reports.wait(until: .after(.seconds(60))) { $0.last == "h" ? true : nil } == true)
        // Of one that has ended nothing is known, and its end is told next.
        #expect(reports.withLock { $0 } == ["a", "f", "-g", "h"])
        #expect(lines.all.count { $0.contains("none of its own") } == 4)
        client.stop()
    }

    /// Its clients were told some seconds later that no encoder could be started.
    @Test func whatALostForkServerWasAskedForIsToldAtOnce() throws {
        let reports = Monitor<[String]>([])
        let loop = try EventLoop()
        try SystemThread.start(name: "loop") { loop.run() }
        defer { loop.stop() }
        let client = try ForkServerClient(
            executable: "/usr/bin/env", arguments: ["python3", "-c", "import socket; socket.socket(fileno=3).recv(100)"], loop: loop,
            log: Logger(label: "test") { _ in LogLines() }
        ) { report in
            if case .forkFailed(let subject, _) = report { reports.change { $0.append(subject.word) } }
        }
        let control = Descriptor(owning: dup(2))
        #expect(client.fork(.encoder(WriterID("a")!), passing: control, for: .client(nil)) { true })
        #expect(client.fork(.carrier(WriterID("a")!, serial: 7), passing: control, for: .client(nil)) { true })
        #expect(reports.wait(until: .after(.seconds(60))) { $0.count >= 2 ? true : nil } == true)
        #expect(reports.withLock { $0.prefix(2).sorted() } == ["a", "a#7"])
        client.stop()
    }
}
