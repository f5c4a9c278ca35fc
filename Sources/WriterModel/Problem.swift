import Bytewise

/// The one table of what can go wrong over HTTP: code, status, title. The code is stable;
/// clients may switch on it.
public enum ProblemCode: String, Sendable, CaseIterable {
    case malformedRequest = "malformed-request"
    case malformedJSON = "malformed-json"
    case invalidHeader = "invalid-header"
    case partialFrame = "partial-frame"
    case bodyCut = "body-cut"
    case unauthorized
    case insufficientScope = "insufficient-scope"
    case tooManyConnections = "too-many-connections"
    case tooManyWriters = "too-many-writers"
    case idempotencyKeyReused = "idempotency-key-reused"
    case forbiddenDestination = "forbidden-destination"
    case forbiddenOption = "forbidden-option"
    case forbiddenCallback = "forbidden-callback"
    case notFound = "not-found"
    case writerNotFound = "writer-not-found"
    case streamNotFound = "stream-not-found"
    case outputNotFound = "output-not-found"
    case methodNotAllowed = "method-not-allowed"
    case requestTimeout = "request-timeout"
    case wrongState = "wrong-state"
    case chunkInProgress = "chunk-in-progress"
    case chunkInterrupted = "chunk-interrupted"
    case ptsTooEarly = "pts-too-early"
    case offsetMismatch = "offset-mismatch"
    case destinationExists = "destination-exists"
    case writerExists = "writer-exists"
    case outputExists = "output-exists"
    case nothingToRetry = "nothing-to-retry"
    case outputReplaced = "output-replaced"
    case payloadTooLarge = "payload-too-large"
    case uriTooLong = "uri-too-long"
    case unsupportedMediaType = "unsupported-media-type"
    case rangeNotSatisfiable = "range-not-satisfiable"
    case expectationFailed = "expectation-failed"
    case invalidParameter = "invalid-parameter"
    case unknownParameter = "unknown-parameter"
    case unsupportedValue = "unsupported-value"
    case unknownEncoder = "unknown-encoder"
    case unknownFormat = "unknown-format"
    case unknownOption = "unknown-option"
    case invalidFilter = "invalid-filter"
    case unsupportedHardware = "unsupported-hardware"
    case limitExceeded = "limit-exceeded"
    case invalidSamples = "invalid-samples"
    case headTooLarge = "head-too-large"
    case internalError = "internal-error"
    case encodingFailed = "encoding-failed"
    case outputDamaged = "output-damaged"
    case encoderCrashed = "encoder-crashed"
    case encoderStalled = "encoder-stalled"
    case notImplemented = "not-implemented"
    case destinationFailed = "destination-failed"
    case destinationTimeout = "destination-timeout"
    case overloaded
    case serverStopped = "server-stopped"
    case idleTimeout = "idle-timeout"
    case versionNotSupported = "version-not-supported"
    case noSpace = "no-space"
    case memoryLimit = "memory-limit"
    case outputLimit = "output-limit"
    case draining
    case wrongNode = "wrong-node"

    public var status: Int {
        switch self {
        case .malformedRequest, .malformedJSON, .invalidHeader, .partialFrame, .bodyCut: 400
        case .unauthorized: 401
        case .forbiddenDestination, .forbiddenOption, .forbiddenCallback, .insufficientScope: 403
        case .notFound, .writerNotFound, .streamNotFound, .outputNotFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout, .idleTimeout: 408
        case .wrongState, .chunkInProgress, .chunkInterrupted, .ptsTooEarly, .offsetMismatch, .destinationExists, .writerExists, .outputExists, .nothingToRetry: 409
        case .outputReplaced: 410
        case .payloadTooLarge: 413
        case .uriTooLong: 414
        case .unsupportedMediaType: 415
        case .rangeNotSatisfiable: 416
        case .expectationFailed: 417
        case .wrongNode: 421
        case .invalidParameter, .unknownParameter, .unsupportedValue, .unknownEncoder, .unknownFormat,
            .unknownOption, .invalidFilter, .unsupportedHardware, .limitExceeded, .memoryLimit, .encodingFailed, .invalidSamples,
            .idempotencyKeyReused:
            422
        case .tooManyConnections, .tooManyWriters: 429
        case .headTooLarge: 431
        case .internalError, .encoderCrashed, .outputDamaged: 500
        case .notImplemented: 501
        case .destinationFailed: 502
        case .overloaded, .draining, .serverStopped: 503
        case .encoderStalled, .destinationTimeout: 504
        case .versionNotSupported: 505
        case .noSpace, .outputLimit: 507
        }
    }

    /// RFC 9457 §3.1.1. What the draft on resumable uploads has a type for keeps that.
    public var type: String {
        switch self {
        case .offsetMismatch: "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"
        default: "urn:penstock:problem:\(rawValue)"
        }
    }

