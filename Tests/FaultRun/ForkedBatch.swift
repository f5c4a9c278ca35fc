import Glibc
import PatternedMemory
import StreamWriter
import SystemIO

/// One thing to try.
struct Case {
    let name: String
    /// What came out, shortened to a digest.
    let run: () throws -> String
}

/// Cases one after the other in a fork, and in another from the next one on where it died.
struct ForkedBatch {
    /// Seconds of work a case may take, and seconds that may pass where others work too; after them it
    /// counts as one that does not end.
    private static let workLimit = 10
    private static let timeLimit: UInt32 = 90
    /// Seconds of work for all cases together; most take one. What is left then is a line as well.
    private static let batchLimit = 40.0
    private static let memoryLimit: rlim_t = 6 << 30
    /// After so many deaths nobody looks at the rest.
    private static let mostDeaths = 5
    private static let outOfTime: Int32 = 75

    let name: String
    let cases: [Case]

    func run() {
        var next = 0
        var deaths = 0
        let before = Self.work(RUSAGE_CHILDREN)
        while next < cases.count {
            let (done, status) = runFork(from: next, workBefore: Self.work(RUSAGE_CHILDREN) - before)
            next += done
            guard next < cases.count else { break }
            let isOutOfTime = status == Self.outOfTime << 8
            let cause = isOutOfTime ? "\(cases.count - next) cases are left after \(Int(Self.batchLimit)) s of work" : Self.cause(status)
            Self.put(Array("\(name) \(cases[next].name)\t\(cause)\n".utf8), to: 1)
            next += 1
            deaths += 1
            if deaths == Self.mostDeaths || isOutOfTime { break }
        }
    }

    private static func work(_ whose: __rusage_who) -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(whose.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// How many cases had an end, and how the fork had one.
    private func runFork(from first: Int, workBefore: Double) -> (done: Int, status: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0, let process = try? ChildProcess.fork() else { fatalError("no process") }
        if process == 0 {
            close(ends[0])
            runHere(from: first, to: ends[1], workBefore)
        }
        close(ends[1])
        var done = 0
        // What a case that died had written of its line is not one.
        var lines: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count <= 0 { break }
            lines += buffer.prefix(count)
            guard let end = lines.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            Self.put(Array(lines[...end]), to: 1)
            done += lines[...end].count { $0 == UInt8(ascii: "\n") }
            lines.removeSubrange(...end)
        }
        close(ends[0])
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return (done, status)
    }

    private func runHere(from first: Int, to output: Int32, _ workBefore: Double) -> Never {
        var limit = rlimit(rlim_cur: Self.memoryLimit, rlim_max: Self.memoryLimit)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
        let null = open("/dev/null", O_WRONLY)
        dup2(null, 2)
        var overruns = patterned_memory_overruns()
        for item in cases[first...] {
            if workBefore + Self.work(RUSAGE_SELF) > Self.batchLimit { _exit(Self.outOfTime) }
            Self.limitTime(work: Self.workLimit, all: Self.timeLimit)
            Unwritten.fillStack()
            var result: String
            do { result = try item.run() } catch { result = "refused: \((error as? StreamWriterError)?.message ?? "\(error)")" }
            Self.limitTime(work: 0, all: 0)
            let now = patterned_memory_overruns()
            if now != overruns { result += " overran" }
            overruns = now
            Self.put(Array("\(name) \(item.name)\t\(result)\n".utf8), to: output)
        }
        _exit(0)
    }

    private static func limitTime(work: Int, all: UInt32) {
        var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: work, tv_usec: 0))
        setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
        alarm(all)
    }

    private static func put(_ bytes: [UInt8], to descriptor: Int32) {
        var left = bytes[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { _exit(1) }
            left = left.dropFirst(count)
        }
    }

    private static func cause(_ status: Int32) -> String {
        let signal = status & 0x7F
        if signal == SIGALRM || signal == SIGPROF { return "did not end" }
        return signal == 0 ? "exited with \(status >> 8)" : "signal \(signal)"
    }
}

/// The pattern of what nobody has written.
enum Unwritten {
    nonisolated(unsafe) static var byte: UInt8 = 0

    static func fillStack() { patterned_stack_fill(byte) }
}
