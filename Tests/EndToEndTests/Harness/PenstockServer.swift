import Foundation
import Testing

/// The real `penstock serve` on a free port, with folders of its own.
final class PenstockServer: Sendable {
    let port: Int
    let folder: TemporaryFolder
    let log: ServerLog
    let process: ChildProcess
    /// In the environment of every process of this server and of no other.
    let marker: String

    var address: String { "http://127.0.0.1:\(port)" }
    var outputFolder: String { folder / "output" }

    /// Starts a server and waits until it listens. Give the folder of an earlier one to restart it;
    /// `descriptors` is how many the gateway may have open; `wrapper` a program that starts it;
    /// `encoder` a program to run in place of `penstock-encoder`.
    static func start(
        _ options: [String] = [], in folder: TemporaryFolder? = nil, environment: [String: String] = [:],
        descriptors: Int? = nil, under wrapper: [String] = [], encoder: String? = nil
    ) async throws -> PenstockServer {
        let folder = try folder ?? TemporaryFolder()
        let marker = UUID().uuidString
        let arguments =
            ["serve", "--port", "0", "--output-dir", folder / "output", "--state-dir", folder / "state"] + options
        let (process, log) = try launch(
            arguments, environment.merging(["TEST_OF_SERVER": marker]) { $1 }, descriptors: descriptors,
            under: wrapper, program: try encoder.map { try program(with: $0, in: folder) })
        guard let line = await log.line(containing: "listening", within: 20) else {
            process.signal(SIGKILL)
            throw HarnessError("the server does not listen; it said:\n\(log.text)")
        }
        guard let match = line.firstMatch(of: /http:\/\/[^\s"\\]*:(\d+)/), let port = Int(match.1) else {
            process.signal(SIGKILL)
            throw HarnessError("no port in: \(line)")
        }
        return PenstockServer(port: port, folder: folder, log: log, process: process, marker: marker)
    }

    /// Starts `penstock` with exactly these arguments.
    static func launch(
        _ arguments: [String], _ environment: [String: String] = [:], descriptors: Int? = nil,
        under wrapper: [String] = [], program: String? = nil
    ) throws -> (process: ChildProcess, log: ServerLog) {
        var ends: [Int32] = [0, 0]
        // Not pipe(2): only this closes itself in programs that other tests start meanwhile.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw HarnessError("socketpair: \(String(cString: strerror(errno)))")
        }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(null)
            close(ends[1])
        }
        let log = ServerLog(readingFrom: ends[0])
        var command = wrapper + [program ?? Repository.programs + "/penstock"] + arguments
        if let descriptors { command = ["/bin/sh", "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\""] + command }
        let process = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: environment, input: null, output: null, error: ends[1])
        return (process, log)
    }

    /// The gateway finds its encoder beside itself: a copy of it with another one there.
    private static func program(with encoder: String, in folder: TemporaryFolder) throws -> String {
        let programs = folder / "programs"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Repository.programs + "/penstock", toPath: programs + "/penstock")
        try FileManager.default.copyItem(atPath: encoder, toPath: programs + "/penstock-encoder")
        return programs + "/penstock"
    }

    private init(port: Int, folder: TemporaryFolder, log: ServerLog, process: ChildProcess, marker: String) {
        self.port = port
        self.folder = folder
        self.log = log
        self.process = process
        self.marker = marker
    }

    /// Only a test that threw leaves a server to this.
    deinit { process.signal(SIGTERM) }

    /// SIGTERM; then the exit code must be 0 and no process of the server be left.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        process.signal(SIGTERM)
        let end = try await process.ended(within: 60)
        #expect(end == .exited(0), "the server said:\n\(log.text)", sourceLocation: sourceLocation)
        let allGone = await log.ended(within: 20)
        #expect(allGone, "processes hold the log: \(Self.processes(marked: marker))", sourceLocation: sourceLocation)
        #expect(Self.processes(marked: marker) == [], sourceLocation: sourceLocation)
    }

    /// Every process with `marker` in its environment, as it was when it was started.
    static func processes(marked marker: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            guard pid != getpid(), let environment = try? wholeFile("/proc/\(pid)/environ")
            else { return false }
            return environment.range(of: Data(marker.utf8)) != nil
        }
    }
}

/// Runs `body` against a server and stops it, whatever happens.
func withServer<Value>(
    _ options: [String] = [], in folder: TemporaryFolder? = nil, environment: [String: String] = [:],
    under wrapper: [String] = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (PenstockServer) async throws -> Value
) async throws -> Value {
    let server = try await PenstockServer.start(options, in: folder, environment: environment, under: wrapper)
    do {
        let value = try await body(server)
        try await server.stop(sourceLocation: sourceLocation)
        return value
    } catch {
        try? await server.stop(sourceLocation: sourceLocation)
        throw error
    }
}
