import Bytewise

/// How a writer ended, for the log and the metrics: the end of its record, and no more than that.
public struct WriterEnd: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable {
        case closed, failed
        /// By a client, before it had ended.
        case deleted
        /// Its creation failed for another reason than what was asked for.
        case unmade
    }

    /// What ended it.
    public enum Cause: String, Sendable, CaseIterable {
        // As `ended_by` of a result has them.
        case finalize, shutdown
        case gatewayLost = "gateway_lost"
        case idleTimeout = "idle_timeout"
        case runTime = "run_time"
        /// What had failed was sent again.
        case retry
        /// A request of a client's.
        case delete
        /// The client did not wait for its creation.
        case clientLeft = "client_left"
        /// What it did failed, and its failure says why.
        case error
        /// A call did not come back, or the process did not respond.
        case stall
        /// Its process died.
        case crash
        /// It was found without a process when the server started.
        case restart
        /// Its process did not say.
        case unknown
    }

    public let state: State
    public let cause: Cause
    public var problem: Problem?
    /// As it may be shown.
    public var destination: String?
    public var bytes: Int64?
    /// Of the media, in seconds.
    public var duration: Double?
    public var sha256: String?

    public init(_ state: State, by cause: Cause, _ problem: Problem? = nil) {
        self.state = state
        self.cause = cause
        self.problem = problem
    }

    /// Of a writer that was not made.
    public static func unmade(_ problem: Problem, isDeserted: Bool = false) -> WriterEnd {
        WriterEnd(.unmade, by: isDeserted ? .clientLeft : cause(of: problem.code), problem)
    }

    /// Of a record that has ended; nil: it has not. `cause`: where more is known than the record says.
    public init?(_ record: WriterRecord, by cause: Cause? = nil) {
        self.init(json: .object(record.resource))
        if let cause { self = WriterEnd(self, by: cause) }
    }

    private init(_ end: WriterEnd, by cause: Cause) {
        self.init(end.state, by: cause, end.problem)
        (destination, bytes, duration, sha256) = (end.destination, end.bytes, end.duration, end.sha256)
    }

    private static func cause(of code: ProblemCode?) -> Cause {
        switch code {
        case .idleTimeout: .idleTimeout
        case .serverStopped: .shutdown
        case .encoderCrashed: .crash
        case .encoderStalled: .stall
        // A writer that is made meets no other bound.
        case .limitExceeded: .runTime
        case nil: .unknown
        default: .error
        }
    }
}

// As it is told: by the members of the resource that `GET` shows.
extension WriterEnd {
    public var json: JSONValue {
        var object: JSONObject = ["state": .string(state.rawValue)]
        object["dst"] = destination.map { .string($0) }
        object["bytes_written"] = bytes.map { .integer($0) }
        object["failure"] = problem?.json
        var result: JSONObject = ["ended_by": .string(cause.rawValue)]
        result["duration"] = duration.map { .number($0) }
        result["verified"] = sha256.map { ["sha256": .string($0)] }
        object["result"] = .object(result)
        return .object(object)
    }

    /// nil: it says of no end.
    public init?(json: JSONValue) {
        guard let object = json.objectValue, let state = object["state"]?.stringValue.flatMap(State.init(rawValue:)) else { return nil }
        let result = object["result"]?.objectValue
        let problem = object["failure"].flatMap(Problem.init(shown:))
        let told = result?["ended_by"]?.stringValue.flatMap(Cause.init(rawValue:))
        self.init(state, by: told ?? Self.cause(of: problem?.code), problem)
        destination = object["dst"]?.stringValue?.shortened(to: 500)
        bytes = result?["bytes"]?.integerValue ?? object["bytes_written"]?.integerValue
        duration = result?["duration"]?.numberValue
        sha256 = result?["verified"]?.objectValue?["sha256"]?.stringValue?.shortened(to: 64)
    }
}

extension Problem {
    private static let codes = Dictionary(ProblemCode.allCases.map { ($0.type, $0) }) { one, _ in one }
    /// Of libav's log, in a line of ours.
    private static let mostLines = 8

    /// What a log repeats of a problem's body; nil: it is none.
    init?(shown json: JSONValue) {
        guard let object = json.objectValue, let code = object["type"]?.stringValue.flatMap({ Self.codes[$0] }) else { return nil }
        let lines = (object["log"]?.arrayValue ?? []).compactMap(\.stringValue)
        self.init(
            code, object["detail"]?.stringValue?.shortened(to: 1_000) ?? "", libavError: object["libav_error"]?.stringValue?.shortened(),
            log: lines.suffix(Self.mostLines).map { $0.shortened(to: 300) })
    }
}
