import SystemIO
import Threading

// Waiting without a thread.
extension Exchange {
    /// Goes on with `then`, on a thread of the pool, when what `subscribe` was given is called, at the
    /// deadline, or when the client leaves. The handler returns after this call and does nothing more.
    public func wait(
        until deadline: Deadline, for subscribe: @escaping @Sendable (_ wake: @escaping WakeList.Wake) -> CancelWake,
        then: @escaping @Sendable (Exchange, Wake) -> Void
    ) {
        wait(ExchangeWait(event: .signal(subscribe: subscribe), deadline: deadline, resume: then))
    }

    /// Goes on with `then` once the body is here, or as much of it as there will be: `body.collect` does not
    /// wait there any more. At once when it is here already; otherwise the handler returns and does
    /// nothing more.
    public func gatherBody(limit: Int, then: @escaping @Sendable (Exchange) -> Void) {
        gatherBody(limit: limit, until: .after(configuration.bodyTimeout), then: then)
    }

    private func gatherBody(limit: Int, until deadline: Deadline, then: @escaping @Sendable (Exchange) -> Void) {
        if body.gather(limit: limit) { return then(self) }
        wait(
            ExchangeWait(event: .bytes, deadline: deadline, heldBytes: body.gatheredBytes) { exchange, wake in
                if wake != .ready { exchange.body.giveUpGathering(wake == .timedOut ? .timedOut : .cut) }
                exchange.gatherBody(limit: limit, until: deadline, then: then)
            })
    }

    /// Runs `body`, on this thread. `onLeave` is called once, from any thread, if the client leaves meanwhile; it
    /// must not wait.
    public func watchingClient<R, E: Error>(
        _ onLeave: @escaping @Sendable () -> Void, _ body: () throws(E) -> R
    ) throws(E) -> R {
        let isOver = Monitor(false)
        let wait = ExchangeWait(event: .signal { _ in {} }, deadline: .never, hasClosingPatience: false)
        let number = waiting.add(wait, on: connection.descriptor, for: connection.holder) { wake in
            if wake == .clientGone { onLeave() }
            isOver.change { $0 = true }
        }
        defer {
            waiting.cancel(number)
            // One that has ended by itself may still be ending its watch.
            _ = isOver.wait { $0 ? true : nil }
        }
        return try body()
    }

    func wait(_ wait: ExchangeWait) {
        pendingWait = wait
        outcome = .waiting
    }

    /// It has got a thread that counts for no client.
    func leaveShare() { clients = [] }

    /// What the handler has left behind, once.
    func takeWait() -> ExchangeWait? {
        guard outcome == .waiting else { return nil }
        defer { pendingWait = nil }
        outcome = .unanswered
        return pendingWait
    }

    /// Runs `body` when the request has ended, however it did: its response is sent, or will never be.
    public func whenOver(_ body: @escaping @Sendable () -> Void) { whenOverBody = body }

    func noteOver() {
        whenOverBody?()
        whenOverBody = nil
    }
}
