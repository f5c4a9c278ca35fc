import WriterModel

/// Which ended writers are kept no longer, as a value. Where there are too many, or too many bytes, those of the
/// owner with the most go first, so that none pushes out another's: an owner with less than an equal share loses none.
package struct RetentionPlan {
    package enum Reason: String, CaseIterable, Sendable {
        case age, count, bytes
    }

    package struct Limits: Sendable, Equatable {
        /// nil: for ever.
        package var milliseconds: Int64?
        /// nil: any number.
        package var count: Int?
        package var bytes: Int64?

        package init(milliseconds: Int64? = nil, count: Int? = nil, bytes: Int64? = nil) {
            self.milliseconds = milliseconds
            self.count = count
            self.bytes = bytes
        }

        package init(_ limits: ServiceLimits) {
            milliseconds = limits.retainEnded > 0 ? Int64(limits.retainEnded * 1_000) : nil
            count = limits.retainEndedCount > 0 ? limits.retainEndedCount : nil
            bytes = limits.retainEndedBytes > 0 ? Int64(limits.retainEndedBytes) : nil
        }

        /// Whether there may be something to remove. `now`: nil where ages can't be told.
        package func areExceeded(by tally: EndedTally, at now: Timestamp?) -> Bool {
            if let count, tally.count > count { return true }
            if let bytes, tally.bytes > bytes { return true }
            guard let milliseconds, let now, let earliest = tally.earliest else { return false }
            return now.milliseconds - earliest.milliseconds >= milliseconds
        }
    }

    package struct Candidate: Sendable, Equatable {
        package let writer: WriterID
        package let at: Timestamp
        package let bytes: Int64

        package init(writer: WriterID, at: Timestamp, bytes: Int64) {
            self.writer = writer
            self.at = at
            self.bytes = bytes
        }
    }

    package struct Removal: Sendable, Equatable {
        package let writer: WriterID
        package let reason: Reason
    }

    /// The oldest end first.
    private struct Queue {
        var candidates: ArraySlice<Candidate>
        var count: Int
        var bytes: Int64
    }

    private var queues: [String?: Queue] = [:]
    private var count = 0
    private var bytes: Int64 = 0
    private var removals: [Removal] = []

    private init(_ candidates: [Candidate]) {
        let sorted = candidates.sorted { ($0.at, $0.writer.key) < ($1.at, $1.writer.key) }
        for (owner, own) in Dictionary(grouping: sorted, by: \.writer.owner) {
            queues[owner] = Queue(candidates: own[...], count: own.count, bytes: own.reduce(0) { $0.addingSaturating($1.bytes) })
        }
        count = candidates.count
        bytes = candidates.reduce(0) { $0.addingSaturating($1.bytes) }
    }

    /// At most so many removals, and how old what stays is at most.
    package static func removals(
        among candidates: [Candidate], by limits: Limits, at now: Timestamp?, most: Int
    ) -> [Removal] {
        var plan = RetentionPlan(candidates)
        if let milliseconds = limits.milliseconds, let now { plan.removeAged(before: now.milliseconds - milliseconds, most) }
        while let limit = limits.count, plan.count > limit, plan.removals.count < most, plan.removeOne(.count, { Int64($0.count) }) {}
        while let limit = limits.bytes, plan.bytes > limit, plan.removals.count < most, plan.removeOne(.bytes, \.bytes) {}
        return plan.removals
    }

    private mutating func removeAged(before milliseconds: Int64, _ most: Int) {
        for owner in queues.keys {
            while let candidate = queues[owner]?.candidates.first, candidate.at.milliseconds <= milliseconds, removals.count < most {
                remove(candidate, of: owner, .age)
            }
        }
    }

    /// The oldest of the owner that has the most. False: none has any.
    private mutating func removeOne(_ reason: Reason, _ share: (Queue) -> Int64) -> Bool {
        let largest = queues.max { one, other in
            let (less, more) = (share(one.value), share(other.value))
            // Of equal shares, the one with the oldest.
            return less != more ? less < more : (one.value.candidates.first?.at.milliseconds ?? .max) > (other.value.candidates.first?.at.milliseconds ?? .max)
        }
        guard let (owner, queue) = largest, let candidate = queue.candidates.first(where: { reason != .bytes || $0.bytes > 0 }) else { return false }
        // Those before it hold no bytes, and there are enough of them to be kept.
        remove(candidate, of: owner, reason)
        return true
    }

    private mutating func remove(_ candidate: Candidate, of owner: String?, _ reason: Reason) {
        guard var queue = queues[owner] else { return }
        if queue.candidates.first == candidate {
            queue.candidates.removeFirst()
        } else {
            queue.candidates.removeAll { $0 == candidate }
        }
        queue.count -= 1
        queue.bytes -= candidate.bytes
        queues[owner] = queue
        count -= 1
        bytes -= candidate.bytes
        removals.append(Removal(writer: candidate.writer, reason: reason))
    }
}

extension RetentionPlan.Reason {
    var sentence: String {
        switch self {
        case .age: "the server keeps ended writers for a time (--retain-ended)"
        case .count: "the server keeps so many ended writers (--retain-ended-count)"
        case .bytes: "the server keeps so many bytes of ended writers (--retain-ended-bytes)"
        }
    }
}
