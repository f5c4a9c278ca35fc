import HTTP1
import Synchronization
import SystemIO
import Threading

/// The requests that handlers are at, so that each can have a response when its handler gives none.
final class InFlightRequests: Sendable {
    /// What never changes of an exchange: the rest of it is its handler's.
    struct Entry: Sendable {
        fileprivate let exchange: Exchange

        var descriptor: Int32 { exchange.connection.descriptor }
        var head: RequestHead { exchange.head }
        var requestID: String { exchange.requestID }
        fileprivate var claim: ResponseClaim { exchange.claim }
    }

    /// By descriptor, which stays open while its request is here.
    private let entries = Mutex<[Int32: Entry]>([:])

    func add(_ exchange: Exchange) { entries.withLock { $0[exchange.connection.descriptor] = Entry(exchange: exchange) } }

    /// That one alone: a connection that came back may have another by now.
    func remove(_ exchange: Exchange) {
        entries.withLock { entries in
            let descriptor = exchange.connection.descriptor
            if entries[descriptor]?.exchange === exchange { entries[descriptor] = nil }
        }
    }

    /// Sends what `response` makes to each client that has no response, and takes no more from it.
    func respond(_ response: (Entry) -> [UInt8]) {
        entries.withLock { entries in
            for entry in entries.values {
                guard let owed = entry.claim.take() else { continue }
                _ = (owed + response(entry)).withUnsafeBytes { Socket.sendAll(entry.descriptor, $0, timeout: .zero) }
                Socket.shutDownWriting(entry.descriptor)
            }
        }
    }

    /// Reads away what clients still send, so that their responses arrive, until they end or it is time.
    func readAway(until deadline: Deadline) {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1_024, alignment: 16)
        defer { scratch.deallocate() }
        while !deadline.hasPassed {
            let isDone = entries.withLock { entries in
                entries.values.allSatisfy { Self.hasEnded($0.descriptor, scratch) }
            }
            if isDone { return }
            SystemThread.sleep(.milliseconds(5))
        }
    }

    private static func hasEnded(_ descriptor: Int32, _ scratch: UnsafeMutableRawBufferPointer) -> Bool {
        switch Socket.receiveAvailable(descriptor, into: scratch) {
        case nil, .moved?: false
        default: true
        }
    }
}
