import Bytewise
import Stores
import Threading

/// Requests to one store: signed, judged and repeated as S3 wants it.
package final class S3Client: Sendable {
    package let store: Store
    package let http: HTTPClient
    /// What is added to this machine's clock, in seconds, after a store has said that it is wrong.
    private let skew = Monitor(0)

    /// That the keys are read from; nil: they are the store's.
    private let credentialsFile: CredentialsFile?

    package init(_ http: HTTPClient, _ store: Store) {
        (self.http, self.store) = (http, store)
        credentialsFile = if case .file(let path) = store.credentials { CredentialsFile(path) } else { nil }
    }

    private func currentCredentials() throws(UploadError) -> Credentials {
        switch store.credentials {
        case .fixed(let credentials): credentials
        case .file(let path): try (credentialsFile ?? CredentialsFile(path)).credentials()
        }
    }

    /// One request, before it is signed.
    struct Request: Sendable {
        var method: HTTPRequest.Method
        var key: ObjectKey?
        var query: [(name: String, value: String)] = []
        var headers: [HTTPHeader] = []
        /// SHA-256 of the body, in hexadecimal.
        var payloadHash = SignatureV4.emptyPayload
        var expectsContinue = false
        /// It must be known how often it was sent.
        var isCounted = false
    }

    func name(of key: ObjectKey) -> String { "s3://\(store.name)/\(key.text.without(prefix: store.prefix) ?? key.text)" }

    func plan(_ doing: String, _ request: Request, body: (any RequestBody)? = nil, retry: RetryRule) -> DeliveryPlan {
        var plan = DeliveryPlan(doing: doing, request: { () throws(UploadError) in try self.signed(request) }, retry: retry)
        plan.body = body
        plan.judge = { self.judge($0) }
        return plan
    }

    private func signed(_ request: Request) throws(UploadError) -> HTTPRequest {
        let signature = SignatureV4(credentials: try currentCredentials(), region: store.region, moment: HTTPDate.basic(HTTPDate.now + skew.withLock { $0 }))
        let subject = SignatureV4.Subject(
            method: request.method.rawValue, host: store.authority, path: store.path(request.key), query: request.query,
            headers: request.headers.map { ($0.name, $0.value.revealed) })
        var headers = request.headers
        for (name, value) in signature.headers(for: subject, payloadHash: request.payloadHash) { headers.append(try HTTPHeader(checking: name, value)) }
        let query = SignatureV4.canonical(query: request.query)
        let url = try HTTPURL("\(store.endpoint.scheme)://\(store.authority)\(subject.path)\(query.isEmpty ? "" : "?" + query)")
        return HTTPRequest(
            method: request.method, url: url, headers: headers, expectsContinue: request.expectsContinue, connectsAnew: request.isCounted,
            signatureSecrets: signature.credentials.secrets)
    }

    /// A URL that reads the object without keys, as long as it is valid: up to seven days, and no longer than a session
    /// token of the store's.
    package func presignedURL(_ key: ObjectKey, validFor duration: Duration) throws(UploadError) -> Secret {
        let seconds = Int(duration.components.seconds)
        guard (1...604_800).contains(seconds) else {
            throw UploadError(.invalid, "pre-signed URL", "it is valid for 1 to 604800 seconds, and \(seconds) were asked for")
        }
        let moment = HTTPDate.basic(HTTPDate.now + skew.withLock { $0 })
        let signature = SignatureV4(credentials: try currentCredentials(), region: store.region, moment: moment)
        let subject = SignatureV4.Subject(method: "GET", host: store.authority, path: store.path(key))
        return Secret("\(store.endpoint.scheme)://\(store.authority)\(subject.path)?\(signature.presignedQuery(for: subject, seconds: seconds))")
    }

    // MARK: - Responses

    /// What is not there now, and may be in a moment.
    private static let passingCodes = [
        "InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "ThrottlingException", "TooManyRequests",
        // The body was damaged on its way.
        "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch",
    ]
    private static let expiryCodes = ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId"]

    func judge(_ response: HTTPResponse) -> DeliveryPlan.Judgement { response.isSuccess ? .accepted : refusal(response) }

    /// Of a response that is an error, whatever its status is.
    func refusal(_ response: HTTPResponse) -> DeliveryPlan.Judgement {
        let answer = S3Answer(response.body)
        let code = answer.element("Code").map { $0.shortened(to: 60).sanitised }
        var error = UploadError(.refused, "", "the store answered \(HTTPResponse.named(response.status))", status: response.status)
        if let code { error.reason += ", \(code)" }
        error.code = code
        // Not the whole response: a refused signature is explained with what was signed, token and all.
        if code != nil, let message = answer.element("Message") { error.excerpt = message.sanitised.shortened(to: HTTPResponse.mostExcerptBytes) }
        if let region = response.header("x-amz-bucket-region") ?? answer.element("Region"), !region.isSame(as: store.region), !region.isEmpty {
            error.reason += "; the bucket is of the region \(region.shortened(to: 60).sanitised), and the store is configured for \(store.region)"
        }
        return isPassing(response, code) ? .again(error) : .failed(error)
    }

    private func isPassing(_ response: HTTPResponse, _ code: String?) -> Bool {
        if RetryRule.isPassing(response.status) { return true }
        guard let code else { return false }
        if code.isSame(as: "RequestTimeTooSkewed"), let theirs = response.header("Date").flatMap({ HTTPDate.seconds(of: $0) }) {
            skew.withLock { $0 = theirs - HTTPDate.now }
            return true
        }
        // A file may have others by the next attempt.
        if case .file = store.credentials, Self.expiryCodes.contains(where: { $0.isSame(as: code) }) { return true }
        return Self.passingCodes.contains { $0.isSame(as: code) }
    }
}
