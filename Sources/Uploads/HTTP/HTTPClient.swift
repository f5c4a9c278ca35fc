import Threading

/// Makes requests, by one thread of its own for all of them. `interrupt` ends them at once, from any thread.
package final class HTTPClient: Sendable {
    let rules: ConnectionRules
    private let mailbox: Mailbox

    /// Starts the thread.
    package init(rules: ConnectionRules = ConnectionRules()) throws(UploadError) {
        self.rules = rules
        let mailbox = Mailbox(try CurlMulti())
        self.mailbox = mailbox
        do { try SystemThread.start(name: "uploads") { TransferLoop(mailbox, rules).run() } } catch {
            throw UploadError(.local, "start a thread for uploads", error.description)
        }
    }

    deinit { mailbox.post { $0.isClosed = true } }

    /// Ends what is under way, and what is begun later, as `interrupted`. What takes back an upload is still made.
    package func interrupt() { mailbox.post { $0.isInterrupted = true } }

    /// Begins a request. `onEnd` is called once, on the client's thread.
    func start(_ plan: DeliveryPlan, onEnd: (@Sendable (Result<HTTPResponse, UploadError>) -> Void)? = nil) -> Delivery {
        let delivery = Delivery(plan, onEnd: onEnd)
        mailbox.post { $0.begun.append(delivery) }
        return delivery
    }

    package func send(_ plan: DeliveryPlan) throws(UploadError) -> HTTPResponse { try start(plan).wait() }

    func cancel(_ delivery: Delivery) { mailbox.post { $0.cancelled.append(delivery) } }

    /// What had nothing to send has something.
    func resume(_ delivery: Delivery) { mailbox.post { $0.resumed.append(delivery) } }
}

/// What other threads tell the client's.
final class Mailbox: Sendable {
    struct Letters {
        var begun: [Delivery] = []
        var resumed: [Delivery] = []
        var cancelled: [Delivery] = []
        var isInterrupted = false
        var isClosed = false
    }

    let multi: CurlMulti
    private let letters = Monitor(Letters())

    init(_ multi: CurlMulti) { self.multi = multi }

    func post(_ change: (inout Letters) -> Void) {
        letters.withLock { change(&$0) }
        multi.wake()
    }

    func take() -> Letters {
        letters.withLock { letters in
            defer { (letters.begun, letters.resumed, letters.cancelled) = ([], [], []) }
            return letters
        }
    }
}
