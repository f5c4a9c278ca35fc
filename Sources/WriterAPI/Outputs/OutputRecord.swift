import StreamWriter
import WriterModel

// What is told of a writer's outputs.
extension OutputRequest {
    /// Of an error, whose whole text the log has.
    private static let errorBytes = 512
    /// Of its counters and the rest, beside what the client has said; and of what came of it.
    private static let counterBytes = 900

    /// The most that it comes to in the writer's record without lists of files: what the client has said of it is there
    /// for clients and for the server.
    var recordBytes: Int {
        let given = [name, dst ?? "", format ?? ""].reduce(0) { $0 + JSONValue.string($1).encoded.count }
        let described = JSONValue.map(option).encoded.count + JSONValue.map(metadata ?? [:]).encoded.count
        return 2 * given + described + Self.errorBytes + Self.counterBytes
    }

    func warnings(_ progress: OutputProgress, _ redaction: Redaction) -> [Warning] {
        var warnings: [Warning] = []
        if progress.state == .failed {
            warnings.append(failed(because: progress.error.map(Problem.init), redaction))
        }
        if progress.packetsDropped > 0 {
            let reason = progress.attempts > 1 ? "it was opened \(progress.attempts) times" : "it took less than was made (when_slow: drop)"
            warnings.append(
                Warning(.packetsDropped, "\(progress.packetsDropped) packets are not in the output \(name): \(reason)."))
        }
        return warnings
    }

    func failed(because problem: Problem?, _ redaction: Redaction) -> Warning {
        let reason = problem.map { redaction.apply(to: $0).fitting(Self.errorBytes).detail } ?? "It failed."
        return Warning(.outputFailed, "The writer went on without the output \(name) (on_failure: continue): \(reason)")
    }

    static func json(_ problem: Problem, _ redaction: Redaction) -> JSONValue {
        let problem = redaction.apply(to: problem).fitting(errorBytes)
        return .object(["code": .string(problem.code.rawValue), "detail": .string(problem.detail)])
    }

    /// `muxer`: that of its format or destination.
    func json(_ progress: OutputProgress, muxer: String, _ redaction: Redaction) -> JSONObject {
        var object: JSONObject = ["name": .string(name), "state": .string(progress.state.rawValue)]
        object["dst"] = dst.map { .string(URLText.redacted(destination: $0)) }
        object["format"] = .string(muxer)
        object["streams"] = streams.map { .array($0.map { .string($0.description) }) }
        object["on_failure"] = .string(onFailure.rawValue)
        object["when_slow"] = .string(whenSlow.rawValue)
        object["pace"] = .string(pace.rawValue)
        object["reconnect"] = .bool(reconnect)
        object["open_timeout"] = openTimeout.map { .number($0) }
        object["bytes_written"] = .integer(progress.bytesWritten)
        object["packets"] = .integer(progress.packets)
        object["packets_dropped"] = .integer(progress.packetsDropped)
        object["attempts"] = .integer(Int64(progress.attempts))
        object["lag"] = .number((progress.lag * 1_000).rounded() / 1_000)
        object["error"] = progress.error.map { Self.json(Problem($0), redaction) }
        return object
    }
}
