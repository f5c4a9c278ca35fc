import Bytewise
import HTTP1
import SystemIO
import Threading

/// GETs to a server, each on a connection of its own.
struct ServerClient {
    struct Failure: Error {
        /// Why there is no response.
        let reason: String
        /// A program took the connection.
        var isConnected = true
        /// What came is not what a server of ours sends.
        var isForeign = false
    }

    let place: ServerPlace
    let token: String?
    /// For all of it, from the connecting to the response's last byte.
    var timeout = Duration.seconds(30)

    /// Of a response's body: a page of 1,000 writers with long lists of files is within it.
    private static let mostBytes = 256 << 20

    static func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F } }

    func get(_ target: String) throws(Failure) -> (status: Int, body: [UInt8]) {
        var head = "GET \(target) HTTP/1.1\r\nHost: \(place.authority)\r\nAccept: application/json\r\nConnection: close\r\n"
        if let token {
            // With white space in it, it would be another field.
            precondition(Self.isToken(token), "a token is checked before it is sent")
            head += "Authorization: Bearer \(token)\r\n"
        }
        let deadline = Deadline.after(timeout)
        let connection = try place.connect(until: min(deadline, .after(.seconds(10))))
        let sent = Array((head + "\r\n").utf8).withUnsafeBytes { Socket.sendAll(connection.number, [$0], timeout: timeout) }
        if case .timedOut = sent { throw Failure(reason: "it does not take a request") }
        return try receive(from: connection, until: deadline)
    }

    /// However slowly it comes.
    private func receive(from connection: borrowing Descriptor, until deadline: Deadline) throws(Failure) -> (status: Int, body: [UInt8]) {
        var reader = ResponseReader(maxBodyBytes: Self.mostBytes)
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        var isLate = false
        do throws(ResponseReader.Failure) {
            while !reader.isWhole && !isLate {
                let progress = buffer.withUnsafeMutableBytes {
                    Socket.receive(connection.number, into: [$0], limit: $0.count, deadline: deadline)
                }
                switch progress {
                case .moved(let count):
                    try Self.take(buffer[..<count], into: &reader)
                    isLate = !reader.isWhole && deadline.hasPassed
                case .ended: try reader.end()
                case .timedOut: isLate = true
                }
            }
        } catch {
            throw Self.failure(error)
        }
        if isLate { throw Failure(reason: "no whole response came within \(timeout.components.seconds) seconds") }
        return (reader.status?.code ?? 0, reader.body)
    }

    private static func failure(_ failure: ResponseReader.Failure) -> Failure {
        switch failure {
        case .cut: Failure(reason: "the connection ended without a whole response")
        case .malformed: Failure(reason: "what comes is no HTTP response", isForeign: true)
        case .tooLong: Failure(reason: "its response is longer than any of a penstock server's, which have \(mostBytes >> 20) MiB at most", isForeign: true)
        }
    }

    private static func take(_ bytes: ArraySlice<UInt8>, into reader: inout ResponseReader) throws(ResponseReader.Failure) {
        let taken = bytes.withUnsafeBytes { bytes in
            Result { () throws(ResponseReader.Failure) in try reader.take(bytes) }
        }
        try taken.get()
    }
}
