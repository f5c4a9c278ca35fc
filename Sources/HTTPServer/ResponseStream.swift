import HTTP1
import SystemIO

/// An answer's body of unknown length, piece by piece. One thread at a time; it need not be
/// the one that reads the request's body.
public final class ResponseStream: @unchecked Sendable {
    // Unchecked: the exchange hands it to one thread and waits for that thread.
    private let descriptor: Int32
    private let timeout: Duration
    let isChunked: Bool
    private let hasBody: Bool
    private var head: [UInt8]
    private let claim: ResponseClaim
    private(set) var isFinished = false
    private(set) var bytesSent: UInt64 = 0
    /// The client has seen the status: no other answer is possible.
    public private(set) var hasStarted = false

    init(descriptor: Int32, timeout: Duration, head: [UInt8], isChunked: Bool, hasBody: Bool, claim: ResponseClaim) {
        self.descriptor = descriptor
        self.timeout = timeout
        self.head = head
        self.isChunked = isChunked
        self.hasBody = hasBody
        self.claim = claim
    }

    /// Sends one piece; before the first one, the head.
    public func send(_ piece: UnsafeRawBufferPointer) throws(Exchange.Failure) {
        if piece.isEmpty || !hasBody { return try start() }
        try send(piece, last: false)
        bytesSent += UInt64(piece.count)
    }

    /// Ends the body well.
    public func finish() throws(Exchange.Failure) {
        if hasBody && isChunked {
            try send(UnsafeRawBufferPointer(start: nil, count: 0), last: true)
        } else {
            try start()
        }
        isFinished = true
    }

    /// Sends the head, if it has not been sent.
    func start() throws(Exchange.Failure) {
        if hasStarted { return }
        let head = try takeHead()
        let progress = head.withUnsafeBytes { Socket.sendAll(descriptor, $0, timeout: timeout) }
        guard case .moved = progress else { throw .clientGone }
    }

    /// What goes before the next piece.
    private func takeHead() throws(Exchange.Failure) -> [UInt8] {
        if hasStarted { return [] }
        guard let owed = claim.take() else { throw .clientGone }
        defer { head = [] }
        hasStarted = true
        return owed + head
    }

    private func send(_ piece: UnsafeRawBufferPointer, last: Bool) throws(Exchange.Failure) {
        var before = try takeHead()
        if isChunked && !last { ChunkedEncoder.appendHeader(size: piece.count, to: &before) }
        let after = !isChunked ? [] : last ? ChunkedEncoder.terminator : ChunkedEncoder.chunkEnd
        let progress = before.withUnsafeBytes { before in
            after.withUnsafeBytes { after in
                Socket.sendAll(descriptor, [before, piece, after], timeout: timeout)
            }
        }
        guard case .moved = progress else { throw .clientGone }
    }
}
