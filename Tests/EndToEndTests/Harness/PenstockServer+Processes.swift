import Foundation
import Testing

/// The server's processes, to measure and to hurt.
extension PenstockServer {
    /// The server's processes that are at something: none that has ended, and no encoder without a writer.
    var processesAtWork: [pid_t] {
        Self.processes(marked: marker).filter { !Self.isGone($0) && Self.name(of: $0) != "spare encoder" }
    }

    var pid: pid_t { process.pid }

    /// The fork server now: the process of this server that is neither gateway nor encoder.
    func forkServer() async throws -> pid_t {
        var found: pid_t?
        _ = try await eventually {
            found = Self.processes(marked: marker).first { Self.name(of: $0) == "penstock-encode" && !Self.isGone($0) }
            return found != nil
        }
        return try #require(found)
    }

    /// Sends a signal that ends the gateway, and waits for its end and that of all its encoders.
    func end(by signal: Int32, within seconds: Double = 40) async throws -> ProcessEnd {
        process.signal(signal)
        let end = try await process.ended(within: seconds)
        let allGone = await log.ended(within: seconds)
        #expect(allGone, "still there: \(Self.processes(marked: marker))\n\(log.text)")
        return end
    }

    /// /proc's name of a process: at most 15 characters.
    static func name(of pid: pid_t) -> String? {
        (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.trimmingCharacters(in: .newlines)
    }

    /// Whether a process has ended, reaped or not.
    static func isGone(_ pid: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return true }
        return stat[end...].dropFirst(2).first == "Z"
    }

    /// VmRSS of a process.
    static func residentBytes(of pid: pid_t) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let match = try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/))
        return (Int(match.1) ?? 0) * 1024
    }

    /// That the server does what it is for: a writer is made, takes a chunk and is closed.
    func expectWell(_ context: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
        let id = try await createWriter(
            ["format": "wav", "streams": [audio], "open": true], sourceLocation: sourceLocation)
        try await sendChunk(Data(count: 1_600), to: id, stream: 0, sourceLocation: sourceLocation)
        let closed = try await finalize(id, sourceLocation: sourceLocation)
        #expect(closed["streams"][0]["frames"] == 800, context, sourceLocation: sourceLocation)
        let deleted = try await curl("DELETE", "/v1/writers/\(id)")
        #expect(deleted.isDeleted, context, sourceLocation: sourceLocation)
    }
}
