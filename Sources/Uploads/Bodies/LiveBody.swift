import Threading

/// A body of which no more than `capacity` is kept: a ring. While all of it still fits it can be sent again.
final class LiveBody: GrowingBody {
    let keepsAll = false
    private let ring: Ring
    private let state = Monitor(State())

    /// Moments of the body, counted in bytes from its beginning.
    fileprivate struct State {
        /// Of what is kept.
        var first = 0
        var position = 0
        var end = 0
        var isEnded = false
        var isAwaited = false
        var failure: UploadError?
        var onMore: (@Sendable () -> Void)?
    }

    private let declaredSize: Int?

    /// `size`: of the whole body, where it is known before its end.
    init(capacity: Int, size: Int?) { (ring, declaredSize) = (Ring(capacity: capacity), size) }

    var size: Int? { declaredSize ?? state.withLock { $0.isEnded && $0.first == 0 ? $0.end : nil } }
    var position: Int { state.withLock(\.position) }
    /// Of a declared size, its last byte is the end, though `end` has not been called.
    var isAtEnd: Bool { state.withLock { $0.position == declaredSize ?? ($0.isEnded ? $0.end : nil) } }
    func onMore(_ call: @escaping @Sendable () -> Void) { state.withLock { $0.onMore = call } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(UploadError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let step: Result<(Int, Awaiter?), UploadError>? = state.wait { (state) -> Result<(Int, Awaiter?), UploadError>? in
                if let failure = state.failure { return .failure(failure) }
                // What was read makes room, but not before room is wanted.
                let wanted = min(rest.count, ring.capacity)
                state.first = max(state.first, min(state.position, state.end + wanted - ring.capacity))
                let count = min(wanted, ring.capacity - (state.end - state.first))
                if count == 0 { return nil }
                ring.put(UnsafeRawBufferPointer(rebasing: rest.prefix(count)), at: state.end)
                state.end += count
                return .success((count, state.takeAwaiter()))
            }
            let (count, awaiter) = try step!.get()
            rest = rest.dropFirst(count)
            awaiter?()
        }
    }

    func end() {
        let awaiter = state.withLock { state in
            state.isEnded = true
            return state.takeAwaiter()
        }
        awaiter?()
    }

    func fail(_ error: UploadError) { state.change { $0.failure = $0.failure ?? error } }

    func awaitReader() { _ = state.wait { $0.isAwaited || $0.position > 0 || $0.failure != nil ? true : nil } }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> BodyRead {
        let result = state.withLock { state -> BodyRead in
            let count = min(buffer.count, state.end - state.position)
            if count == 0 {
                if state.isEnded { return .end }
                state.isAwaited = true
                return .notYet
            }
            ring.take(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(count)), at: state.position)
            state.position += count
            return .bytes(count)
        }
        // Who appends waits for room, and who opens for a reader: never both.
        if case .end = result { return result }
        state.wakeOne()
        return result
    }

    func rewind() -> Bool {
        state.withLock { state in
            if state.first > 0 { return false }
            state.position = 0
            return true
        }
    }

    private typealias Awaiter = @Sendable () -> Void
}

extension LiveBody.State {
    fileprivate mutating func takeAwaiter() -> (@Sendable () -> Void)? {
        defer { isAwaited = false }
        return isAwaited ? onMore : nil
    }
}

/// Bytes by their place modulo the capacity. It is used under the lock of its owner.
private final class Ring: @unchecked Sendable {
    // Unchecked: `LiveBody.state` guards it.
    private let bytes: UnsafeMutableRawBufferPointer

    init(capacity: Int) { bytes = .allocate(byteCount: max(1, capacity), alignment: 16) }
    deinit { bytes.deallocate() }

    var capacity: Int { bytes.count }

    func put(_ source: UnsafeRawBufferPointer, at position: Int) {
        let start = position % capacity
        let first = min(source.count, capacity - start)
        UnsafeMutableRawBufferPointer(rebasing: bytes[start...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(first)))
        bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.dropFirst(first)))
    }

    func take(into target: UnsafeMutableRawBufferPointer, at position: Int) {
        let start = position % capacity
        let first = min(target.count, capacity - start)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + first]))
        let rest = UnsafeMutableRawBufferPointer(rebasing: target.dropFirst(first))
        rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(rest.count)))
    }
}
