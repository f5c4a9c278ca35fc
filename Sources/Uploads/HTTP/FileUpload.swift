import Threading

/// A finished file on its way: by one request of known length, repeated whole, or to a store in parts that are repeated alone.
/// The file stays; it is the caller's to remove once `send` has returned.
package final class FileUpload: Sendable {
    package enum Destination: Sendable {
        case http(HTTPClient, HTTPUpload.Target)
        case object(S3Client, ObjectKey, ObjectFields)
    }

    private let file: SpoolFile
    private let destination: Destination
    private let retry: RetryRule
    private let partSizes: PartSizes
    private let state = Monitor(State())

    private struct State {
        var delivery: Delivery?
        var upload: S3Upload?
        var isAborted = false
    }

    package init(_ file: SpoolFile, to destination: Destination, retry: RetryRule = RetryRule(), partSizes: PartSizes = .usual) {
        (self.file, self.destination, self.retry, self.partSizes) = (file, destination, retry, partSizes)
    }

    /// Waits for the final status. To be called once.
    package func send() throws(UploadError) {
        let size = try file.size()
        switch destination {
        case .http(let client, let target):
            var plan = DeliveryPlan(doing: target.doing, request: { target.request(expectsContinue: size >= HTTPUpload.fewestBytesWithLeave) }, retry: retry)
            plan.body = FileBody(file, 0..<size)
            plan.followsRedirections = true
            let delivery = client.start(plan)
            if began({ $0.delivery = delivery }) { client.cancel(delivery) }
            _ = try delivery.wait()
        case .object(let client, let key, let fields):
            var options = S3Upload.Options()
            options.retry = retry
            options.partSizes = partSizes
            let upload = S3Upload(client, key, fields, options: options)
            if began({ $0.upload = upload }) { upload.abort() }
            try upload.send(file, size: size)
        }
    }

    /// Ends `send` at once, from any thread.
    package func abort() {
        let (delivery, upload) = state.withLock { state in
            state.isAborted = true
            return (state.delivery, state.upload)
        }
        if let delivery, case .http(let client, _) = destination { client.cancel(delivery) }
        upload?.abort()
    }

    /// Whether it was aborted before.
    private func began(_ change: (inout State) -> Void) -> Bool {
        state.withLock { state in
            change(&state)
            return state.isAborted
        }
    }
}
