import HTTP1
import SystemIO

/// The body of one request, read straight from the socket into the reader's memory. Used on
/// the handler's thread only, while the request is handled.
public final class RequestBody {
    public enum Failure: Error, Equatable {
        /// The client ended the connection before the body's end.
        case cut
        /// No byte came within the body timeout.
        case timedOut
        case malformed(HTTPParseError)
    }

    public let framing: BodyFraming
    /// Every byte of the body has been read.
    public private(set) var isFinished: Bool
    /// Body bytes read so far.
    public private(set) var bytesRead: UInt64 = 0

    private let connection: Connection
    private let timeout: Duration
    private var remaining: UInt64
    private var decoder: ChunkedDecoder
    private var sendContinue: (() -> Void)?
    /// Takes the request's head out of the way of its body.
    private var consumeHead: (() -> Void)?

    /// Chunks at least this long are read straight into the reader's memory; shorter ones go
    /// through the connection's buffer, many to a system call.
    private static let directThreshold = 16 * 1_024

    init(
        framing: BodyFraming, connection: Connection, timeout: Duration, limits: HTTPLimits,
        consumeHead: @escaping () -> Void, sendContinue: (() -> Void)?
    ) {
        self.framing = framing
        self.connection = connection
        self.timeout = timeout
        self.consumeHead = consumeHead
        self.sendContinue = sendContinue
        decoder = ChunkedDecoder(limits: limits)
        if case .length(let length) = framing { remaining = length } else { remaining = 0 }
        isFinished = framing == .none || framing == .length(0)
    }

    var hasBegun: Bool { consumeHead == nil }

    /// From here on the connection's next bytes are the body.
    func begin() {
        consumeHead?()
        consumeHead = nil
    }

    /// The client waits for `100 Continue`, and was not told to go on.
    var isAwaitingContinue: Bool { sendContinue != nil && !isFinished }

    /// Body bytes known to be left; nil for a chunked body.
    public var bytesLeft: UInt64? {
        if case .chunked = framing { isFinished ? 0 : nil } else { remaining }
    }

    /// Fills a prefix of `regions` (in order, at most `limit` bytes) and returns its length;
    /// 0 at the body's end. The first read tells a client that asked to go on.
    public func read(
        into regions: [UnsafeMutableRawBufferPointer], limit: Int = .max
    ) throws(Failure) -> Int {
        if isFinished || limit == 0 { return 0 }
        begin()
        if let sendContinue {
            self.sendContinue = nil
            sendContinue()
        }
        let count =
            if case .chunked = framing {
                try readChunked(into: regions, limit: limit)
            } else {
                try readCounted(into: regions, limit: limit)
            }
        bytesRead += UInt64(count)
        return count
    }

    /// The whole body as an array; nil when it is longer than `limit` bytes.
    public func collect(limit: Int) throws(Failure) -> [UInt8]? {
        if let left = bytesLeft, left > UInt64(limit) { return nil }
        var collected: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 * 1_024, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try read(into: [buffer])
            if count == 0 { return collected }
            if collected.count + count > limit { return nil }
            collected.append(contentsOf: buffer[..<count])
        }
    }

    /// Reads the rest away if it is no more than `limit` bytes and comes without a wait for
    /// the client's decision; false when the connection can't be used for another request.
    func discardRest(limit: Int) -> Bool {
        if isFinished { return true }
        if isAwaitingContinue { return false }
        if let left = bytesLeft, left > UInt64(limit) { return false }
        return (try? collect(limit: limit)) ?? nil != nil
    }

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
        if connection.inbound.isEmpty && decoder.remainingInChunk < Self.directThreshold { try refill() }
        let count = try take(into: regions, limit: Int(min(UInt64(limit), decoder.remainingInChunk)))
        decoder.consumedData(count)
        return count
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
        let progress = Socket.receive(
            connection.descriptor, into: regions, limit: limit, deadline: .after(timeout))
        switch progress {
        case .moved(let count): return count
        case .timedOut: throw .timedOut
        case .ended, .interrupted: throw .cut
        }
    }

    /// Waits for more bytes in the connection's buffer.
    private func refill() throws(Failure) {
        var progress = SocketProgress.ended
        connection.inbound.append(capacity: 4 * Connection.readCapacity) { space in
            progress = Socket.receive(
                connection.descriptor, into: [space], limit: space.count, deadline: .after(timeout))
            if case .moved(let count) = progress { return count }
            return 0
        }
        switch progress {
        case .moved: return
        case .timedOut: throw .timedOut
        case .ended, .interrupted: throw .cut
        }
    }
}
