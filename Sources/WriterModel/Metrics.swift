/// How often something took how long.
public struct DurationHistogram: Sendable, Equatable {
    /// Upper bounds in seconds; one more bucket has none.
    public static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

    /// Not cumulative.
    public private(set) var counts = [Int64](repeating: 0, count: bounds.count + 1)
    public private(set) var sum = 0.0

    public init() {}

    public var count: Int64 { counts.reduce(0) { $0.addingSaturating($1) } }

    public mutating func add(_ seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count].add(1)
        sum = min(sum + seconds, .greatestFiniteMagnitude)
    }

    public mutating func add(_ other: DurationHistogram) {
        for index in counts.indices { counts[index] = counts[index].addingSaturating(other.counts[index]) }
        sum = min(sum + other.sum, .greatestFiniteMagnitude)
    }

    var json: JSONValue { ["counts": .array(counts.map { .integer($0) }), "sum": .number(sum)] }

    init?(json: JSONValue) {
        guard let object = json.objectValue,
            let counts = object["counts"]?.arrayValue?.compactMap(\.integerValue), counts.count == self.counts.count,
            let sum = object["sum"]?.numberValue
        else { return nil }
        self.counts = counts.map { max(0, $0) }
        self.sum = max(0, sum)
    }
}

/// How a response ended.
public enum ResponseOutcome: String, Sendable, CaseIterable {
    case complete, cut, failed
}

/// What a process has counted since it last told: sums that grow, to be added up by the gateway.
public struct MetricCounts: Sendable, Equatable {
    public struct Answer: Sendable, Hashable {
        public let route: String
        /// 499: the client had left before there was a response.
        public let status: Int
        public let outcome: ResponseOutcome

        public init(route: String, status: Int, outcome: ResponseOutcome = .complete) {
            self.route = route
            self.status = status
            self.outcome = outcome
        }
    }

    /// What is counted by itself, or by a few kinds.
    public enum Tally: String, Sendable, CaseIterable {
        case audioBytesReceived = "audio_bytes_received"
        case videoBytesReceived = "video_bytes_received"
        case audioBytesEncoded = "audio_bytes_encoded"
        case videoBytesEncoded = "video_bytes_encoded"
        case audioChunksLate = "audio_chunks_late"
        case videoChunksLate = "video_chunks_late"
        case audioFramesDroppedLate = "audio_frames_dropped_late"
        case videoFramesDroppedLate = "video_frames_dropped_late"
        case uploadsCut = "uploads_cut"
        case uploadsTimedOut = "uploads_timed_out"
        case uploadsResumed = "uploads_resumed"
    }

    public var answers: [Answer: Int64] = [:]
    /// Responses that told of a problem, by its code.
    public var problems: [String: Int64] = [:]
    /// Writers and encodings that failed, by the code of the problem.
    public var failures: [String: Int64] = [:]
    public var tallies: [Tally: Int64] = [:]
    public var durations: [String: DurationHistogram] = [:]
    public var queueWaits = DurationHistogram()
    /// Bodies of requests and answers.
    public var bodyBytesRead: Int64 = 0
    public var bodyBytesSent: Int64 = 0
    public var framesTaken: Int64 = 0
    public var framesEncoded: Int64 = 0
    /// To destinations.
    public var bytesWritten: Int64 = 0
    /// Of encoders.
    public var cpuSeconds = 0.0

    public init() {}

    public var isEmpty: Bool { self == MetricCounts() }

    public mutating func add(_ other: MetricCounts) {
        answers.merge(other.answers) { $0.addingSaturating($1) }
        problems.merge(other.problems) { $0.addingSaturating($1) }
        failures.merge(other.failures) { $0.addingSaturating($1) }
        tallies.merge(other.tallies) { $0.addingSaturating($1) }
        for (route, histogram) in other.durations { durations[route, default: .init()].add(histogram) }
        queueWaits.add(other.queueWaits)
        bodyBytesRead = bodyBytesRead.addingSaturating(other.bodyBytesRead)
        bodyBytesSent = bodyBytesSent.addingSaturating(other.bodyBytesSent)
        framesTaken = framesTaken.addingSaturating(other.framesTaken)
        framesEncoded = framesEncoded.addingSaturating(other.framesEncoded)
        bytesWritten = bytesWritten.addingSaturating(other.bytesWritten)
        cpuSeconds = min(cpuSeconds + other.cpuSeconds, .greatestFiniteMagnitude)
    }

