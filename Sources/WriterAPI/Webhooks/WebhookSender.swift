import Bytewise
import SystemIO
import Uploads
import WriterModel

/// Makes the requests that it is given, each once, by libcurl. Which addresses a client's URL may lead to is judged where
/// a connection is made to one.
final class WebhookSender: Sendable {
    private let serverPorts: [UInt16]
    private let ownAddresses: [[UInt8]]
    private let authorities: [UInt8]?
    /// For the operator's URLs: connections are kept.
    private let operatorsClient: HTTPClient
    private let tell: @Sendable (WebhookMessage) -> Void

    private static func rules(_ authorities: [UInt8]?) -> ConnectionRules {
        var rules = ConnectionRules()
        rules.authorities = authorities
        rules.connectTimeout = .seconds(10)
        rules.stallTimeout = .seconds(15)
        rules.responseTimeout = .seconds(20)
        return rules
    }

    /// `ownAddresses`: of this machine, besides those of the loopback. `authorities`: PEM, besides the system's.
    init(
        serverPorts: [UInt16], ownAddresses: [[UInt8]], authorities: [UInt8]?, tell: @escaping @Sendable (WebhookMessage) -> Void
    ) throws(UploadError) {
        self.authorities = authorities
        self.serverPorts = serverPorts
        self.ownAddresses = ownAddresses
        self.tell = tell
        operatorsClient = try HTTPClient(rules: Self.rules(authorities))
    }

    func send(_ request: WebhookRequest) {
        let (number, tell) = (request.number, tell)
        do throws(UploadError) {
            let url = try HTTPURL(request.url)
            var headers: [HTTPHeader] = []
            for header in request.headers { headers.append(try HTTPHeader(header.name, header.value)) }
            let gate = request.patterns == nil ? nil : AddressGate()
            let client = try gate.map { gate throws(UploadError) in try ownClient(for: request, url, gate) } ?? operatorsClient
            client.post(Array(request.body.utf8), to: url, headers: headers) { result in
                tell(.sent(number: number, Self.result(result, gate)))
            }
        } catch {
            tell(.sent(number: number, .failed(reason: error.description)))
        }
    }

    /// Of its own, so that no connection is used that another rule has let through.
    private func ownClient(for request: WebhookRequest, _ url: HTTPURL, _ gate: AddressGate) throws(UploadError) -> HTTPClient {
        let permit: AddressPermit
        switch CallbackPolicy(patterns: request.patterns ?? []).permit(request.url) {
        case .success(let allowed): permit = allowed
        case .failure(let refusal): throw UploadError(refusing: request.url, refusal.reason)
        }
        let host = permit.host
        // Two readers of one URL that find different hosts in it: it was made for that.
        guard url.host.isSame(as: host.holds(":") ? "[\(host)]" : host), permit.covers(host: host, port: url.port) else {
            throw UploadError(refusing: request.url, "its host can't be told")
        }
        gate.close(serverPorts: serverPorts, ownAddresses: ownAddresses)
        gate.admit(permit)
        var rules = Self.rules(authorities)
        rules.allowsAddress = { [port = url.port] address, _ in
            guard let bytes = NameLookup.bytes(of: address), var judge = gate.judge(host: host, port: port) else { return false }
            if judge.allows(bytes) { return true }
            gate.note(refusedBy: judge)
            return false
        }
        return try HTTPClient(rules: rules)
    }

    private static func result(_ result: Result<HTTPResponse, UploadError>, _ gate: AddressGate?) -> WebhookResult {
        switch result {
        case .success(let response):
            return .answered(status: response.status, retryAfter: response.retryAfter.map { Double($0.components.seconds) })
        case .failure(let error):
            return .failed(reason: (error.kind == .addressForbidden ? gate?.refusal : nil) ?? error.description)
        }
    }
}

extension UploadError {
    fileprivate init(refusing url: String, _ reason: String) {
        self.init(.addressForbidden, "POST to \(URLText.redacted(destination: url))", reason)
    }
}
