import HTTP1
import SystemIO

/// One request and its answer. A handler uses it on its own thread until it returns, and
/// either answers once or hands the connection off.
public final class Exchange {
    public enum Failure: Error {
        /// The client is gone or does not read: nobody to answer any more.
        case clientGone
    }

    public let head: RequestHead
    public let body: RequestBody

    enum Outcome {
        case unanswered, keepAlive, close, handedOff
        /// The answer broke off, and only a reset tells the client.
        case abort
    }

    /// Stands in the answer, the log and, by the handler's doing, in a problem's body.
    public let requestID: String
    /// The handler's name for what was asked, for counting.
    public var route: String?

    private(set) var outcome = Outcome.unanswered
    private var status: HTTPStatus?
    private var bodyBytesSent: UInt64 = 0
    private let began = ContinuousClock.now
    private let queueWait: Duration
    private var streamReuses = false
    private let claim = AnswerClaim()
    private let connection: Connection
    private let configuration: HTTPServer.Configuration
    private let pool: WorkerPool
    private let isDraining: Bool
    /// May become true while the request is handled.
    private let isClosing: () -> Bool

    init(
        head: RequestHead, headBytes: Int, connection: Connection,
        configuration: HTTPServer.Configuration, pool: WorkerPool, isDraining: Bool,
        isClosing: @escaping () -> Bool = { false }, queueWait: Duration = .zero
    ) {
        self.head = head
        self.connection = connection
        self.configuration = configuration
        self.pool = pool
        self.isDraining = isDraining
        self.isClosing = isClosing
        self.queueWait = queueWait
        requestID = RequestID.of(head)
        let expectsContinue = head.expectsContinue && head.framing != .none
        body = RequestBody(
            framing: head.framing, connection: connection, timeout: configuration.bodyTimeout,
            limits: configuration.limits,
            headBytes: headBytes,
            sendContinue: expectsContinue
                ? {
                    let line = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
                    _ = line.withUnsafeBytes {
                        Socket.sendAll(connection.descriptor, $0, timeout: configuration.responseTimeout)
                    }
                } : nil)
    }

    public var peer: SocketAddress? { connection.peer }

    var atWork: RequestsAtWork.Entry {
        .init(descriptor: connection.descriptor, head: head, requestID: requestID, claim: claim)
    }

    public var isAnswered: Bool { outcome != .unanswered }

    /// Ends the connection under a handler that is blocked on it. From any thread.
    public var interrupter: Interrupter { Interrupter(descriptor: connection.descriptor) }

    public struct Interrupter: Sendable {
        let descriptor: Int32

        /// Only while the exchange is still being handled.
        public func interrupt() { Socket.shutDown(descriptor) }
    }

    /// Gives the connection away with this request still unread on it: `send` gets the
    /// descriptor (to pass a copy of) and the bytes that go with it. When it returns true the
    /// exchange is over for this process; when false the handler still has to answer.
    public func handOff(_ send: (_ descriptor: Int32, _ unread: [UInt8]) -> Bool) -> Bool {
        precondition(!body.hasBegun && !isAnswered, "a request that was begun can't be given away")
        guard claim.take() else { return false }
        guard send(connection.descriptor, connection.inbound.bytes) else {
            claim.giveBack()
            return false
        }
        outcome = .handedOff
        return true
    }

    /// Runs something that lasts as long as the client or another request likes. Meanwhile other
    /// requests get a thread in this one's place, as far as `maxLentThreads` goes.
    public func lasting<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R { try pool.lending(body) }

    /// Answers. A HEAD request gets the same head and no body.
    public func respond(_ response: Response) throws(Failure) {
        precondition(!isAnswered, "a request has one answer")
        body.begin()
        outcome = .close
        guard claim.take() else { throw .clientGone }
        let reuses = mayReuse && canReachBodyEnd
        body.forgoContinue()
        let mayHaveBody = Self.mayHaveBody(response.status)
        let answer = mayHaveBody && head.method != .head ? response.body : .none
        let length = mayHaveBody ? response.contentLength : nil
        switch answer {
        case .none: try send(encodedHead(response.status, response.fields, reuses: reuses, length: length))
        case .bytes(let body):
            bodyBytesSent = UInt64(body.count)
            try send(
                encodedHead(response.status, response.fields, reuses: reuses, length: length, followedBy: body))
        case .file(let file, let range):
            try send(
                encodedHead(response.status, response.fields, reuses: reuses, length: length),
                moreFollows: !range.isEmpty)
            try lasting { () throws(Failure) in try send(file, range) }
        }
        if reuses { discardBody() }
    }

    private func discardBody() {
        // A body that does not come may hold some of the threads, not all.
        let isDone = body.discardRest(
            limit: configuration.maxDiscardedBodyBytes,
            within: pool.hasRoomToLinger ? configuration.closeTimeout : .zero)
        if isDone { outcome = .keepAlive }
    }

