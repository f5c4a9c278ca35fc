import HTTP1
import SystemIO
import Threading

// The response, and what follows it on the connection.
extension Exchange {
    /// Responds. A HEAD request gets the same head and no body. What there is no room for goes on when there
    /// is, without this thread.
    public func respond(_ response: Response) throws(Failure) {
        let owed = try beginResponse()
        reason = response.reason
        let reuses = mayReuse && canReachBodyEnd
        body.forgoContinue()
        let mayHaveBody = Self.mayHaveBody(response.status)
        let content = mayHaveBody && head.method != .head ? response.body : .none
        let length = mayHaveBody ? response.contentLength : nil
        let source: Outbound.Source
        var small: [UInt8] = []
        switch content {
        case .none: source = .none
        case .bytes(let bytes) where bytes.count <= Self.copiedBytes, .shared(let bytes) where bytes.count <= Self.copiedBytes:
            small = bytes
            source = .none
        case .bytes(let bytes): source = .bytes(bytes)
        case .shared(let bytes): source = .shared(bytes)
        case .file(let file, let range): source = .file(file, range)
        }
        bodyBytesSent = UInt64(small.count)
        let encoded = encodedHead(response.status, response.fields, reuses: reuses, length: length, followedBy: small)
        try send(owed.isEmpty ? encoded : owed + encoded, source, isChunked: false, reuses: reuses)
    }

    /// A body up to here is sent in one piece with its head.
    private static let copiedBytes = 16 * 1_024

    /// Responds with a body of unknown length, made while it is sent.
    public func respond(
        _ status: HTTPStatus, fields: [(name: String, value: String)], pieces: any PieceSource
    ) throws(Failure) {
        try respond(status, fields, .pieces(pieces))
    }

    /// Responds with a file that is being written, from its start until it ends. One that fails is cut: it
    /// does not end well.
    public func respond(
        _ status: HTTPStatus, fields: [(name: String, value: String)], following file: OpenFile,
        _ growth: any FileGrowth
    ) throws(Failure) {
        try respond(status, fields, .growing(file, growth))
    }

    /// Responds with a body whose pieces come when something happens, for as long as the client stays and the
    /// server serves. When the server closes, the response ends well: the client may ask again.
    public func respond(
        _ status: HTTPStatus, fields: [(name: String, value: String)], live source: any LivePieceSource
    ) throws(Failure) {
        try respond(status, fields, .live(source))
    }

    private func respond(
        _ status: HTTPStatus, _ fields: [(name: String, value: String)], _ source: Outbound.Source
    ) throws(Failure) {
        let owed = try beginResponse()
        let isChunked = head.version == .http11
        let reuses = isChunked && mayReuse && canReachBodyEnd
        body.forgoContinue()
        let encoded = encodedHead(status, fields, reuses: reuses, isChunked: isChunked)
        let hasBody = head.method != .head
        try send(owed + encoded, hasBody ? source : .none, isChunked: isChunked && hasBody, reuses: reuses)
    }

    /// What goes before the response.
    private func beginResponse() throws(Failure) -> [UInt8] {
        precondition(!hasResponded, "a request has one response")
        body.begin()
        isResponding = true
        outcome = .close
        guard let owed = claim.take() else {
            hasOtherResponse = true
            throw .clientGone
        }
        return owed
    }

    private func send(
        _ first: [UInt8], _ source: Outbound.Source, isChunked: Bool, reuses: Bool
    ) throws(Failure) {
        var hasMore = true
        if case .none = source { hasMore = isChunked }
        // A live source may have nothing for long.
        var hasMoreSoon = hasMore
        if case .live = source { hasMoreSoon = false }
        let progress = first.withUnsafeBytes {
            Socket.sendAvailable(connection.descriptor, $0, moreFollows: hasMoreSoon)
        }
        guard case .moved(let sent) = progress else {
            responseOutcome = .cut
            throw .clientGone
        }
        if sent == first.count && !hasMore { return finishResponse(reuses: reuses) }
        let alreadyCounted = bodyBytesSent
        proceed(
            Outbound(
                pending: first, sent: sent, source: source, isChunked: isChunked,
                timeout: configuration.responseTimeout),
            reuses: reuses, counted: alreadyCounted)
    }

    /// Sends what there is room for, and waits without a thread where there is none.
    func proceed(_ outbound: Outbound, reuses: Bool, counted: UInt64) {
        let step = outbound.advance(to: connection.descriptor, isClosing: isClosing())
        bodyBytesSent = counted + outbound.bodyBytesSent
        switch step {
        case .done: finishResponse(reuses: reuses)
        case .noRoom:
            wait(
                ExchangeWait(event: .room, deadline: outbound.deadline, heldBytes: outbound.heldBytes) { exchange, wake in
                    if wake == .timedOut { return exchange.breakOff(.cut, by: .abort) }
                    exchange.proceed(outbound, reuses: reuses, counted: counted)
                })
        case .nothingYet(let version):
            wait(
                ExchangeWait(
                    event: .signal { outbound.whenChanged(since: version, $0) }, deadline: .never,
                    endsWithServer: outbound.isLive
                ) { exchange, wake in
                    if wake != .ready { return exchange.breakOff(.cut, by: .abort) }
                    exchange.proceed(outbound, reuses: reuses, counted: counted)
                })
        case .clientGone: breakOff(.cut, by: .close)
        case .broken:
            // Without chunks an early end looks like the end: what is cut must break.
            breakOff(.failed, by: outbound.isChunked ? .close : .abort)
        }
    }

    /// What the handler has said of its end counts more than what is seen of it.
    private func breakOff(_ ended: ExchangeReport.Outcome, by outcome: Outcome) {
        if responseOutcome == .complete { responseOutcome = ended }
        self.outcome = outcome
    }

    /// For a response that has begun and can't be what it was to be: why, for the log and the counters. `isCut`: its
    /// client has left.
    public func noteBrokenOff(because reason: ExchangeReport.Reason, isCut: Bool) {
        if responseOutcome != .cut { responseOutcome = isCut ? .cut : .failed }
        self.reason = reason
    }

    private func finishResponse(reuses: Bool) {
        outcome = .close
        if reuses { discardBody(until: .after(configuration.closeTimeout)) }
    }

    /// Finds the next request behind what is left of the body.
    private func discardBody(until deadline: Deadline) {
        switch body.discardAvailable(limit: configuration.maxDiscardedBodyBytes) {
        case .all:
            outcome = .keepAlive
            connection.noteUnderWay()
        case .tooMuch: outcome = .close
        case .part:
            wait(
                ExchangeWait(event: .bytes, deadline: deadline) { exchange, wake in
                    if wake != .ready { return exchange.outcome = .close }
                    exchange.discardBody(until: deadline)
                })
        }
    }

    var mayReuse: Bool { !endsConnection && head.keepsAlive && !isDraining && !isClosing() }

    /// Whether the next request on the connection can be found behind this one's body.
    private var canReachBodyEnd: Bool { body.promisesEnd(limit: configuration.maxDiscardedBodyBytes) }

    private static func mayHaveBody(_ status: HTTPStatus) -> Bool {
        status.code >= 200 && status != .noContent && status != .notModified
    }

    func encodedHead(
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
}
