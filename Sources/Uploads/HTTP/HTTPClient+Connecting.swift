extension HTTPClient {
    /// Connects, with TLS where the URL wants it, and sends nothing: throws why no request would get there.
    package func tryConnecting(to url: HTTPURL) throws(UploadError) {
        var request = HTTPRequest(method: .head, url: url)
        request.connectsOnly = true
        let connecting = request
        _ = try send(DeliveryPlan(doing: "connection to \(url.origin)", request: { connecting }, retry: .never))
    }
}