    /// Answers with a body of unknown length: `write` calls its argument with each piece.
    /// When `write` throws, the client sees a body that is cut, not one that ends well.
    public func respondStreaming(
        _ status: HTTPStatus, fields: [(name: String, value: String)],
        _ write: ((_ piece: UnsafeRawBufferPointer) throws(Failure) -> Void) throws -> Void
    ) throws {
        let stream = openStream(status, fields: fields, whileReading: false)
        defer { close(stream) }
        try stream.start()
        if head.method != .head {
            try lasting { try write { piece throws(Failure) in try stream.send(piece) } }
        }
        try stream.finish()
    }

    /// Begins an answer whose body some thread sends, with `whileReading` while this one still
    /// reads the request's. Until the stream has started, another answer can be given instead.
    public func openStream(
        _ status: HTTPStatus, fields: [(name: String, value: String)], whileReading: Bool
    ) -> ResponseStream {
        precondition(!isAnswered, "a request has one answer")
        body.begin()
        let isChunked = head.version == .http11
        streamReuses = isChunked && mayReuse && (whileReading || canReachBodyEnd)
        if !whileReading { body.forgoContinue() }
        return ResponseStream(
            descriptor: connection.descriptor, timeout: configuration.responseTimeout,
            head: encodedHead(status, fields, reuses: streamReuses, isChunked: isChunked),
            isChunked: isChunked, hasBody: head.method != .head, claim: claim)
    }

    /// No thread uses the stream any more.
    public func close(_ stream: ResponseStream) {
        guard stream.hasStarted else { return }
        bodyBytesSent = stream.bytesSent
        // Without chunks an early end looks like the end: what is cut must break.
        outcome = stream.isFinished || stream.isChunked ? .close : .abort
        if streamReuses && stream.isFinished { discardBody() }
    }

    private var mayReuse: Bool { head.keepsAlive && !isDraining && !isClosing() }

    /// Whether the next request on the connection can be found behind this one's body.
    private var canReachBodyEnd: Bool { body.canReachEnd(limit: configuration.maxDiscardedBodyBytes) }

    private static func mayHaveBody(_ status: HTTPStatus) -> Bool {
        status.code >= 200 && status != .noContent && status != .notModified
    }

    private func encodedHead(
        _ status: HTTPStatus, _ fields: [(name: String, value: String)], reuses: Bool, length: UInt64? = nil,
        isChunked: Bool = false, followedBy body: [UInt8] = []
    ) -> [UInt8] {
        self.status = status
        var response = ResponseHead(status: status, capacity: 512 + body.count)
        response.add("Date", DateField.now)
        response.add(RequestID.field, requestID)
        for field in fields { response.add(field.name, field.value) }
        if let length { response.add("Content-Length", String(length)) }
        if isChunked { response.add("Transfer-Encoding", "chunked") }
        if !reuses {
            response.add("Connection", "close")
        } else if head.version == .http10 {
            response.add("Connection", "keep-alive")
        }
        return response.encoded(followedBy: body)
    }

    private func send(_ bytes: [UInt8], moreFollows: Bool = false) throws(Failure) {
        let first = bytes.withUnsafeBytes {
            Socket.sendAvailable(connection.descriptor, $0, moreFollows: moreFollows)
        }
        guard case .moved(let sent) = first else { throw .clientGone }
        if sent == bytes.count { return }
        // The client is in no hurry: others get a thread meanwhile.
        let progress = lasting {
            bytes[sent...].withUnsafeBytes {
                Socket.sendAll(
                    connection.descriptor, $0, timeout: configuration.responseTimeout, moreFollows: moreFollows)
            }
        }
        guard case .moved = progress else { throw .clientGone }
    }

    private func send(_ file: OpenFile, _ range: Range<UInt64>) throws(Failure) {
        var position = range.lowerBound
        var pace = Pace(configuration.responseTimeout)
        while position < range.upperBound {
            let progress = Socket.sendFile(
                connection.descriptor, from: file.descriptor, offset: position,
                count: Int(clamping: range.upperBound - position), deadline: pace.deadline)
            guard case .moved(let count) = progress else { throw .clientGone }
            pace.moved(count)
            position += UInt64(count)
            bodyBytesSent += UInt64(count)
        }
    }

    /// What became of the request; nil while there is no answer, or when it went elsewhere.
    var report: ExchangeReport? {
        if outcome == .handedOff { return nil }
        return ExchangeReport(
            method: head.method, path: head.target.rawPath, route: route, status: status?.code, requestID: requestID,
            traceParent: head.field("traceparent"), peer: connection.peer, bodyBytesRead: body.bytesRead,
            bodyBytesSent: bodyBytesSent, duration: ContinuousClock.now - began,
            queueWait: queueWait)
    }
}
