import Bytewise
import Threading

/// What is to be asked of a server, how often, and which responses are good.
package struct DeliveryPlan: Sendable {
    package enum Judgement: Sendable {
        case accepted
        case failed(UploadError)
        /// It may be better the next time, whatever the status is.
        case again(UploadError)
    }

    /// As errors say it.
    var doing: String
    /// Makes the request, anew for each attempt: signatures have a time.
    var request: @Sendable () throws(UploadError) -> HTTPRequest
    var body: (any RequestBody)?
    var retry: RetryRule
    /// nil: a status of success is one.
    var judge: (@Sendable (HTTPResponse) -> Judgement)?
    var followsRedirections = false
    /// Asked after a failure that passes: false: it is not waited out all the same. nil: it is.
    var mayRepeat: (@Sendable () -> Bool)?
    /// Takes back what an interrupted upload has left, and so is made all the same.
    var survivesInterruption = false
}

/// One request until it is answered or given up: its attempts, its redirections and the pauses between. The client's thread
/// moves it on; any other waits for it.
final class Delivery: @unchecked Sendable {
    // Unchecked: what is not behind `outcome` is touched by the client's thread alone.
    let plan: DeliveryPlan
    private let outcome = Monitor<Result<HTTPResponse, UploadError>?>(nil)
    private let onEnd: (@Sendable (Result<HTTPResponse, UploadError>) -> Void)?

    private var attempts = 0
    private var failures = 0
    private var deadline: Deadline?
    private var attemptBegan = ContinuousClock.now
    private var redirected: HTTPURL?
    private var redirections = 0
    private var asksForLeave = true
    private var redactor = Redactor()

    enum Next {
        case ended
        case again(after: Duration)
    }

    init(_ plan: DeliveryPlan, onEnd: (@Sendable (Result<HTTPResponse, UploadError>) -> Void)?) { (self.plan, self.onEnd) = (plan, onEnd) }

    /// Waits for the response that was accepted, or for the last failure.
    func wait() throws(UploadError) -> HTTPResponse { try outcome.wait { $0 }!.get() }

    /// nil while it is under way.
    var ended: Result<HTTPResponse, UploadError>? { outcome.withLock { $0 } }

    // MARK: - The client's thread

    func transfer(_ rules: ConnectionRules) throws(UploadError) -> Transfer {
        attempts += 1
        attemptBegan = .now
        var request = try plan.request()
        request.expectsContinue = request.expectsContinue && asksForLeave
        for secret in request.secrets { redactor.add(secret) }
        if let redirected {
            if !redirected.origin.isSame(as: request.url.origin) { request.headers.removeAll { !$0.isOfTheBody } }
            request.url = redirected
            for secret in redirected.secrets { redactor.add(secret) }
        }
        return try Transfer(request, body: plan.body, rules: rules)
    }

    func finish(_ result: Result<HTTPResponse, UploadError>) {
        let isFirst = outcome.change { outcome in
            defer { outcome = outcome ?? result }
            return outcome == nil
        }
        if isFirst { onEnd?(result) }
    }

    func interrupted() { finish(.failure(completed(UploadError(.interrupted, plan.doing, "it was interrupted")))) }

    /// An attempt has ended.
    func ended(_ result: Result<HTTPResponse, UploadError>, of request: HTTPRequest, _ rules: ConnectionRules) -> Next {
        noteHealth(rules)
        switch result {
        case .failure(let error): return failed(error, isPassing: error.isPassing, retryAfter: nil)
        case .success(let response):
            // RFC 9110, 10.1.1: the same without asking.
            if response.status == 417, request.expectsContinue, plan.body?.rewind() ?? true {
                asksForLeave = false
                return .again(after: .zero)
            }
            if plan.followsRedirections, let location = location(in: response) { return redirect(response, to: location, request, rules) }
            switch plan.judge?(response) ?? judgeByStatus(response) {
            case .accepted:
                finish(.success(response))
                return .ended
            case .failed(let error): return failed(excerpted(error, response), isPassing: false, retryAfter: nil)
            case .again(let error): return failed(excerpted(error, response), isPassing: true, retryAfter: response.retryAfter)
            }
        }
    }

    /// A body that is still being written may meet one failure an hour: the time for retries begins anew with each, after an attempt
    /// that went well for longer than that. Of a body that has ended it does not, or a file that always breaks off late would
    /// be sent for ever.
    private func noteHealth(_ rules: ConnectionRules) {
        guard let body = plan.body as? any GrowingBody, body.size == nil else { return }
        if attemptBegan.duration(to: .now) > plan.retry.retryTime + rules.stallTimeout { (failures, deadline) = (0, nil) }
    }

    func failed(_ error: UploadError, isPassing: Bool, retryAfter: Duration?) -> Next {
        var error = error
        failures += 1
        let deadline = deadline ?? .after(plan.retry.retryTime)
        self.deadline = deadline
        let pause = plan.retry.pause(afterFailures: failures, retryAfter: retryAfter)
        if isPassing && plan.retry.retryTime > .zero && plan.mayRepeat?() ?? true && pause <= deadline.timeLeft {
            if plan.body?.rewind() ?? true { return .again(after: pause) }
            error.isUnrepeatable = true
        } else if isPassing, let retryAfter, pause > deadline.timeLeft {
            error.reason += ", and asks to be left alone for \(retryAfter.shown), beyond the time for retries"
        }
        finish(.failure(completed(error)))
        return .ended
    }

    private func completed(_ error: UploadError) -> UploadError {
        var error = error
        error.doing = plan.doing
        error.reason = redactor.redacted(error.reason)
        error.attempts = max(1, attempts)
        return error
    }

    private func excerpted(_ error: UploadError, _ response: HTTPResponse) -> UploadError {
        var error = error
        if error.excerpt.isEmpty { error.excerpt = response.excerpt(without: redactor) }
        return error
    }

    private func judgeByStatus(_ response: HTTPResponse) -> DeliveryPlan.Judgement {
        if response.isSuccess { return .accepted }
        let error = UploadError(.refused, plan.doing, "the server answered \(HTTPResponse.named(response.status))", status: response.status)
        return RetryRule.isPassing(response.status) ? .again(error) : .failed(error)
    }

    // MARK: - Redirections

    private func location(in response: HTTPResponse) -> String? {
        [301, 302, 307, 308].contains(response.status) ? response.header("Location") : nil
    }

    private func redirect(_ response: HTTPResponse, to location: String, _ request: HTTPRequest, _ rules: ConnectionRules) -> Next {
        let doing = plan.doing, status = response.status
        let refuse = { (reason: String) -> Next in
            let error = UploadError(.redirected, doing, "the server answered \(HTTPResponse.named(status)), and \(reason)", status: status)
            return self.failed(error, isPassing: false, retryAfter: nil)
        }
        guard let target = try? HTTPURL(location, relativeTo: request.url) else { return refuse("its Location is no URL of http or https") }
        let redirection = ConnectionRules.Redirection(from: request.url, to: target, status: status)
        guard let judge = rules.refusalOfRedirection else { return refuse("a redirection to \(target.origin) is not followed") }
        if let reason = judge(redirection) { return refuse("a redirection to \(target.origin) is not followed: \(reason)") }
        redirections += 1
        let most = ConnectionRules.mostRedirections
        if redirections > most { return refuse("that was redirection \(redirections): no more than \(most) are followed") }
        guard plan.body?.rewind() ?? true else {
            return refuse("what has been sent is no longer here to be sent to \(target.origin)")
        }
        redirected = target
        return .again(after: .zero)
    }
}
