import WriterModel

/// How an encoder's process comes to its end: what happens in, what to do next out. `EncoderProcess` holds it
/// under its lock and does what it says.
///
/// The gateway closes the control socket when it knows how the writer ended; until then the process stays, and
/// when the gateway goes before that, the work is brought to its end without it.
package struct EncoderShutdown: Sendable {
    package enum Action: Equatable, Sendable {
        /// The work is brought to its end once the uploads have ended, for which they have some time. Then
        /// `workHasEnded`.
        case endAfterUploads(EndReason)
        /// The work is brought to its end as it is. Then `workHasEnded`.
        case endNow(EndReason)
        case interruptUploads
        /// The work fails: an output has, while nothing was asked of it.
        case fail(Problem)
        /// The work fails, whatever its threads do, and every request is answered. Then `failureIsAnswered`.
        case failWithoutWaiting(Problem)
        /// The process ends once the last connection is answered or handed back.
        case leave
        /// The same, over the heads of threads that don't come back.
        case leaveStuckThreads
    }

    /// What is to be seen of the work.
    package struct Work: Sendable {
        package var isConcluded: Bool
        package var isAbandoned: Bool
        package var isIdleTooLong: Bool
        /// Why it can't go on, where no request has been told.
        package var failure: Problem?
        /// A call that does not come back.
        package var stall: Problem?

        package init(
            isConcluded: Bool = false, isAbandoned: Bool = false, isIdleTooLong: Bool = false, failure: Problem? = nil,
            stall: Problem? = nil
        ) {
            self.isConcluded = isConcluded
            self.isAbandoned = isAbandoned
            self.isIdleTooLong = isIdleTooLong
            self.failure = failure
            self.stall = stall
        }
    }

    /// Of the process; nil: as long as it likes.
    private let longestLife: Duration?
    /// In seconds, for a writer at the end of its time to end; 0: as long as it takes.
    private let patience: Double
    private var isToldToEnd = false
    private var isGatewayGone = false
    private var hasRunOut = false
    /// The age by which a writer whose time is over must have ended.
    private var lastMoment: Duration?
    private var isFailing = false
    private var hasFailed = false
    private var isLeaving = false

    package init(_ role: EncoderStart.Role, _ limits: ServiceLimits) {
        // Questions about libav are answered as long as the server is there.
        longestLife = role != .catalog && limits.maxRunTime > 0 ? .seconds(limits.maxRunTime) : nil
        patience = limits.callTimeout
    }

    /// By the gateway. Told again: now, and not when the uploads are done.
    package mutating func toldToEnd() -> Action {
        if isToldToEnd { return .interruptUploads }
        isToldToEnd = true
        return .endAfterUploads(.shutdown)
    }

    /// It sends nothing more: it has our record, or it has ended.
    package mutating func gatewayIsGone(_ work: Work) -> Action? {
        isGatewayGone = true
        if work.isAbandoned { return leaving(.leaveStuckThreads) }
        return work.isConcluded ? leaving(.leave) : .endAfterUploads(.gatewayLost)
    }

    /// `age`: of the process.
    package mutating func secondHasPassed(age: Duration, _ work: Work) -> [Action] {
        if work.isConcluded || work.isAbandoned { return [] }
        return [end(whenOverdueAt: age, work), fail(work), fail(whenStuckAt: age, work)].compactMap { $0 }
    }

    private mutating func fail(_ work: Work) -> Action? {
        guard !isFailing, let problem = work.failure else { return nil }
        isFailing = true
        return .fail(problem)
    }

    private mutating func end(whenOverdueAt age: Duration, _ work: Work) -> Action? {
        let outlives = longestLife.map { age > $0 } ?? false
        guard !hasRunOut, outlives || work.isIdleTooLong else { return nil }
        hasRunOut = true
        if outlives && patience > 0 { lastMoment = age + .seconds(patience) }
        return .endNow(outlives ? .runTime : .idleTimeout)
    }

    private mutating func fail(whenStuckAt age: Duration, _ work: Work) -> Action? {
        guard !hasFailed, let problem = work.stall ?? endingStall(at: age) else { return nil }
        hasFailed = true
        return .failWithoutWaiting(problem)
    }

    /// The destination takes no more, or the client never lets go.
    private func endingStall(at age: Duration) -> Problem? {
        guard let lastMoment, age >= lastMoment else { return nil }
        return Problem(
            .limitExceeded,
            "The writer's time was over (--max-run-time) and it could not be finalized within \(ServiceLimits.text(patience)) seconds.")
    }

    package mutating func workHasEnded(because reason: EndReason) -> Action? {
        reason == .gatewayLost ? leaving(.leave) : nil
    }

    /// Where the gateway is still there, that it goes is the sign to leave.
    package mutating func failureIsAnswered() -> Action? { isGatewayGone ? leaving(.leaveStuckThreads) : nil }

    private mutating func leaving(_ action: Action) -> Action? {
        if isLeaving { return nil }
        isLeaving = true
        return action
    }
}
