import HTTP1
import Synchronization
import SystemIO
import Threading

/// The body of one request, read straight from the socket into the reader's memory. One thread at a
/// time uses it, while the request is handled.
public final class RequestBody {
    public enum Failure: Error, Equatable {
        /// The client ended the connection before the body's end.
        case cut
        /// No byte came within the body timeout.
        case timedOut
        case malformed(HTTPParseError)
        /// `Interrupter` has ended the reading; the client can still have a response.
        case interrupted
    }

    /// Ends the reading of a body under the thread that is at it. From any thread, while the request is
    /// handled.
    public final class Interrupter: Sendable {
        private let hasInterrupted = Atomic(false)
        let waits = InterruptibleWaits()

        public func interrupt() {
            if !hasInterrupted.exchange(true, ordering: .sequentiallyConsistent) { waits.interrupt() }
        }

        var isInterrupted: Bool { hasInterrupted.load(ordering: .relaxed) }
    }

    public let interrupter: Interrupter
    public let framing: BodyFraming
    /// Every byte of the body has been read.
    public private(set) var isFinished: Bool
    /// Body bytes read so far.
    public private(set) var bytesRead: UInt64 = 0
    /// A read has failed: where the body ends is not known any more.
    var hasFailed = false

    let connection: Connection
    let timeout: Duration
    private var remaining: UInt64
    private var decoder: ChunkedDecoder
    private var sendContinue: (() -> Void)?
    /// Reads take what is there and never wait.
    private var takesOnlyWhatIsThere = false
    /// Of a body that is read as it is made.
    var pace: ReadPace?
    /// The last read filled a whole buffer.
    var hasMuchAtHand = false
    /// What follows the bytes that were read.
    private var flaw: HTTPParseError?
    /// What `gather` has read so far, or all of it.
    var gathered = Gathered.nothing
    /// By `discardAvailable`.
    var discarded = 0
    /// When all that is being read must be there, however busily its bytes come.
    var wholeDeadline: Deadline?
    /// The request's head while it still lies before its body; 0 once it is out of the way.
    private var headBytes: Int

    /// Chunks at least this long are read straight into the reader's memory; shorter ones go
    /// through the connection's buffer, many to a system call.
    static let directThreshold = 16 * 1_024
    /// What a wait is for at most, where that much is wanted. Every wait that ends costs the sender a
    /// wake-up, too.
    private static let waitedBytes = 512 * 1_024
    /// Less than this is taken as it comes.
    private static let leastWaitedBytes = 128 * 1_024

    init(
        framing: BodyFraming, connection: Connection, timeout: Duration, limits: HTTPLimits,
        headBytes: Int, sendContinue: (() -> Void)?
    ) {
        self.framing = framing
        interrupter = Interrupter()
        self.connection = connection
        self.timeout = timeout
        self.headBytes = headBytes
        self.sendContinue = sendContinue
        decoder = ChunkedDecoder(limits: limits)
        if case .length(let length) = framing { remaining = length } else { remaining = 0 }
        isFinished = framing == .none || framing == .length(0)
    }

    /// Some of it may have been read: the request can't be handed off any more.
    public var hasBegun: Bool { headBytes == 0 }

    /// From here on the connection's next bytes are the body.
    func begin() {
        if headBytes == 0 { return }
        connection.inbound.consume(headBytes)
        headBytes = 0
    }

    /// The client waits for `100 Continue`, and was not told to go on.
    var isAwaitingContinue: Bool { sendContinue != nil && !isFinished }

    /// Tells a client that asked whether to send its body to go on. Reading does so by itself; this is
    /// for a handler that begins its response before it reads.
    public func invite() {
        guard let sendContinue, !isFinished else { return }
        begin()
        self.sendContinue = nil
        sendContinue()
    }

    /// The response begins: it is too late for `100 Continue` (RFC 9110 §10.1.1).
    func forgoContinue() { sendContinue = nil }

    /// Body bytes known to be left; nil for a chunked body.
    public var bytesLeft: UInt64? {
        if case .chunked = framing { isFinished ? 0 : nil } else { remaining }
    }

    /// The first bytes of a counted body of which nothing was read, as far as they are there or come within `wait`: they
    /// stay to be read. A client that waits for `100 Continue` is not waited for.
    public func firstBytes(atMost limit: Int, within wait: Duration) -> [UInt8] {
        guard bytesRead == 0, !hasFailed, case .length(let length) = framing else { return [] }
        if connection.inbound.count <= headBytes, sendContinue == nil {
            _ = interrupter.waits.wait { Socket.awaitReadable(connection.descriptor, until: .after(wait)) }
            connection.inbound.append(capacity: limit) { space in
                if case .moved(let count)? = connection.receiveAvailable(into: space) { count } else { 0 }
            }
        }
        return Array(connection.inbound.bytes.dropFirst(headBytes).prefix(Int(min(UInt64(limit), length))))
    }

    /// Fills a prefix of `regions` (in order, at most `limit` bytes) and returns its length;
    /// 0 at the body's end. The first read tells a client that asked to go on.
    public func read(
        into regions: [UnsafeMutableRawBufferPointer], limit: Int = .max
    ) throws(Failure) -> Int {
        if isFinished || limit == 0 { return 0 }
        if hasFailed { throw .cut }
        begin()
        invite()
        if interrupter.isInterrupted {
            // As where it was waiting for bytes: what is left is not read, and the connection not used again.
            hasFailed = true
            connection.setLowWater(1)
            throw .interrupted
        }
        do throws(Failure) {
            let count =
                if case .chunked = framing {
                    try readChunked(into: regions, limit: limit)
                } else {
                    try readCounted(into: regions, limit: limit)
                }
            bytesRead += UInt64(count)
            if isFinished { connection.setLowWater(1) }
            return count
        } catch {
            if takesOnlyWhatIsThere && error == .timedOut { throw error }
            hasFailed = true
            connection.setLowWater(1)
            throw interrupter.isInterrupted ? .interrupted : error
        }
    }

