import Threading

// The whole body, as far as it is there.
extension RequestBody {
    enum Gathered {
        case nothing
        case part([UInt8])
        /// nil: it is longer than was allowed.
        case whole([UInt8]?)
        case failed(Failure)
    }

    /// The whole body as an array, which must come within the body timeout; nil when it is longer
    /// than `limit` bytes.
    public func collect(limit: Int) throws(Failure) -> [UInt8]? {
        wholeDeadline = .after(timeout)
        defer { wholeDeadline = nil }
        while !gather(limit: limit, waits: true) {}
        switch gathered {
        case .whole(let bytes): return bytes
        case .failed(let failure): throw failure
        case .nothing, .part: throw .timedOut
        }
    }

    /// Reads what is there of a body that is to be collected, of at most `limit` bytes. True: `collect` will
    /// not wait any more.
    func gather(limit: Int) -> Bool { gather(limit: limit, waits: false) }

    /// The rest did not come in time, or its client has gone.
    func giveUpGathering(_ failure: Failure) {
        hasFailed = true
        gathered = .failed(failure)
    }

    /// Bytes that are held for a body which is not whole yet.
    var gatheredBytes: Int { if case .part(let bytes) = gathered { bytes.count } else { 0 } }

    private func gather(limit: Int, waits: Bool) -> Bool {
        var collected: [UInt8]
        switch gathered {
        case .whole, .failed: return true
        case .nothing: collected = []
        case .part(let bytes): collected = bytes
        }
        if let left = bytesLeft, left > UInt64(limit - collected.count) {
            gathered = .whole(nil)
            return true
        }
        gathered = .nothing
        do throws(Failure) {
            gathered = try readAll(limit: limit, waits: waits, into: &collected)
        } catch {
            gathered = .failed(error)
        }
        if case .part = gathered { return false }
        return true
    }

    private func readAll(limit: Int, waits: Bool, into collected: inout [UInt8]) throws(Failure) -> Gathered {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 * 1_024, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            guard let count = waits ? try read(into: [buffer]) : try readAvailable(into: [buffer]) else {
                return .part(collected)
            }
            if count == 0 { return .whole(collected) }
            if collected.count + count > limit { return .whole(nil) }
            collected.append(contentsOf: buffer[..<count])
        }
    }
}
