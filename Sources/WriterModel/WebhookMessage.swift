import Bytewise

/// What the gateway and the process that sends webhooks say to each other.
public enum WebhookMessage: Sendable, Equatable {
    /// Gateway to sender, first.
    case start(WebhookSenderStart)
    /// Gateway to sender: one request to be made, once.
    case send(WebhookRequest)
    /// Sender to gateway: what came of it.
    case sent(number: UInt64, WebhookResult)

    public var encoded: [UInt8] {
        let json: JSONValue =
            switch self {
            case .start(let start): ["start": start.json]
            case .send(let request): ["send": request.json]
            case .sent(let number, let result): ["sent": .string(String(number)), "result": result.json]
            }
        return json.encoded
    }

    /// nil when the bytes are no message.
    public init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.objectValue else { return nil }
        if let start = object["start"] {
            guard let start = WebhookSenderStart(json: start) else { return nil }
            self = .start(start)
        } else if let request = object["send"] {
            guard let request = WebhookRequest(json: request) else { return nil }
            self = .send(request)
        } else {
            guard let number = object["sent"]?.stringValue.flatMap({ UInt64($0) }), let result = object["result"].flatMap(WebhookResult.init(json:)) else { return nil }
            self = .sent(number: number, result)
        }
    }
}

/// What a process that sends webhooks is told of the server, and no more than that.
public struct WebhookSenderStart: Sendable, Equatable {
    /// Where the server itself listens: callbacks do not reach it.
    public var serverPorts: [UInt16]
    public var requiresSandbox: Bool
    /// The least level that is logged, by swift-log's name.
    public var logLevel: String
    /// Of authorities that are trusted besides the system's.
    public var caFile: String?

    public init(serverPorts: [UInt16], requiresSandbox: Bool, logLevel: String, caFile: String? = nil) {
        (self.serverPorts, self.requiresSandbox, self.logLevel, self.caFile) = (serverPorts, requiresSandbox, logLevel, caFile)
    }

    var json: JSONValue {
        [
            "server_ports": .array(serverPorts.map { .integer(Int64($0)) }), "requires_sandbox": .bool(requiresSandbox), "log_level": .string(logLevel),
            "ca_file": caFile.map { .string($0) } ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let ports = object["server_ports"]?.arrayValue, let level = object["log_level"]?.stringValue else { return nil }
        self.init(
            serverPorts: ports.compactMap { $0.integerValue.flatMap { UInt16(exactly: $0) } },
            requiresSandbox: object["requires_sandbox"] != .bool(false), logLevel: level, caFile: object["ca_file"]?.stringValue)
    }
}

/// One POST, signed.
public struct WebhookRequest: Sendable, Equatable {
    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// The gateway's own, of this attempt.
    public var number: UInt64
    public var url: String
    /// Those of `--allow-callback` that name the URL, by which its addresses are judged; nil: the URL is the operator's.
    public var patterns: [String]?
    public var headers: [Header]
    public var body: String

    public init(number: UInt64, url: String, patterns: [String]?, headers: [Header], body: String) {
        (self.number, self.url, self.patterns, self.headers, self.body) = (number, url, patterns, headers, body)
    }

    var json: JSONValue {
        [
            "number": .string(String(number)), "url": .string(url),
            "patterns": patterns.map { .array($0.map { .string($0) }) } ?? .null,
            "headers": .array(headers.map { .array([.string($0.name), .string($0.value)]) }), "body": .string(body),
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let number = object["number"]?.stringValue.flatMap({ UInt64($0) }), let url = object["url"]?.stringValue,
            let headers = object["headers"]?.arrayValue, let body = object["body"]?.stringValue
        else { return nil }
        self.init(
            number: number, url: url, patterns: object["patterns"]?.arrayValue?.compactMap(\.stringValue),
            headers: headers.compactMap { header in
                guard let pair = header.arrayValue, pair.count == 2, let name = pair[0].stringValue, let value = pair[1].stringValue else { return nil }
                return Header(name, value)
            }, body: body)
    }
}

/// What came of a request.
public enum WebhookResult: Sendable, Equatable {
    /// `retryAfter`: in seconds, where the receiver says it.
    case answered(status: Int, retryAfter: Double?)
    /// There was no answer: why, without secrets.
    case failed(reason: String)

    public static let mostReasonBytes = 400

    var json: JSONValue {
        switch self {
        case .answered(let status, let retryAfter): ["status": .integer(Int64(status)), "retry_after": retryAfter.map { .number($0) } ?? .null]
        case .failed(let reason): ["reason": .string(reason.shortened(to: Self.mostReasonBytes))]
        }
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue else { return nil }
        if let status = object["status"]?.integerValue {
            self = .answered(status: Int(clamping: status), retryAfter: object["retry_after"]?.numberValue)
        } else if let reason = object["reason"]?.stringValue {
            self = .failed(reason: reason.shortened(to: Self.mostReasonBytes))
        } else {
            return nil
        }
    }
}