    /// What is there now, as `read` would give it; nil when that is nothing.
    func readAvailable(into regions: [UnsafeMutableRawBufferPointer]) throws(Failure) -> Int? {
        takesOnlyWhatIsThere = true
        defer { takesOnlyWhatIsThere = false }
        do throws(Failure) {
            return try read(into: regions)
        } catch .timedOut {
            return nil
        }
    }

    private var deadline: Deadline { takesOnlyWhatIsThere ? .past : wholeDeadline ?? .after(timeout) }

    private func readCounted(
        into regions: [UnsafeMutableRawBufferPointer], limit: Int
    ) throws(Failure) -> Int {
        let count = try take(into: regions, limit: Int(min(UInt64(limit), remaining)))
        remaining -= UInt64(count)
        if remaining == 0 { isFinished = true }
        return count
    }

    private func readChunked(
        into regions: [UnsafeMutableRawBufferPointer], limit: Int
    ) throws(Failure) -> Int {
        if let flaw { throw .malformed(flaw) }
        while decoder.remainingInChunk == 0 {
            switch try nextStep() {
            case .needsMore(let consumed):
                connection.inbound.consume(consumed)
                try refill()
            case .data(let consumed, _):
                connection.inbound.consume(consumed)
            case .end(let consumed):
                connection.inbound.consume(consumed)
                isFinished = true
                return 0
            }
        }
        if connection.inbound.isEmpty && !readsDirectly { try refill() }
        let count = try take(into: regions, limit: Int(min(UInt64(limit), decoder.remainingInChunk)))
        decoder.consumedData(count)
        let more = takeBuffered(into: regions, behind: count, limit: limit)
        pace?.took(count + more)
        return count + more
    }

    /// What is left of the chunk is worth a read of its own.
    private var readsDirectly: Bool {
        decoder.remainingInChunk >= Self.directThreshold && pace?.mayHaveMore != false
    }

    /// What the buffer has of the chunks behind the first `taken` bytes of the regions: small pieces cost a call each
    /// otherwise.
    private func takeBuffered(into regions: [UnsafeMutableRawBufferPointer], behind taken: Int, limit: Int) -> Int {
        let limit = min(limit, regions.reduce(0) { $0 + $1.count })
        var count = taken
        while count < limit, !connection.inbound.isEmpty {
            if decoder.remainingInChunk == 0 {
                do throws(Failure) {
                    switch try nextStep() {
                    case .needsMore(let consumed), .data(let consumed, _): connection.inbound.consume(consumed)
                    case .end(let consumed):
                        connection.inbound.consume(consumed)
                        isFinished = true
                        return count - taken
                    }
                } catch {
                    // Told once these bytes are taken.
                    if case .malformed(let error) = error { flaw = error }
                    return count - taken
                }
            }
            let left = Int(min(UInt64(limit - count), decoder.remainingInChunk))
            let moved = connection.inbound.move(into: regions, behind: count, limit: left)
            decoder.consumedData(moved)
            count += moved
        }
        return count - taken
    }

    private func nextStep() throws(Failure) -> ChunkedDecoder.Step {
        do throws(HTTPParseError) {
            return try connection.inbound.withBytes { bytes throws(HTTPParseError) in try decoder.next(bytes) }
        } catch {
            throw .malformed(error)
        }
    }

    private func take(
        into regions: [UnsafeMutableRawBufferPointer], limit: Int
    ) throws(Failure) -> Int {
        if !connection.inbound.isEmpty { return connection.inbound.move(into: regions, limit: limit) }
        if pace != nil, !takesOnlyWhatIsThere {
            if let count = try takeAvailable(into: regions, limit: limit) { return count }
            try refill()
            return connection.inbound.move(into: regions, limit: limit)
        }
        let wanted = regions.reduce(0) { $0 + $1.count }
        let waited = min(limit, wanted, Self.waitedBytes)
        connection.setLowWater(takesOnlyWhatIsThere || waited < Self.leastWaitedBytes ? 1 : waited)
        let count = try receive(into: regions, limit: limit)
        hasMuchAtHand = count == min(limit, wanted)
        return count
    }

    /// Waits for more bytes in the connection's buffer.
    private func refill() throws(Failure) {
        if let pace, !takesOnlyWhatIsThere { return try refillInTime(pace) }
        connection.setLowWater(1)
        let capacity = 4 * Connection.readCapacity
        let result = connection.inbound.append(capacity: capacity) { space in
            Result { () throws(Failure) in try receive(into: [space], limit: space.count) }
        }
        try result.get()
        hasMuchAtHand = connection.inbound.count == capacity
    }

    /// Waits for the first byte.
    private func receive(into regions: [UnsafeMutableRawBufferPointer], limit: Int) throws(Failure) -> Int {
        let deadline = deadline
        var isLate = deadline.hasPassed
        while true {
            switch connection.receiveAvailable(into: regions, limit: limit) {
            case .moved(let count)?: return count
            case .ended?, .timedOut?: throw .cut
            case nil: break
            }
            if isLate { throw .timedOut }
            // What has come by the deadline is taken, also below the low-water mark.
            switch interrupter.waits.wait({ Socket.awaitReadable(connection.descriptor, until: deadline) }) {
            case .timedOut?: isLate = true
            case nil where interrupter.isInterrupted: throw .interrupted
            default: break
            }
        }
    }
}
