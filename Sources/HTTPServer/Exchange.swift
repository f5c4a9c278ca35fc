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
    }

    private(set) var outcome = Outcome.unanswered
    private var streamReuses = false
    private let connection: Connection
    private let configuration: HTTPServer.Configuration
    private let isDraining: Bool

    init(
        head: RequestHead, headBytes: Int, connection: Connection,
        configuration: HTTPServer.Configuration, isDraining: Bool
    ) {
        self.head = head
        self.connection = connection
        self.configuration = configuration
        self.isDraining = isDraining
        let expectsContinue = head.expectsContinue && head.framing != .none
        body = RequestBody(
            framing: head.framing, connection: connection, timeout: configuration.bodyTimeout,
            limits: configuration.limits,
            consumeHead: { connection.inbound.consume(headBytes) },
            sendContinue: expectsContinue
                ? {
                    let line = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
                    _ = line.withUnsafeBytes {
                        Socket.sendAll(connection.descriptor, [$0], timeout: configuration.responseTimeout)
                    }
                } : nil)
    }

    public var peer: SocketAddress? { connection.peer }

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
        guard send(connection.descriptor, connection.inbound.bytes) else { return false }
        outcome = .handedOff
        return true
    }

    /// Answers. A HEAD request gets the same head and no body.
    public func respond(_ response: Response) throws(Failure) {
        precondition(!isAnswered, "a request has one answer")
        body.begin()
        outcome = .close
        let reuses = head.keepsAlive && !isDraining && canReachBodyEnd
        var bytes = encodedHead(response.status, response.fields, reuses: reuses) { head in
            if Self.mayHaveBody(response.status) {
                head.add("Content-Length", String(response.contentLength))
            }
        }
        if head.method == .head || !Self.mayHaveBody(response.status) {
            try send(bytes)
        } else {
            switch response.body {
            case .none: try send(bytes)
            case .bytes(let body):
                bytes += body
                try send(bytes)
            case .file(let file, let range):
                try send(bytes, moreFollows: !range.isEmpty)
                try send(file, range)
            }
        }
        if reuses && body.discardRest(limit: configuration.maxDiscardedBodyBytes) { outcome = .keepAlive }
    }

    /// Answers with a body of unknown length: `write` calls its argument with each piece.
    /// When `write` throws, the client sees a body that is cut, not one that ends well.
    public func respondStreaming(
        _ status: HTTPStatus, fields: [(name: String, value: String)],
        _ write: ((_ piece: UnsafeRawBufferPointer) throws(Failure) -> Void) throws -> Void
    ) throws {
        let stream = openStream(status, fields: fields)
        defer { close(stream) }
        try stream.send(UnsafeRawBufferPointer(start: nil, count: 0))
        if head.method != .head { try write { piece throws(Failure) in try stream.send(piece) } }
        try stream.finish()
    }

    /// Begins an answer whose body some thread sends, also while this one still reads the
    /// request's. Until the stream has started, another answer can be given instead.
    public func openStream(_ status: HTTPStatus, fields: [(name: String, value: String)]) -> ResponseStream {
        precondition(!isAnswered, "a request has one answer")
        body.begin()
        let isChunked = head.version == .http11
        streamReuses = isChunked && head.keepsAlive && !isDraining
        let headBytes = encodedHead(status, fields, reuses: streamReuses) { head in
            if isChunked { head.add("Transfer-Encoding", "chunked") }
        }
        return ResponseStream(
            descriptor: connection.descriptor, timeout: configuration.responseTimeout, head: headBytes,
            isChunked: isChunked, hasBody: head.method != .head)
    }

    /// No thread uses the stream any more.
    public func close(_ stream: ResponseStream) {
        guard stream.hasStarted else { return }
        outcome = .close
        if streamReuses && stream.isFinished && body.discardRest(limit: configuration.maxDiscardedBodyBytes) {
            outcome = .keepAlive
        }
    }

    /// Whether the next request on the connection can be found behind this one's body.
    private var canReachBodyEnd: Bool {
        if body.isFinished { return true }
        if body.isAwaitingContinue { return false }
        guard let left = body.bytesLeft else { return true }
        return left <= UInt64(configuration.maxDiscardedBodyBytes)
    }

    private static func mayHaveBody(_ status: HTTPStatus) -> Bool {
        status.code >= 200 && status != .noContent && status != .notModified
    }

    private func encodedHead(
        _ status: HTTPStatus, _ fields: [(name: String, value: String)], reuses: Bool,
        _ addFraming: (inout ResponseHead) -> Void
    ) -> [UInt8] {
        var response = ResponseHead(status: status)
        response.add("Date", HTTPDate.format(secondsSinceEpoch: WallClock.now().seconds))
        for field in fields { response.add(field.name, field.value) }
        addFraming(&response)
        if !reuses {
            response.add("Connection", "close")
        } else if head.version == .http10 {
            response.add("Connection", "keep-alive")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        response.encode(into: &bytes)
        return bytes
    }

    private func send(_ bytes: [UInt8], moreFollows: Bool = false) throws(Failure) {
        let progress = bytes.withUnsafeBytes {
            Socket.sendAll(
                connection.descriptor, [$0], timeout: configuration.responseTimeout, moreFollows: moreFollows)
        }
        guard case .moved = progress else { throw .clientGone }
    }

    private func send(_ file: OpenFile, _ range: Range<UInt64>) throws(Failure) {
        var position = range.lowerBound
        while position < range.upperBound {
            let progress = Socket.sendFile(
                connection.descriptor, from: file.descriptor, offset: position,
                count: Int(clamping: range.upperBound - position), timeout: configuration.responseTimeout)
            guard case .moved(let count) = progress else { throw .clientGone }
            position += UInt64(count)
        }
    }
}
