/// The bounds that both processes keep, each with its default. Times are in seconds.
public struct ServiceLimits: Sendable, Equatable {
    /// Live writers.
    public var maxWriters = 1_000
    public var maxConnections = 10_000
    /// Connections of one client address; 0 for no such limit, as behind a proxy.
    public var maxConnectionsPerAddress = 0
    /// A request body that is JSON.
    public var maxJSONBytes = 64 * 1_024
    public var maxHeadBytes = 32 * 1_024
    /// Threads that serve requests: of the gateway, and of each encoder.
    public var handlerThreads = 32
    /// A connection without a request.
    public var idleConnectionTimeout = 75.0
    /// From a request's first byte to its head's end.
    public var headTimeout = 15.0
    /// Between two reads of a body.
    public var bodyTimeout = 60.0
    /// Between two writes of a response.
    public var responseTimeout = 60.0
    /// How long uploads in flight may go on after the server was told to end.
    public var shutdownGrace = 10.0
    /// How long a writer may go without a request before it is finalized; 0 for ever.
    public var idleTimeout = 3_600.0

    /// What an encoder may allocate; 0 for no bound.
    public var maxEncoderMemory = 4 << 30
    /// Of each file an encoder writes; 0 for no bound.
    public var maxOutputBytes = 0
    /// That bound is of the token's line (max-output-bytes=), rather than the server's.
    public var outputBoundIsOfToken = false
    /// How long a writer may live before it is finalized; 0 for ever.
    public var maxRunTime = 0.0
    /// Pixels of a picture, wherever in a writer.
    public var maxPixels = 8_192 * 8_192
    /// Channels of an audio stream, wherever in a writer.
    public var maxChannels = 64
    /// Streams of a writer.
    public var maxStreams = 16
    /// Threads of one encoder or filter; 0 for 16, or one for each processor if there are more.
    public var maxThreads = 0
    /// How long one call of a filter or an encoder may take; 0 for ever.
    public var callTimeout = 120.0
    /// How long an encoder process may leave the gateway's pings unanswered; 0 for ever.
    public var encoderTimeout = 30.0
    /// Percent of the time that a task had to wait for a processor, above which no writer is made; 0
    /// for no such limit.
    public var maxLoad = 0.0

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

    var json: JSONValue {
        [
            "max_writers": .integer(Int64(maxWriters)),
            "max_connections": .integer(Int64(maxConnections)),
            "max_json_bytes": .integer(Int64(maxJSONBytes)),
            "max_head_bytes": .integer(Int64(maxHeadBytes)),
            "handler_threads": .integer(Int64(handlerThreads)),
            "idle_connection_timeout": .number(idleConnectionTimeout),
            "head_timeout": .number(headTimeout),
            "body_timeout": .number(bodyTimeout),
            "response_timeout": .number(responseTimeout),
            "shutdown_grace": .number(shutdownGrace),
            "max_connections_per_address": .integer(Int64(maxConnectionsPerAddress)),
            "idle_timeout": .number(idleTimeout),
            "max_encoder_memory": .integer(Int64(maxEncoderMemory)),
            "max_output_bytes": .integer(Int64(maxOutputBytes)),
            "output_bound_is_of_token": .bool(outputBoundIsOfToken),
            "max_run_time": .number(maxRunTime),
            "max_pixels": .integer(Int64(maxPixels)),
            "max_channels": .integer(Int64(maxChannels)),
            "max_streams": .integer(Int64(maxStreams)),
            "max_threads": .integer(Int64(maxThreads)),
            "call_timeout": .number(callTimeout),
        ]
    }

    init?(json: JSONValue) {
        guard var fields = try? FieldReader(json) else { return nil }
        do {
            maxWriters = try fields.integer("max_writers") ?? maxWriters
            maxConnections = try fields.integer("max_connections") ?? maxConnections
            maxJSONBytes = try fields.integer("max_json_bytes") ?? maxJSONBytes
            maxHeadBytes = try fields.integer("max_head_bytes") ?? maxHeadBytes
            handlerThreads = try fields.integer("handler_threads") ?? handlerThreads
            idleConnectionTimeout = try fields.number("idle_connection_timeout") ?? idleConnectionTimeout
            headTimeout = try fields.number("head_timeout") ?? headTimeout
            bodyTimeout = try fields.number("body_timeout") ?? bodyTimeout
            responseTimeout = try fields.number("response_timeout") ?? responseTimeout
            shutdownGrace = try fields.number("shutdown_grace") ?? shutdownGrace
            maxConnectionsPerAddress =
                try fields.integer("max_connections_per_address") ?? maxConnectionsPerAddress
            idleTimeout = try fields.number("idle_timeout") ?? idleTimeout
            maxEncoderMemory = try fields.integer("max_encoder_memory") ?? maxEncoderMemory
            maxOutputBytes = try fields.integer("max_output_bytes") ?? maxOutputBytes
            outputBoundIsOfToken = try fields.bool("output_bound_is_of_token") ?? outputBoundIsOfToken
            maxRunTime = try fields.number("max_run_time") ?? maxRunTime
            maxPixels = try fields.integer("max_pixels") ?? maxPixels
            maxChannels = try fields.integer("max_channels") ?? maxChannels
            maxStreams = try fields.integer("max_streams") ?? maxStreams
            maxThreads = try fields.integer("max_threads") ?? maxThreads
            callTimeout = try fields.number("call_timeout") ?? callTimeout
        } catch {
            return nil
        }
    }
}
