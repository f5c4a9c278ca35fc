import HTTP1
import SystemIO
import Threading

/// A response that follows a file while the body of the same request is still being read. It is sent in steps,
/// on threads of the pool, each for as long as the client takes what there is; between steps it waits for the
/// client or the file without a thread. It begins with the file's first byte. A client that takes too little,
/// or has left, ends the reading of the body: `RequestBody.Failure.interrupted`.
public final class ConcurrentResponse: @unchecked Sendable {
    // Unchecked: `outbound` and `loss` belong to the step that is under way and, once there are no more, to the
    // exchange.
    private struct State {
        var isStepping = false
        /// What the step under way waits for has come already.
        var wantsStep = false
        /// The descriptor is being watched.
        var isWatching = false
        var isStopped = false
        var cancelWait: CancelWake?
    }

    fileprivate enum Loss {
        /// The client has left, or has another response.
        case gone
        /// It did not take enough in time.
        case tooSlow
    }

    /// nil before the first byte.
    private var outbound: Outbound?
    fileprivate private(set) var loss: Loss?
    fileprivate let reuses: Bool
    private let encodedHead: [UInt8]
    private let source: (file: OpenFile, growth: any FileGrowth)
    private let hasBody: Bool
    private let isChunked: Bool
    private let timeout: Duration
    private let descriptor: Int32
    private let holder: HeldMemory.Holder
    private let claim: ResponseClaim
    private let reading: RequestBody.Interrupter
    private let pool: WorkerPool
    private let waiting: WaitingExchanges
    private let state = Monitor(State())

    fileprivate init(
        _ exchange: Exchange, _ encodedHead: [UInt8], _ source: (OpenFile, any FileGrowth), isChunked: Bool, reuses: Bool
    ) {
        self.encodedHead = encodedHead
        self.source = source
        self.isChunked = isChunked
        self.reuses = reuses
        hasBody = exchange.head.method != .head
        timeout = exchange.configuration.responseTimeout
        descriptor = exchange.connection.descriptor
        holder = exchange.connection.holder
        claim = exchange.claim
        reading = exchange.body.interrupter
        pool = exchange.pool
        waiting = exchange.waiting
    }

    /// A turn of its own, and a short one: it goes past what waits for a share.
    fileprivate func schedule(_ wake: Wake = .ready) { _ = pool.submit(always: true) { [self] in step(wake) } }

    private func step(_ wake: Wake) {
        let mayStep = state.withLock { state in
            if state.isStopped { return false }
            state.wantsStep = state.isStepping
            state.isStepping = true
            return !state.wantsStep
        }
        guard mayStep else { return }
        switch wake {
        case .ready: advance()
        case .clientGone: lose(.gone)
        case .timedOut: lose(.tooSlow)
        }
        let goesOn = state.change { state in
            defer { (state.isStepping, state.wantsStep) = (false, false) }
            return state.wantsStep
        }
        if goesOn { schedule() }
    }

    private func advance() {
        // Asked before the size: what is written in between wakes the wait at once.
        let (version, end) = source.growth.current
        if outbound == nil && end != .complete && source.file.size == 0 { return awaitGrowth(since: version) }
        guard let outbound = begun() else { return lose(.gone) }
        switch outbound.advance(to: descriptor) {
        // The exchange finds the same once more.
        case .done, .broken: break
        case .noRoom: awaitRoom(for: outbound)
        case .nothingYet(let version): awaitGrowth(since: version)
        case .clientGone: lose(.gone)
        }
    }

    /// nil: the client has another response.
    private func begun() -> Outbound? {
        if let outbound { return outbound }
        guard let owed = claim.take() else { return nil }
        outbound = Outbound(
            pending: owed + encodedHead, sent: 0, source: hasBody ? .growing(source.file, source.growth) : .none,
            isChunked: isChunked && hasBody, timeout: timeout)
        return outbound
    }

    private func lose(_ loss: Loss) {
        self.loss = loss
        reading.interrupt()
    }

    private func awaitGrowth(since version: Int) {
        let cancel = source.growth.whenChanged(since: version) { [self] in schedule() }
        state.withLock { $0.cancelWait = cancel }
    }

    private func awaitRoom(for outbound: Outbound) {
        state.withLock { $0.isWatching = true }
        // While the body comes it is the handler's to end, also when the server closes.
        let wait = ExchangeWait(
            event: .room, deadline: outbound.deadline, heldBytes: outbound.heldBytes, hasClosingPatience: false)
        let number = waiting.add(wait, on: descriptor, for: holder) { [self] wake in
            let isStopped = state.change { state in
                state.isWatching = false
                return state.isStopped
            }
            if !isStopped { schedule(wake) }
        }
        state.withLock { $0.cancelWait = { [waiting] in waiting.cancel(number) } }
    }

    /// Takes no more steps; when this returns the descriptor is not watched any more. nil: nothing can be sent.
    fileprivate func stop() {
        state.change { $0.isStopped = true }
        let cancel = state.wait { $0.isStepping ? nil : .some($0.cancelWait) } ?? nil
        cancel?()
        // One that had ended by itself may still be ending its watch.
        _ = state.wait { $0.isWatching ? nil : true }
    }

    /// Once stopped. nil: nothing was sent, and there is nothing to send, or the client has another response.
    fileprivate func takeOver() -> Outbound? {
        if outbound == nil && loss == nil && source.growth.current.end == .failed { return nil }
        return begun()
    }
}

extension Exchange {
    /// Begins a response that is sent while this thread still reads the request's body: `finish` ends it. The
    /// client is told to go on with its body: what it waits for must not come after the response has begun.
    public func respondWhileReading(
        _ status: HTTPStatus, fields: [(name: String, value: String)], following file: OpenFile, _ growth: any FileGrowth
    ) -> ConcurrentResponse {
        precondition(!hasResponded, "a request has one response")
        body.invite()
        body.begin()
        let isChunked = head.version == .http11
        let reuses = isChunked && mayReuse
        let head = encodedHead(status, fields, reuses: reuses, isChunked: isChunked)
        let response = ConcurrentResponse(self, head, (file, growth), isChunked: isChunked, reuses: reuses)
        response.schedule()
        return response
    }

    /// The handler reads no more: what is left of the response is sent without its thread. False: nothing was
    /// sent, and the file has failed; the handler may respond otherwise.
    public func finish(_ response: ConcurrentResponse) -> Bool {
        response.stop()
        let outbound = response.takeOver()
        if outbound == nil && response.loss == nil && !claim.isTaken { return false }
        isResponding = true
        outcome = .close
        guard let outbound else {
            hasOtherResponse = true
            return true
        }
        switch response.loss {
        case nil: proceed(outbound, reuses: response.reuses, counted: 0)
        case let loss?:
            responseOutcome = .cut
            bodyBytesSent = outbound.bodyBytesSent
            if loss == .tooSlow { outcome = .abort }
        }
        return true
    }
}
