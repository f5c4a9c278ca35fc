/// How often something took how long.
public struct DurationHistogram: Sendable, Equatable {
    /// Upper bounds in seconds; one more bucket has none.
    public static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

    /// Not cumulative.
    public private(set) var counts = [Int64](repeating: 0, count: bounds.count + 1)
    public private(set) var sum = 0.0

    public init() {}

    public var count: Int64 { counts.reduce(0, +) }

    public mutating func add(_ seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }

    public mutating func add(_ other: DurationHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
    }

    var json: JSONValue { ["counts": .array(counts.map { .integer($0) }), "sum": .number(sum)] }

    init?(json: JSONValue) {
        guard let object = json.objectValue,
            let counts = object["counts"]?.arrayValue?.compactMap(\.integerValue), counts.count == self.counts.count,
            let sum = object["sum"]?.numberValue
        else { return nil }
        self.counts = counts
        self.sum = sum
    }
}

/// What a process has counted since it last told: sums that grow, to be added up by the gateway.
public struct MetricCounts: Sendable, Equatable {
    public struct Answer: Sendable, Hashable {
        public let route: String
        /// 0: the client was gone before there was an answer.
        public let status: Int

        public init(route: String, status: Int) {
            self.route = route
            self.status = status
        }
    }

    public var answers: [Answer: Int64] = [:]
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
        for (answer, count) in other.answers { answers[answer, default: 0] += count }
        for (route, histogram) in other.durations { durations[route, default: .init()].add(histogram) }
        queueWaits.add(other.queueWaits)
        bodyBytesRead += other.bodyBytesRead
        bodyBytesSent += other.bodyBytesSent
        framesTaken += other.framesTaken
        framesEncoded += other.framesEncoded
        bytesWritten += other.bytesWritten
        cpuSeconds += other.cpuSeconds
    }

    public var json: JSONValue {
        [
            "answers": .array(
                answers.map { [.string($0.key.route), .integer(Int64($0.key.status)), .integer($0.value)] }),
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
            guard let parts = entry.arrayValue, parts.count == 3, let route = parts[0].stringValue,
                let status = parts[1].integerValue, let count = parts[2].integerValue
            else { return nil }
            answers[Answer(route: route, status: Int(status)), default: 0] += count
        }
        for member in object["durations"]?.objectValue?.members ?? [] {
            durations[member.name] = DurationHistogram(json: member.value)
        }
        queueWaits = waits
        (bodyBytesRead, bodyBytesSent, framesTaken) = (counts[0], counts[1], counts[2])
        (framesEncoded, bytesWritten) = (counts[3], counts[4])
        cpuSeconds = cpu
    }
}
