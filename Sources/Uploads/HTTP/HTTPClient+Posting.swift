extension HTTPClient {
    /// POSTs bytes that are in memory, once: without redirections, and without another attempt. `onEnd` gets the response
    /// whatever its status, or why there is none; it is called once, on the client's thread. The client lives until then.
    package func post(
        _ bytes: [UInt8], to url: HTTPURL, headers: [HTTPHeader], onEnd: @escaping @Sendable (Result<HTTPResponse, UploadError>) -> Void
    ) {
        let target = HTTPUpload.Target(url, method: .post, headers: headers)
        var plan = DeliveryPlan(doing: target.doing, request: { target.request(expectsContinue: false) }, retry: .never)
        plan.body = BytesBody(bytes)
        plan.judge = { _ in .accepted }
        _ = start(plan) { result in withExtendedLifetime(self) { onEnd(result) } }
    }
}
