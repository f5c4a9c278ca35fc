import StreamWriter
import SystemIO

/// A line of bytes over a connected stream socket, which it owns.
final class SocketLine: ByteLine {
    private let socket: Descriptor

    /// The other side may be busy for as long as its destination lets it.
    private static let longestPatience = Duration.seconds(365 * 24 * 3600)
    private let patience: Duration

    /// `patience`: how long the other side may take nothing; nil: as long as it likes.
    init(owning socket: consuming Descriptor, patience: Duration? = nil) {
        self.socket = socket
        self.patience = patience ?? Self.longestPatience
    }

    var descriptor: Int32 { socket.number }

    func send(_ pieces: [UnsafeRawBufferPointer]) -> Bool {
        let progress = pieces.count == 1
            ? Socket.sendAll(socket.number, pieces[0], timeout: patience)
            : Socket.sendAll(socket.number, pieces, timeout: patience)
        if case .moved = progress { return true }
        return false
    }

    func receive(into regions: [UnsafeMutableRawBufferPointer]) -> Int {
        let limit = regions.reduce(0) { $0 + $1.count }
        if case .moved(let count) = Socket.receive(socket.number, into: regions, limit: limit, deadline: .never) { return count }
        return 0
    }

    func end() { Socket.shutDown(socket.number) }
}
