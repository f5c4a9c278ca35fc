import Foundation
import Testing

/// Tests/Tools/slow-clients.py at work: a process that holds many slow connections.
final class SlowClients: Sendable {
    let count: Int
    private let process: ChildProcess
    private let output: ServerLog
    private let input: Int32

    /// nil when this machine does not let a process have so many descriptors.
    static func start(port: Int, _ kinds: KeyValuePairs<String, Int>) async throws -> SlowClients? {
        var output: [Int32] = [0, 0]
        var input: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &output) == 0, socketpair(AF_UNIX, kind, 0, &input) == 0 else {
            throw HarnessError("socketpair: \(String(cString: strerror(errno)))")
        }
        defer { for end in [output[1], input[1]] { close(end) } }
        let log = ServerLog(readingFrom: output[0])
        let process = try ChildProcess(
            "python3",
            [Repository.root + "/Tests/Tools/slow-clients.py", "\(port)"] + kinds.map { "\($0.key)=\($0.value)" },
            input: input[1], output: output[1], error: output[1])
        let clients = SlowClients(
            count: kinds.reduce(0) { $0 + $1.value }, process: process, output: log, input: input[0])
        if await log.line(containing: "ready", within: 60) != nil { return clients }
        if log.text.contains("short of descriptors") { return nil }
        process.signal(SIGKILL)
        throw HarnessError("the slow clients did not start: \(log.text)")
    }

    private init(count: Int, process: ChildProcess, output: ServerLog, input: Int32) {
        self.count = count
        self.process = process
        self.output = output
        self.input = input
    }

    deinit {
        close(input)
        process.signal(SIGKILL)
    }

    /// Closes every connection; how many of each kind the server had ended before.
    func stop() async throws -> [String: Int] {
        shutdown(input, Int32(SHUT_RDWR))
        let end = try await process.ended(within: 30)
        guard end == .exited(0), let line = await output.line(containing: "ended", within: 20) else {
            throw HarnessError("the slow clients failed: \(output.text)")
        }
        var counts: [String: Int] = [:]
        for word in line.split(separator: " ").dropFirst() {
            let parts = word.split(separator: "=")
            if parts.count == 2 { counts[String(parts[0])] = Int(parts[1]) }
        }
        return counts
    }
}
