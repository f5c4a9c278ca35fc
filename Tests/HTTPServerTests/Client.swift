import Glibc
import SystemIO

/// A raw connection: bytes out, bytes in, a minute for each wait.
final class Client {
    let descriptor: Int32
    private(set) var sendFailed = false
    private var received: [UInt8] = []
    /// The connection was reset, or nothing came in time.
    private(set) var isBroken = false

    init(port: UInt16) throws {
        descriptor = try Socket.connect(host: "127.0.0.1", port: port)
        Socket.setNoDelay(descriptor)
    }

    deinit { _ = Descriptor(owning: descriptor) }

    func send(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes {
            if case .moved = Socket.sendAll(descriptor, $0, timeout: .seconds(60)) {} else { sendFailed = true }
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func finishSending() { Socket.shutDownWriting(descriptor) }

    /// All that comes until the server ends the connection.
    func rest() -> String {
        while receive() {}
        return take(received.count)
    }

    /// How much comes until the server ends the connection.
    func countRest() -> Int {
        var count = 0
        repeat {
            count += received.count
            received = []
        } while receive()
        return count
    }

    /// What comes, up to and with `end`; less when the connection ends first.
    func read(through end: String) -> String {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if let range = text.firstRange(of: end) { return take(text[..<range.upperBound].utf8.count) }
            if !receive() { return take(received.count) }
        }
    }

    func read(count: Int) -> String {
        while received.count < count, receive() {}
        return take(min(count, received.count))
    }

    private func take(_ count: Int) -> String {
        defer { received.removeFirst(count) }
        return Self.withoutDate(String(decoding: received[..<count], as: UTF8.self))
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        guard Socket.waitUntilReadable(descriptor, until: .after(.seconds(60))) == .moved(0) else {
            isBroken = true
            return false
        }
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count <= 0 {
            isBroken = count < 0
            return false
        }
        received += buffer[..<count]
        return true
    }

    /// Dates differ: "Date: *" stands for one of the right length. Names of requests differ too
    /// and are left out.
    private static func withoutDate(_ text: String) -> String {
        text.components(separatedBy: "\r\n").filter { !$0.hasPrefix("X-Request-Id: ") }.map { line in
            line.hasPrefix("Date: ") && line.utf8.count == 35 ? "Date: *" : line
        }.joined(separator: "\r\n")
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