    private static let codes = Set(ProblemCode.allCases.map(\.rawValue))

    /// Only what is counted by one of these routes, by a status and by a code there is: another process's word.
    public func ofRoutes(_ known: Set<String>) -> MetricCounts {
        var counts = self
        counts.answers = answers.filter { answer, _ in known.contains(answer.route) && (100...599).contains(answer.status) }
        counts.problems = problems.filter { Self.codes.contains($0.key) }
        counts.failures = failures.filter { Self.codes.contains($0.key) }
        counts.durations = durations.filter { known.contains($0.key) }
        return counts
    }

    public var json: JSONValue {
        [
            "answers": .array(
                answers.map { [.string($0.key.route), .integer(Int64($0.key.status)), .string($0.key.outcome.rawValue), .integer($0.value)] }),
            "problems": Self.json(problems),
            "failures": Self.json(failures),
            "tallies": Self.json(Dictionary(tallies.map { ($0.key.rawValue, $0.value) }) { one, _ in one }),
            "durations": .object(JSONObject(durations.map { ($0.key, $0.value.json) })),
            "queue_waits": queueWaits.json,
            "counts": .array(
                [bodyBytesRead, bodyBytesSent, framesTaken, framesEncoded, bytesWritten].map { .integer($0) }),
            "cpu_seconds": .number(cpuSeconds),
        ]
    }

    public init?(json: JSONValue) {
        guard let object = json.objectValue, let counts = object["counts"]?.arrayValue?.compactMap(\.integerValue),
            counts.count == 5, let cpu = object["cpu_seconds"]?.numberValue,
            let waits = object["queue_waits"].flatMap(DurationHistogram.init(json:))
        else { return nil }
        for entry in object["answers"]?.arrayValue ?? [] {
            guard let parts = entry.arrayValue, parts.count == 4, let route = parts[0].stringValue,
                let status = parts[1].integerValue, let outcome = parts[2].stringValue.flatMap(ResponseOutcome.init(rawValue:)),
                let count = parts[3].integerValue
            else { return nil }
            let answer = Answer(route: route, status: Int(status), outcome: outcome)
            answers[answer] = (answers[answer] ?? 0).addingSaturating(max(0, count))
        }
        for member in object["durations"]?.objectValue?.members ?? [] {
            durations[member.name] = DurationHistogram(json: member.value)
        }
        problems = Self.counts(object["problems"])
        failures = Self.counts(object["failures"])
        for (name, count) in Self.counts(object["tallies"]) {
            if let tally = Tally(rawValue: name) { tallies[tally] = count }
        }
        queueWaits = waits
        (bodyBytesRead, bodyBytesSent, framesTaken) = (max(0, counts[0]), max(0, counts[1]), max(0, counts[2]))
        (framesEncoded, bytesWritten) = (max(0, counts[3]), max(0, counts[4]))
        cpuSeconds = max(0, cpu)
    }

    private static func json(_ counts: [String: Int64]) -> JSONValue { .object(JSONObject(counts.map { ($0.key, .integer($0.value)) })) }

    private static func counts(_ json: JSONValue?) -> [String: Int64] {
        let members = json?.objectValue?.members ?? []
        return Dictionary(members.compactMap { member in member.value.integerValue.map { (member.name, max(0, $0)) } }) { one, _ in one }
    }
}

extension FixedWidthInteger {
    /// The sum, or the nearest number there is: counters of other processes say what they like.
    public func addingSaturating(_ other: Self) -> Self {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }

    public mutating func add(_ other: Self) { self = addingSaturating(other) }
}
