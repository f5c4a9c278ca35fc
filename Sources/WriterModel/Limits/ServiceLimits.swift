/// The bounds that both processes keep, each with its default. `fields` says what each is; times are in
/// seconds.
public struct ServiceLimits: Sendable, Equatable {
    public var maxWriters = 1_000
    public var maxConnections = 10_000
    public var maxConnectionsPerAddress = 0
    public var maxJSONBytes = 64 * 1_024
    public var maxHeadBytes = 32 * 1_024
    public var handlerThreads = 32
    public var idleConnectionTimeout = 75.0
    public var headTimeout = 15.0
    public var bodyTimeout = 60.0
    public var responseTimeout = 60.0
    public var shutdownGrace = 10.0
    public var idleTimeout = 3_600.0
    public var maxEncoderMemory = 4 << 30
    public var maxOutputBytes = 0
    public var maxRunTime = 0.0
    public var maxPixels = 8_192 * 8_192
    public var maxChannels = 64
    public var maxStreams = 16
    public var maxOutputs = 16
    public var maxThreads = 0
    public var defaultThreads = 1
    public var callTimeout = 120.0
    public var encoderTimeout = 30.0
    public var openTimeout = 30.0
    public var outputStallTimeout = 30.0
    public var uploadRetryTime = 60.0
    public var maxLoad = 0.0
    public var peerTimeout = 2.0
    public var retainEnded = 604_800.0
    public var retainEndedCount = 10_000
    public var retainEndedBytes = 0

    /// `maxOutputBytes` is of the token's line (max-output-bytes=), rather than the server's: no limit, but
    /// where one comes from.
    public var outputBoundIsOfToken = false

    public init() {}

    /// The largest `maxJSONBytes` and `maxHeadBytes` that fit a control message.
    public static let largestMessagePart = 128 * 1_024

    /// "120", "0.5"
    public static func text(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(value)
    }

    /// As many as libav takes of a picture of 16,384 a side, of a frame, and of a file.
    public static let mostPixels = 16_384 * 16_384
    public static let mostChannels = 512
    public static let mostStreams = 256
    /// Each is a process.
    public static let mostOutputs = 256
}

extension ServiceLimits {
    private static let ofToken = "output_bound_is_of_token"

    var json: JSONValue {
        let members = Self.fields.map { ($0.member, $0.json(of: self)) }
        return .object(JSONObject(members + [(Self.ofToken, .bool(outputBoundIsOfToken))]))
    }

    /// nil where a limit is missing, out of its range or unknown: a process must not guess what it may use.
    init?(json: JSONValue) {
        guard let object = json.objectValue, object.members.count == Self.fields.count + 1,
            case .bool(let isOfToken)? = object[Self.ofToken]
        else { return nil }
        self.init()
        outputBoundIsOfToken = isOfToken
        for field in Self.fields {
            guard let value = object[field.member], field.set(value, in: &self) else { return nil }
        }
    }
}