    public var title: String {
        switch self {
        case .malformedRequest: "The request is not well-formed HTTP"
        case .malformedJSON: "The body is not JSON"
        case .invalidHeader: "A header field has a value that can't be used"
        case .partialFrame: "The body is not a whole number of frames"
        case .bodyCut: "The body ended early"
        case .unauthorized: "A valid token is needed"
        case .insufficientScope: "The token does not allow this"
        case .tooManyConnections: "The client has too many connections"
        case .tooManyWriters: "The token's name has too many live writers"
        case .idempotencyKeyReused: "The Idempotency-Key belongs to another request"
        case .forbiddenDestination: "The server does not write there"
        case .forbiddenOption: "The server does not let clients use this"
        case .forbiddenCallback: "The server sends no webhooks there"
        case .notFound: "There is nothing at this path"
        case .writerNotFound: "There is no such writer"
        case .streamNotFound: "The writer has no such stream"
        case .outputNotFound: "The writer has no such output"
        case .methodNotAllowed: "The path does not take this method"
        case .requestTimeout: "The request took too long"
        case .wrongState: "The writer's state does not allow this"
        case .chunkInProgress: "The stream is taking another chunk"
        case .chunkInterrupted: "The chunk was ended before its body was"
        case .ptsTooEarly: "The pts lies before the stream's next time"
        case .offsetMismatch: "The offset is not the stream's"
        case .destinationExists: "The destination exists"
        case .writerExists: "A writer with this id exists"
        case .outputExists: "The writer has an output of this name"
        case .nothingToRetry: "Nothing of the output waits to be sent"
        case .outputReplaced: "The output is no longer the writer's"
        case .payloadTooLarge: "The body is too large"
        case .uriTooLong: "The request target is too long"
        case .unsupportedMediaType: "The body's media type is not taken here"
        case .rangeNotSatisfiable: "The range lies outside the output"
        case .expectationFailed: "The expectation can't be met"
        case .invalidParameter: "A parameter has a value that can't be used"
        case .unknownParameter: "There is no such parameter"
        case .unsupportedValue: "The encoder or format does not take this value"
        case .unknownEncoder: "There is no such encoder"
        case .unknownFormat: "There is no such format"
        case .unknownOption: "Nothing takes this option"
        case .invalidFilter: "The filter graph can't be built"
        case .unsupportedHardware: "The hardware is not there"
        case .limitExceeded: "A writer may not have so much"
        case .invalidSamples: "The encoder or the format can't take these samples"
        case .headTooLarge: "The request head is too large"
        case .internalError: "The server failed"
        case .encodingFailed: "Encoding failed"
        case .outputDamaged: "The finished output is not what was written"
        case .encoderCrashed: "The writer's encoder ended"
        case .encoderStalled: "The writer's encoder came to a standstill"
        case .notImplemented: "The server does not do this"
        case .destinationFailed: "The destination failed"
        case .destinationTimeout: "The destination did not answer"
        case .overloaded: "The server has no room for this now"
        case .draining: "The server is being drained"
        case .wrongNode: "The writer is on another node"
        case .idleTimeout: "The writer had no request for too long"
        case .serverStopped: "The server ended"
        case .versionNotSupported: "The HTTP version is not spoken here"
        case .noSpace: "The destination is full"
        case .memoryLimit: "The encoder has no more memory"
        case .outputLimit: "The output is larger than outputs may be"
        }
    }
}

/// A failure as RFC 9457 problem details: what was wrong, with which parameter, and what
/// would be right.
public struct Problem: Error, Sendable, Equatable {
    public let code: ProblemCode
    public var detail: String
    /// The name of the parameter at fault, as in the request.
    public var parameter: String?
    /// The values that would be right.
    public var supported: [String]?
    public var libavError: String?
    /// libav's last log lines.
    public var log: [String]
    /// Seconds until another try makes sense; nil where the code says enough.
    public var retryAfter: Int?
    /// Further members of the body, such as `state` or `expected_pts`.
    public var extras: [JSONObject.Member]

    public init(
        _ code: ProblemCode, _ detail: String, parameter: String? = nil, supported: [String]? = nil,
        libavError: String? = nil, log: [String] = [], extras: [(String, JSONValue)] = []
    ) {
        self.code = code
        self.detail = detail
        self.parameter = parameter
        self.supported = supported
        self.libavError = libavError
        self.log = log
        self.extras = extras.map { JSONObject.Member($0.0, $0.1) }
    }

    /// Bytes of a detail, which may repeat what a client sent: a whole line of libav's is within it.
    private static let mostDetail = 2_000
    private static let mostText = 500

    private static func shortened(_ value: JSONValue) -> JSONValue {
        if case .string(let text) = value { .string(text.shortened(to: mostText)) } else { value }
    }

    public var json: JSONValue {
        var object: JSONObject = [
            "type": .string(code.type),
            "title": .string(code.title),
            "status": .integer(Int64(code.status)),
            "detail": .string(detail.shortened(to: Self.mostDetail)),
        ]
        object["parameter"] = parameter.map { .string($0.shortened()) }
        if let supported, !supported.isEmpty { object["supported"] = .array(supported.map { .string($0) }) }
        object["libav_error"] = libavError.map { .string($0) }
        if !log.isEmpty { object["log"] = .array(log.map { .string($0) }) }
        for member in extras { object[member.name] = Self.shortened(member.value) }
        return .object(object)
    }
}
