import Foundation

/// A program beside the server that runs until it ends by itself or is told to.
final class Peer: Sendable {
    private let process: ChildProcess
    private let folder: TemporaryFolder

    /// Starts `program`. Its standard output goes to a file, its errors to another.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        let streams = [
            open("/dev/null", O_RDONLY | O_CLOEXEC),
            open(folder / "out", O_RDWR | O_CREAT | O_CLOEXEC, 0o600),
            open(folder / "err", O_RDWR | O_CREAT | O_CLOEXEC, 0o600),
        ]
        defer { for stream in streams { close(stream) } }
        process = try ChildProcess(
            program, arguments, environment: environment, input: streams[0], output: streams[1], error: streams[2])
    }

    /// ffmpeg, saying only what goes wrong.
    static func ffmpeg(_ arguments: [String]) throws -> Peer {
        try Peer("ffmpeg", ["-nostdin", "-hide_banner", "-v", "error", "-y"] + arguments)
    }

    deinit { process.signal(SIGKILL) }

    var output: String { text("out") }
    var errors: String { text("err") }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: folder / name) ?? Data(), as: UTF8.self)
    }

    @discardableResult
    func ended(within seconds: Double = 30) async throws -> ProcessEnd { try await process.ended(within: seconds) }

    func stop(with signal: Int32 = SIGTERM) async throws {
        process.signal(signal)
        try await process.ended(within: 20)
    }
}

/// Polls for what nothing announces; throws when it does not come.
func eventually(_ what: String, within seconds: Double = 20, _ condition: () async throws -> Bool) async throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while try await !condition() {
        guard Date() < deadline else { throw HarnessError("\(what) did not come within \(seconds) s") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A port of this machine's loopback, and whether somebody has it.
struct LoopbackPort: Sendable {
    enum Kind: Int32, Sendable { case tcp = 1, udp = 2 }

    let number: Int
    let kind: Kind

    /// One that was free a moment ago.
    static func free(_ kind: Kind = .tcp) throws -> LoopbackPort {
        let socket = socket(AF_INET, kind.rawValue | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
            }
        }
        guard result == 0 else { throw HarnessError("bind: \(String(cString: strerror(errno)))") }
        return LoopbackPort(number: Int(UInt16(bigEndian: address.sin_port)), kind: kind)
    }

    /// Waits until a program has bound it, without connecting to it.
    func isTaken() async throws {
        try await eventually("a program at port \(number)") { hasListener }
    }

    /// Whether a program has bound it now.
    var hasListener: Bool {
        let (table, state) = kind == .tcp ? ("tcp", "0A") : ("udp", "07")
        return [("", 8), ("6", 32)].contains { suffix, digits in
            // Thousands of connections that have ended are in it, too: looked through as bytes.
            let nobody = String(repeating: "0", count: digits) + ":0000"
            let listener = String(format: ":%04X ", number) + "\(nobody) \(state) "
            let sockets = try? wholeFile("/proc/net/\(table)\(suffix)")
            return sockets?.range(of: Data(listener.utf8)) != nil
        }
    }
}
