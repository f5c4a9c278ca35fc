import SystemIO
import Threading

// A chunked body that comes in real time, in pieces of any size.
extension RequestBody {
    /// From here on waits for what comes within `latency` at so many bytes a second, rather than for each piece. Of a
    /// body with a length, nothing changes.
    public func pace(bytesPerSecond: Double, latency: Duration) {
        guard case .chunked = framing, latency > .zero else { return }
        pace = ReadPace(bytesPerSecond: bytesPerSecond, latency: latency)
    }

    /// What is left is read as it comes, by whoever reads it.
    public func endPace() {
        pace = nil
        connection.setLowWater(1)
    }

    /// Bytes of the body that are here, or known to follow at once.
    public var bytesAtHand: Int {
        if let bytesLeft { return Int(clamping: bytesLeft) }
        return hasMuchAtHand ? .max : connection.inbound.count
    }

    /// Waits for its time, and reads what there is into the connection's buffer.
    func refillInTime(_ pace: ReadPace) throws(Failure) {
        var pace = pace
        defer { self.pace = pace }
        let deadline = Deadline.after(timeout)
        if pace.mayHaveMore, try fetch(&pace) { return }
        if let count = pace.bytesToAwait {
            connection.setLowWater(count)
            try sleep(until: min(pace.due, deadline))
            if try fetch(&pace) { return }
        }
        try awaitFirst(&pace, until: deadline)
        guard let count = pace.begin(with: connection.inbound.count) else { return }
        connection.setLowWater(count)
        try sleep(until: pace.due)
        // What ends the body is told once these bytes are taken.
        _ = try? fetch(&pace)
    }

    private func awaitFirst(_ pace: inout ReadPace, until deadline: Deadline) throws(Failure) {
        connection.setLowWater(1)
        var isLate = false
        while true {
            try sleep(until: deadline)
            if try fetch(&pace) { return }
            if isLate { throw .timedOut }
            isLate = deadline.hasPassed
        }
    }

    /// Straight into the reader's memory; nil when nothing is there.
    func takeAvailable(into regions: [UnsafeMutableRawBufferPointer], limit: Int) throws(Failure) -> Int? {
        let count = try moved(connection.receiveAvailable(into: regions, limit: limit))
        hasMuchAtHand = count == min(limit, regions.reduce(0) { $0 + $1.count })
        pace?.read(count ?? 0, filled: hasMuchAtHand)
        return count
    }

    /// False: nothing is there.
    private func fetch(_ pace: inout ReadPace) throws(Failure) -> Bool {
        // A source in real time never needs more; one that is faster does so once.
        let capacity = (pace.mayHaveMore ? 4 : 1) * Connection.readCapacity
        var progress: SocketProgress?
        connection.inbound.append(capacity: capacity) { space in
            progress = connection.receiveAvailable(into: space)
            if case .moved(let count)? = progress { return count }
            return 0
        }
        let count = try moved(progress) ?? 0
        hasMuchAtHand = count == 4 * Connection.readCapacity
        pace.read(count, filled: count == capacity)
        return count > 0
    }

    private func moved(_ progress: SocketProgress?) throws(Failure) -> Int? {
        switch progress {
        case .moved(let count)?: return count
        case .ended?, .timedOut?: throw .cut
        case nil: return nil
        }
    }

    /// Until the low-water mark is reached, the client has left, or the deadline.
    private func sleep(until deadline: Deadline) throws(Failure) {
        while interrupter.waits.wait({ Socket.awaitReadable(connection.descriptor, until: deadline) }) == nil {
            if interrupter.isInterrupted { throw .interrupted }
        }
    }
}
