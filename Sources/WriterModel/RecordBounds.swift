/// How long a writer's record may be as JSON, so that it fits a control message whatever becomes of the
/// writer: what a client says of it is bounded when it says so, and what comes later has room beside it.
public enum RecordBounds {
    /// What a client has described: destination, metadata and streams.
    public static let descriptionBytes = 128 * 1_024
    /// By which the counters of a stream can grow, and what opening says of it.
    static let counterBytes = 176
    /// By which the counters of each of a stream's renditions can grow, and what opening says of it.
    public static let renditionBytes = 176
    /// What a failure may tell.
    public static let failureBytes = 32 * 1_024
    /// All else: when and why it ended, with what result.
    static let endBytes = 2 * 1_024

    /// Of one stream, what is chosen for it.
    public static let chosenBytes = 640
    /// Of the writer, what is no client's: its id, times, format, key.
    public static let baseBytes = 2 * 1_024

    /// The most that a record without its list of files comes to.
    public static let messageBytes = descriptionBytes + ServiceLimits.mostStreams * counterBytes + failureBytes + endBytes

    /// Of a record on disk, with its list of files.
    public static let fileBytes = 32 << 20
    /// Of the names of a writer's files together, each with what is kept beside it.
    public static let nameBytes = 8 << 20
    public static let bytesBesideName = 96
    /// How many values a record may hold.
    public static let fileValues = 1_000_000
}

/// What a client's description of a writer comes to in its record, in bytes of JSON.
public struct DescriptionWeight: Sendable, Equatable {
    public var destination = 0
    public var metadata = 0
    public var streams = 0

    public init() {}

    public var total: Int { RecordBounds.baseBytes + destination + metadata + streams }

    /// Throws when it is too much; names the part that weighs most, which is the one to shorten, unless
    /// it is known to be `part`.
    public func check(_ part: String? = nil) throws(Problem) {
        if total <= RecordBounds.descriptionBytes { return }
        let parts = [("dst", destination), ("metadata", metadata), ("streams", streams)]
        let heaviest = part ?? parts.max { $0.1 < $1.1 }!.0
        let limit = RecordBounds.descriptionBytes
        throw Problem(
            .limitExceeded,
            "\(heaviest) is too long: what the server keeps of a writer, its dst, metadata and streams with their options, would come to \(total) bytes as JSON, and may come to \(limit).",
            parameter: heaviest, extras: [("limit", .integer(Int64(limit)))])
    }
}

extension Problem {
    /// The same in at most so many bytes of JSON: the oldest lines of the log go first.
    public func fitting(_ limit: Int) -> Problem {
        var problem = self
        while problem.json.encoded.count > limit {
            if !problem.log.isEmpty {
                problem.log.removeFirst()
            } else if problem.supported != nil {
                problem.supported = nil
            } else if let longest = problem.extras.indices.max(by: {
                problem.extras[$0].value.encoded.count < problem.extras[$1].value.encoded.count
            }), problem.extras[longest].value.encoded.count > limit / 4 {
                problem.extras.remove(at: longest)
            } else if problem.parameter.map({ $0.utf8.count > limit / 16 }) == true {
                problem.parameter = nil
            } else if problem.libavError != nil {
                problem.libavError = nil
            } else {
                let shorter = problem.detail.unicodeScalars.prefix(problem.detail.unicodeScalars.count / 2)
                problem.detail = String(String.UnicodeScalarView(shorter)) + "…"
            }
            if problem.detail.utf8.count <= 3 { break }
        }
        return problem
    }
}
