import StreamWriter
import WriterModel

/// Finds a call of libav that does not come back, by looking every second. Looks are counted, not
/// time: a process that was stopped for a while has not been at its calls meanwhile.
package struct StallDetector: Sendable {
    private let timeout: Double
    private var looks: [CallUnderWay: Int] = [:]

    /// `callTimeout`: in seconds; 0: as long as it takes.
    package init(callTimeout: Double) { timeout = callTimeout }

    /// The call that has been under way for too long, as a problem.
    package mutating func look(at calls: [CallUnderWay]) -> Problem? {
        guard timeout > 0 else { return nil }
        looks = Dictionary(uniqueKeysWithValues: calls.map { ($0, (looks[$0] ?? 0) + 1) })
        // The first look only says that it began before.
        guard let stuck = looks.first(where: { Double($0.value - 1) >= timeout })?.key else { return nil }
        return Problem(
            .encoderStalled,
            "The \(stuck.part.rawValue) of stream \(stuck.stream) did not come back from a call within \(ServiceLimits.text(timeout)) seconds (--call-timeout).",
            extras: [("stream", .integer(Int64(stuck.stream))), ("stage", .string(stuck.part.rawValue))])
    }
}
