import Threading

/// One request of PUT or POST whose body is what is written. Failures that pass are waited out and the request is made again
/// while each byte of it is still here: always with a spool, and else up to `Options.window` bytes.
package final class HTTPUpload: UploadSink {
    package struct Target: Sendable {
        package enum Method: Sendable { case put, post }

        package var url: HTTPURL
        package var method: Method
        package var headers: [HTTPHeader]

        package init(_ url: HTTPURL, method: Method = .put, headers: [HTTPHeader] = []) { (self.url, self.method, self.headers) = (url, method, headers) }

        var doing: String { "\(method == .put ? "PUT" : "POST") to \(url.origin)" }

        func request(expectsContinue: Bool) -> HTTPRequest {
            HTTPRequest(method: method == .put ? .put : .post, url: url, headers: headers, expectsContinue: expectsContinue)
        }
    }

    package struct Options: Sendable {
        package var retry = RetryRule()
        /// Of the whole body, where it is known: it goes out with this `Content-Length`.
        package var size: Int?
        /// So many bytes are collected before the request begins; a body that ends within them has a `Content-Length`.
        /// 0: it begins with the first byte.
        package var collectedBytes = 0
        /// So many bytes wait for a peer that is slow.
        package var window = 1_024 * 1_024
        /// Keeps the whole body. Its file stays where the upload fails, and is the caller's to remove.
        package var spool: SpoolFile?

        package init() {}
    }

    /// From so many bytes on leave is asked before a body is sent.
    static let fewestBytesWithLeave = 1_024 * 1_024

    private let client: HTTPClient
    private let target: Target
    private let options: Options
    private let body: any GrowingBody
    private let state = Monitor(State())

    private struct State {
        var delivery: Delivery?
        var written = 0
        var isAborted = false
        /// The server has not asked for the body yet.
        var isOpening = false
        /// `finish` was called.
        var isEnded = false
        var isFinished = false
    }

    package init(_ client: HTTPClient, to target: Target, options: Options = Options()) {
        (self.client, self.target, self.options) = (client, target, options)
        body = options.spool.map { SpoolBody($0, size: options.size) }
            ?? LiveBody(capacity: max(options.window, options.collectedBytes), size: options.size)
    }

    /// Begins the request before there is anything to send, and waits until the server takes the body; of one that does not
    /// ask for it, until it has the head. A failure up to then is not waited out. Not for a body of a known size, or that is
    /// collected.
    package func open() throws(UploadError) {
        state.withLock { $0.isOpening = true }
        let delivery = begin()
        body.awaitReader()
        state.withLock { $0.isOpening = false }
        if case .failure(let error) = delivery.ended { throw error }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(UploadError) {
        let (written, isEnded) = state.withLock { state in
            if !state.isEnded { state.written += bytes.count }
            return (state.written, state.isEnded)
        }
        if isEnded { throw UploadError(.invalid, target.doing, "it was finished, and takes no more") }
        if let size = options.size, written > size { throw failed(sizeError("\(written) bytes or more")) }
        if written > options.collectedBytes { begin() }
        try body.append(bytes)
    }

    package func finish() throws(UploadError) {
        let written = state.withLock { state in
            state.isEnded = true
            return state.written
        }
        if let size = options.size, written < size { throw failed(sizeError("only \(written) bytes")) }
        body.end()
        do { _ = try begin().wait() } catch {
            // What is kept whole can be sent with its length, now that it has one.
            guard error.status == 411, options.size == nil, body.rewind(), !state.withLock(\.isAborted) else { throw error }
            _ = try begin(anew: true).wait()
        }
        state.withLock { $0.isFinished = true }
    }

    package func abort() {
        let delivery = state.withLock { state -> Delivery? in
            if state.isFinished { return nil }
            state.isAborted = true
            return state.delivery
        }
        body.fail(UploadError(.interrupted, target.doing, "it was aborted"))
        if let delivery { client.cancel(delivery) }
    }

    private func sizeError(_ came: String) -> UploadError {
        UploadError(.invalid, target.doing, "\(came) came, and the size was said to be \(options.size ?? 0)")
    }

    private func failed(_ error: UploadError) -> UploadError {
        abort()
        return error
    }

    /// Begins the request, once, or `anew`.
    @discardableResult
    private func begin(anew: Bool = false) -> Delivery {
        if !anew, let delivery = state.withLock(\.delivery) { return delivery }
        let (body, target) = (body, target)
        var plan = DeliveryPlan(
            doing: target.doing, request: { target.request(expectsContinue: (body.size ?? .max) >= Self.fewestBytesWithLeave) }, retry: options.retry)
        plan.body = body
        plan.followsRedirections = true
        plan.mayRepeat = { [weak self] in self.map { !$0.state.withLock(\.isOpening) } ?? true }
        let delivery = client.start(plan) { result in
            // With a spool a later attempt, with the length, may do.
            if case .failure(let error) = result, !(error.status == 411 && body.keepsAll) { body.fail(error) }
        }
        body.onMore { [weak client, weak delivery] in if let client, let delivery { client.resume(delivery) } }
        let isAborted = state.withLock { state in
            state.delivery = delivery
            return state.isAborted
        }
        if isAborted { client.cancel(delivery) }
        // It may have found nothing to read before it knew whom to tell.
        client.resume(delivery)
        return delivery
    }
}
