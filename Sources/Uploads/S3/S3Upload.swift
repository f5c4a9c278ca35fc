import Bytewise
import Crypto
import Threading

/// An object that is sent while it is written: parts of 8 MiB and more, several at once, each repeated alone. What is no larger than
/// the first part is one request. Where it fails or is aborted, no parts are left; `leftover` says so if that failed as well.
package final class S3Upload: UploadSink, @unchecked Sendable {
    // Unchecked: `buffer`, `number` and `total` are the writing thread's alone.
    package struct Options: Sendable {
        /// Of each part, from its own first failure on.
        package var retry = RetryRule()
        package var mostInFlight = 4
        package var partSizes = PartSizes.usual
        /// Of parts that are in memory, beside the one that is being filled.
        package var memory = 128 * 1_024 * 1_024
        /// Where large parts wait, which come after 60 GB; nil: in memory.
        package var spoolFolder: String?
        /// How long taking back may take.
        package var abortTime: Duration = .seconds(10)

        package init() {}
    }

    let client: S3Client
    package let key: ObjectKey
    let options: Options
    private let fields: ObjectFields
    private var buffer: PartBuffer?
    private var number = 0
    private var total = 0
    private let state = Monitor(State())

    private struct State {
        var uploadID: String?
        var inFlight: [Int: Delivery?] = [:]
        var parts: [S3Client.Part] = []
        /// What the writing thread waits for.
        var awaited: Delivery?
        var failure: UploadError?
        var isFinished = false
        var leftover: Leftover?
        /// A beginning had no answer: the store may have begun an upload whose name never came.
        var mayHaveUnnamed = false
    }

    /// What a store still has of an object that did not come about.
    package struct Leftover: Sendable, Equatable {
        package let key: ObjectKey
        package let uploadID: String
    }

    package init(_ client: S3Client, _ key: ObjectKey, _ fields: ObjectFields = .none, options: Options = Options()) {
        (self.client, self.key, self.fields, self.options) = (client, key, fields, options)
    }

    /// Parts that could not be taken back: a rule of the bucket's (AbortIncompleteMultipartUpload) has to.
    package var leftover: Leftover? { state.withLock(\.leftover) }

    // MARK: - The writing thread

    package func write(_ bytes: UnsafeRawBufferPointer) throws(UploadError) {
        do { try take(bytes) } catch { throw failed(error) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) throws(UploadError) {
        try checkFailure()
        if state.withLock(\.isFinished) { throw UploadError(.invalid, client.name(of: key), "it was finished, and takes no more") }
        var rest = bytes[...]
        while !rest.isEmpty {
            if buffer.map({ $0.room == 0 }) ?? true {
                try sendBuffer()
                buffer = try PartBuffer(capacity: options.partSizes.size(ofPart: number + 1), folder: options.spoolFolder)
            }
            let count = min(rest.count, buffer!.room)
            try buffer!.append(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
    }

    package func finish() throws(UploadError) {
        if state.withLock(\.isFinished) { return }
        do {
            try checkFailure()
            if number == 0 {
                let content = buffer?.content() ?? PartContent(body: BytesBody([]), digest: Array(SHA256.hash(data: [UInt8]())))
                buffer = nil
                _ = try send(client.put(key, fields, content, retry: options.retry))
            } else {
                try sendBuffer()
                try complete()
                takeBackUnnamed()
            }
        } catch { throw failed(error) }
        state.withLock { $0.isFinished = true }
    }

    /// The same with what a finished file has, instead of `write` and `finish`.
    func send(_ file: SpoolFile, size: Int) throws(UploadError) {
        do {
            try checkFailure()
            let partSize = options.partSizes.size(ofEachOf: size)
            if size <= partSize {
                _ = try send(client.put(key, fields, PartContent(file, 0..<size), retry: options.retry))
            } else {
                for start in stride(from: 0, to: size, by: partSize) {
                    try begin(PartContent(file, start..<min(start + partSize, size)), most: options.mostInFlight)
                }
                try complete()
                takeBackUnnamed()
            }
        } catch { throw failed(error) }
        state.withLock { $0.isFinished = true }
    }

    private func sendBuffer() throws(UploadError) {
        guard let full = buffer, full.count > 0 else { return }
        buffer = nil
        let most = full.isInMemory ? max(1, options.memory / max(1, full.capacity)) : options.mostInFlight
        try begin(full.content(), most: min(most, options.mostInFlight))
    }

    /// Begins a part, once fewer than `most` are on their way.
    private func begin(_ content: PartContent, most: Int) throws(UploadError) {
        if number == PartSizes.mostParts { throw UploadError(.invalid, client.name(of: key), "it has more than the \(PartSizes.mostParts) parts that S3 takes") }
        let id = try uploadID()
        number += 1
        total += content.size
        let number = number
        try awaitParts { $0.inFlight.count < most }
        let plan = try client.part(number, of: key, id, content, retry: options.retry)
        state.withLock { $0.inFlight[number] = .some(nil) }
        let digest = content.digest
        let delivery = client.http.start(plan) { self.ended(number, digest, $0) }
        let isOver = state.withLock { state in
            if state.inFlight[number] != nil { state.inFlight[number] = delivery }
            return state.failure != nil
        }
        if isOver { client.http.cancel(delivery) }
    }

    /// On the client's thread.
    private func ended(_ number: Int, _ digest: [UInt8], _ result: Result<HTTPResponse, UploadError>) {
        state.change { state in
            state.inFlight[number] = nil
            switch result {
            case .success(let response): state.parts.append(S3Client.Part(number: number, entityTag: response.header("ETag") ?? "", digest: digest))
            case .failure(let error): state.failure = state.failure ?? error
            }
        }
    }

    private func uploadID() throws(UploadError) -> String {
        if let id = state.withLock(\.uploadID) { return id }
        let attempts = Monitor(0)
        var plan = try client.create(key, fields, retry: options.retry)
        plan.request = { [request = plan.request] () throws(UploadError) in
            attempts.withLock { $0 += 1 }
            return try request()
        }
        defer { if attempts.withLock({ $0 }) > 1 { state.withLock { $0.mayHaveUnnamed = true } } }
        let response: HTTPResponse
        do { response = try send(plan) } catch {
            if error.status == nil { state.withLock { $0.mayHaveUnnamed = true } }
            throw error
        }
        let id = S3Answer(response.body).element("UploadId") ?? ""
        state.withLock { $0.uploadID = id }
        try checkFailure()
        return id
    }

    private func awaitParts(_ isEnough: (State) -> Bool) throws(UploadError) {
        let failure: UploadError?? = state.wait { state in
            if let failure = state.failure { return .some(failure) }
            return isEnough(state) ? .some(nil) : nil
        }
        if let failure = failure ?? nil { throw failure }
    }

    private func complete() throws(UploadError) {
        try awaitParts(\.inFlight.isEmpty)
        let (id, parts) = state.withLock { ($0.uploadID ?? "", $0.parts.sorted { $0.number < $1.number }) }
        let object = S3Parts(parts: parts, size: total)
        var wasLost = false
        do { _ = try send(client.complete(key, id, parts, retry: options.retry)) } catch {
            // Of an earlier attempt the answer may have been lost: then the upload is gone because the object is there.
            guard error.code == "NoSuchUpload", error.attempts > 1 else { throw error }
            wasLost = true
        }
        state.withLock { $0.uploadID = nil }
        do { try object.check(send(client.head(key, retry: options.retry)), isIdentified: wasLost, client.name(of: key)) } catch {
            // The store has said that it is there, and each part was of its checksum: that it can't be looked at changes nothing.
            if wasLost || error.kind == .damaged { throw error }
        }
    }

    /// Sends what `abort` can interrupt, and waits for it.
    private func send(_ plan: DeliveryPlan) throws(UploadError) -> HTTPResponse {
        let delivery = client.http.start(plan)
        let isOver = state.withLock { state in
            state.awaited = delivery
            return state.failure != nil
        }
        if isOver { client.http.cancel(delivery) }
        return try delivery.wait()
    }

    private func checkFailure() throws(UploadError) { if let failure = state.withLock(\.failure) { throw failure } }

    // MARK: - Failure

    private func failed(_ error: UploadError) -> UploadError {
        let first = state.change { state in
            state.failure = state.failure ?? error
            return state.failure!
        }
        buffer = nil
        takeBack()
        return first
    }

    /// As of every sink; an end that the store is making already may still come about.
    package func abort() {
        let isFinished = state.change { state in
            if !state.isFinished { state.failure = state.failure ?? UploadError(.interrupted, client.name(of: key), "it was aborted") }
            return state.isFinished
        }
        if !isFinished { takeBack() }
    }

    /// Ends what is under way, and has the store forget the parts: once.
    private func takeBack() {
        let (id, deliveries) = state.withLock { state in
            defer { state.uploadID = nil }
            return (state.uploadID, state.inFlight.values.compactMap { $0 } + (state.awaited.map { [$0] } ?? []))
        }
        for delivery in deliveries { client.http.cancel(delivery) }
        defer { takeBackUnnamed() }
        guard let id else { return }
        // A part that arrives after the abort would stay.
        for delivery in deliveries { _ = try? delivery.wait() }
        if !isTakenBack(id) { state.withLock { $0.leftover = Leftover(key: key, uploadID: id) } }
    }

    /// Uploads of this object without a part: one that others have just begun would be among them, and one that they write has parts.
    private func takeBackUnnamed() {
        let isDue = state.withLock { state in
            defer { state.mayHaveUnnamed = false }
            return state.mayHaveUnnamed
        }
        if !isDue { return }
        let deadline = Deadline.after(options.abortTime)
        func retry() -> RetryRule { RetryRule(retryTime: deadline.timeLeft, firstPause: min(options.retry.firstPause, .milliseconds(500)), longestPause: .seconds(2)) }
        // Keys that may write and not list: a rule of the bucket's has to.
        guard let list = try? client.http.send(client.listUploads(of: key, retry: retry())) else { return }
        let others = S3Answer(list.body).elements("Upload").filter { $0.element("Key")?.isSame(as: key.text) ?? false }
        for id in others.compactMap({ $0.element("UploadId") }).prefix(Self.mostUnnamed) where deadline.timeLeft > .zero {
            guard let parts = try? client.http.send(client.listParts(key, id, retry: retry())), parts.isSuccess,
                S3Answer(parts.body).element("PartNumber") == nil
            else { continue }
            _ = try? client.http.send(client.abort(key, id, retry: retry()))
        }
    }

    /// As many are looked at.
    private static let mostUnnamed = 16

    private func isTakenBack(_ id: String) -> Bool {
        let deadline = Deadline.after(options.abortTime)
        // A part that the store had already begun to take may come in behind an abort: S3 asks for another one then.
        for attempt in 0..<3 {
            let retry = RetryRule(retryTime: deadline.timeLeft, firstPause: min(options.retry.firstPause, .milliseconds(500)), longestPause: .seconds(2))
            guard let gone = try? client.http.send(client.abort(key, id, retry: retry)) else { return false }
            if gone.status == 404 { return true }
            // A server that lists none is asked once more, for nothing.
            guard let left = try? client.http.send(client.listParts(key, id, retry: .never)) else {
                if attempt > 0 { return true }
                continue
            }
            if left.status == 404 || S3Answer(left.body).element("PartNumber") == nil { return true }
        }
        return false
    }
}
