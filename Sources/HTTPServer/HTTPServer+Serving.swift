import HTTP1
import SystemIO

// Requests, one after the other on each connection.
extension HTTPServer {
    /// A head has arrived: hands the connection to a thread. From any thread.
    func dispatch(_ connection: Connection, _ head: RequestHead, headBytes: Int) {
        let queued = ContinuousClock.now
        let kind = handler.kind(of: head)
        let job: WorkerPool.Job = { [self] in
            let exchange = begin(
                connection, head, headBytes: headBytes, of: clients(of: connection, head), isOperational: kind != .ordinary,
                queueWait: ContinuousClock.now - queued)
            handler.handle(exchange)
            goOn(exchange)
        }
        let address = connection.addressKey.map { [WorkerPool.ClientKey.address($0)] } ?? []
        let accepted = switch kind {
        case .ordinary: pool.submit(for: clients(of: connection, head), job)
        case .operational: operations.submit(for: address, job)
        case .healthCheck: healthChecks.submit(for: address, job)
        }
        if !accepted { refuse(connection, .overload, head) }
    }

    func beginHere(_ connection: Connection) {
        guard case .moved? = connection.receive(within: configuration.lingerTime),
            case .head(let head, let headBytes) = connection.parseHead(configuration.limits)
        else { return close(connection) }
        let exchange = begin(connection, head, headBytes: headBytes, of: clients(of: connection, head))
        handler.handle(exchange)
        goOn(exchange)
    }

    /// Its address, and what it says it may do: neither has all threads.
    private func clients(of connection: Connection, _ head: RequestHead) -> [WorkerPool.ClientKey] {
        var clients: [WorkerPool.ClientKey] = []
        if let address = connection.addressKey { clients.append(.address(address)) }
        if let credential = head.credentialHash { clients.append(.credential(credential)) }
        return clients
    }

    private func begin(
        _ connection: Connection, _ head: RequestHead, headBytes: Int, of clients: [WorkerPool.ClientKey],
        isOperational: Bool = false, queueWait: Duration = .zero
    ) -> Exchange {
        let exchange = Exchange(
            head: head, headBytes: headBytes, connection: connection, configuration: configuration, pool: pool, waiting: waiting,
            clients: clients, isOperational: isOperational, isDraining: isDraining,
            isClosing: { self.isClosing }, queueWait: queueWait)
        connection.tokenKey = nil
        connection.loan?.note(head.method == .head ? .askedForHead : .asked)
        atWork.add(exchange)
        return exchange
    }

    /// Serves requests of one connection on this thread, from one whose handler has returned, until the
    /// connection ends, waits too long for its next request, or leaves; or until a request waits.
    private func goOn(_ first: Exchange) {
        var exchange = first
        while true {
            if let wait = exchange.takeWait() { return hold(exchange, wait) }
            guard let next = conclude(exchange) else { return }
            exchange = next
            handler.handle(exchange)
        }
    }

    /// From here on no thread has the exchange, until its wait is over.
    private func hold(_ exchange: Exchange, _ wait: ExchangeWait) {
        let connection = exchange.connection
        connection.inbound.compact()
        var wait = wait
        wait.heldBytes += connection.inbound.count
        waiting.add(wait, on: connection.descriptor, for: connection.holder) { [self, wait] wake in
            // A turn of its own, and a short one: it goes past what waits for a share.
            _ = pool.submit(always: true) { [self] in
                exchange.leaveShare()
                wait.resume(exchange, wake)
                goOn(exchange)
            }
        }
    }

    /// After a request: the next one on its connection, if it is there or comes soon.
    private func conclude(_ exchange: Exchange) -> Exchange? {
        let connection = exchange.connection
        atWork.remove(exchange)
        exchange.noteOver()
        if let onResponded = configuration.onResponded, let report = exchange.report { onResponded(report) }
        switch exchange.outcome {
        case .handedOff: close(connection)
        case .close, .unanswered, .waiting: parking.lingerAndClose(connection)
        // It may have come back already.
        case .lent: break
        case .abort: abort(connection)
        case .keepAlive:
            connection.passes = 0
            // The few threads are not for what comes behind.
            if exchange.isOperational {
                parking.park(connection)
                return nil
            }
            guard let next = awaitNext(connection, for: exchange.clients) else { return nil }
            if clients(of: connection, next.head) == exchange.clients {
                return begin(connection, next.head, headBytes: next.bytes, of: exchange.clients)
            }
            // The thread counts for another client.
            dispatch(connection, next.head, headBytes: next.bytes)
        }
        return nil
    }

    /// The connection's next request, if it comes soon and no other request waits for this thread.
    /// Otherwise the connection has been parked, refused or closed.
    private func awaitNext(_ connection: Connection, for clients: [WorkerPool.ClientKey]) -> (head: RequestHead, bytes: Int)? {
        var hasWaited = false
        while !pool.isThreadWanted(from: clients) {
            switch connection.parseHead(configuration.limits) {
            case .head(let head, let bytes): return (head, bytes)
            case .refused(let error):
                refuseMalformed(connection, error)
                return nil
            case .needsMore: break
            }
            // A head that comes in pieces is the loop's to wait for.
            guard !hasWaited, let (progress, mayGoOn) = linger(connection, for: clients), let progress else { break }
            guard case .moved = progress else {
                close(connection)
                return nil
            }
            if !mayGoOn { break }
            hasWaited = true
        }
        if !connection.inbound.isEmpty { connection.noteUnderWay() }
        parking.park(connection)
        return nil
    }

    private func linger(
        _ connection: Connection, for clients: [WorkerPool.ClientKey]
    ) -> (progress: SocketProgress?, mayGoOn: Bool)? {
        pool.lingering(for: clients) { lingering.wait { connection.receive(within: configuration.lingerTime) } }
            .map { ($0.result, $0.mayGoOn) }
    }
}
