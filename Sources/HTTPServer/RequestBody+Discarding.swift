// What is left of a body that the handler did not want.
extension RequestBody {
    /// Whether the response can promise another request behind what is left. Of a chunked body only what is
    /// there already tells where it ends.
    func promisesEnd(limit: Int) -> Bool {
        guard canReachEnd(limit: limit) else { return false }
        return bytesLeft != nil || discardAvailable(limit: limit) == .all
    }

    /// Whether what is left can be read away to find the next request behind it.
    func canReachEnd(limit: Int) -> Bool {
        if isFinished { return true }
        if hasFailed || isAwaitingContinue { return false }
        return bytesLeft.map { $0 <= UInt64(limit) } ?? true
    }

    enum Discarded {
        case all
        /// More is to come.
        case part
        /// The connection can't be used for another request.
        case tooMuch
    }

    /// Reads away what is there of the rest, which is to have no more than `limit` bytes.
    func discardAvailable(limit: Int) -> Discarded {
        guard canReachEnd(limit: limit) else { return .tooMuch }
        return withUnsafeTemporaryAllocation(byteCount: Self.directThreshold, alignment: 16) { buffer in
            while !isFinished {
                guard discarded <= limit else { return .tooMuch }
                do throws(Failure) {
                    guard let count = try readAvailable(into: [buffer]) else { return .part }
                    discarded += count
                } catch {
                    return .tooMuch
                }
            }
            return .all
        }
    }
}
