import SystemIO
import WriterModel

// What clients are told of an encoder that can't be had, or that ended without a word.
extension Problem {
    static let noEncoderNow = Problem(.overloaded, "The server can't start an encoder now. Try again.")

    static let leftBeforeStart = Problem(.overloaded, "The client left before an encoder could be started for its writer.")

    static let notStarted = Problem(.overloaded, "The server could not start an encoder just now. Try again.")

    /// `timeout`: after how many seconds an encoder is unresponsive.
    init(_ cause: EncoderEnd.Cause, role: EncoderStart.Role, timeout: Double) {
        switch (cause, role) {
        case (.notStarted, _): self = .notStarted
        case (.unresponsive, _): self = .encoderUnresponsive(timeout, isCatalog: role == .catalog)
        case (.died, .catalog): self = .catalogCrashed
        case (.died(let end), .writer), (.died(let end), .encode), (.died(let end), .carrier), (.died(let end), .retry): self = .encoderCrashed(end)
        }
    }

    /// With what each stream had taken when its encoder last told, as `offsets`; of a single one also as
    /// `offset`.
    func withOffsets(of snapshot: WriterRecord?) -> Problem {
        let offsets = snapshot?.resource["streams"]?.arrayValue?.map { $0.objectValue?["offset"] ?? .null } ?? []
        if offsets.isEmpty { return self }
        var problem = self
        problem.extras.append(.init("offsets", .array(offsets)))
        if offsets.count == 1 { problem.extras.append(.init("offset", offsets[0])) }
        return problem
    }

    private static let catalogCrashed = Problem(
        .encoderCrashed, "The process that answers questions about libav died. Writers are not affected. Try again.")

    /// A process was killed by the gateway.
    private static func encoderUnresponsive(_ timeout: Double, isCatalog: Bool) -> Problem {
        let process = isCatalog ? "The process that answers questions about libav" : "The writer's encoder"
        let rest = isCatalog ? "Try again." : "What a writer had written is kept (of /v1/encode, nothing); other writers are not affected."
        return Problem(
            .encoderStalled,
            "\(process) did not answer the server for \(ServiceLimits.text(timeout)) seconds (--encoder-timeout) and was ended. \(rest)",
            extras: [("stage", "process")])
    }

    /// The encoder of a writer died: of a signal, or with an exit code.
    static func encoderCrashed(_ end: ProcessEnd?) -> Problem {
        var extras: [(String, JSONValue)] = []
        switch end {
        case .signaled(let number): extras.append(("signal", .string(Signal.name(number))))
        case .exited(let code): extras.append(("exit_code", .integer(Int64(code))))
        case nil: break
        }
        let how = end?.description ?? "ended for a reason that the server was not told"
        return Problem(
            .encoderCrashed,
            "The writer's encoder \(how). What a writer had written is kept (of /v1/encode, nothing); other writers are not affected.",
            extras: extras)
    }
}
