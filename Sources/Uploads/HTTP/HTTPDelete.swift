/// Deletes what is no longer wanted. That it is not there is as good.
package struct HTTPDelete: Sendable {
    private let client: HTTPClient
    private let plan: DeliveryPlan

    package init(_ client: HTTPClient, _ target: HTTPUpload.Target, retry: RetryRule) {
        self.client = client
        // What describes a body stays away where there is none.
        let request = HTTPRequest(method: .delete, url: target.url, headers: target.headers.filter { !$0.isOfTheBody })
        var plan = DeliveryPlan(doing: "DELETE to \(target.url.origin)", request: { request }, retry: retry)
        plan.followsRedirections = true
        plan.judge = { response in
            if response.isSuccess || response.status == 404 || response.status == 410 { return .accepted }
            let error = UploadError(.refused, "", "the server answered \(HTTPResponse.named(response.status))", status: response.status)
            return RetryRule.isPassing(response.status) ? .again(error) : .failed(error)
        }
        self.plan = plan
    }

    /// Waits for the final status.
    package func send() throws(UploadError) { _ = try client.send(plan) }
}
