import Threading

/// A body that a file keeps while it is written, so that it can be sent again from its beginning at any time.
final class SpoolBody: GrowingBody {
    let keepsAll = true
    private let file: SpoolFile
    private let state = Monitor(State())

    private struct State {
        var position = 0
        var end = 0
        var isEnded = false
        var isAwaited = false
        var failure: UploadError?
        var onMore: (@Sendable () -> Void)?
    }

    private let declaredSize: Int?

    /// `size`: of the whole body, where it is known before its end.
    init(_ file: SpoolFile, size: Int?) { (self.file, declaredSize) = (file, size) }

    var size: Int? { declaredSize ?? state.withLock { $0.isEnded ? $0.end : nil } }
    var position: Int { state.withLock(\.position) }
    /// Of a declared size, its last byte is the end, though `end` has not been called.
    var isAtEnd: Bool { state.withLock { $0.position == declaredSize ?? ($0.isEnded ? $0.end : nil) } }
    func onMore(_ call: @escaping @Sendable () -> Void) { state.withLock { $0.onMore = call } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(UploadError) {
        let (end, failure) = state.withLock { ($0.end, $0.failure) }
        if let failure { throw failure }
        // Only one thread appends, and none reads beyond `end`.
        try file.write(bytes, at: end)
        tell { $0.end += bytes.count }
    }

    func end() { tell { $0.isEnded = true } }
    func fail(_ error: UploadError) { state.change { $0.failure = $0.failure ?? error } }

    private func tell(_ change: (inout State) -> Void) {
        let awaiter = state.withLock { state -> (@Sendable () -> Void)? in
            change(&state)
            defer { state.isAwaited = false }
            return state.isAwaited ? state.onMore : nil
        }
        awaiter?()
    }

    func awaitReader() { _ = state.wait { $0.isAwaited || $0.position > 0 || $0.failure != nil ? true : nil } }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> BodyRead {
        let (position, left, none) = state.withLock { state -> (Int, Int, BodyRead) in
            let left = state.end - state.position
            if left == 0 && !state.isEnded { state.isAwaited = true }
            return (state.position, left, state.isEnded ? .end : .notYet)
        }
        if left == 0 {
            state.wakeOne()
            return none
        }
        do {
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left)), at: position)
            if count == 0 { return .failed(UploadError(.local, file.shownName, "it has become shorter while it was sent")) }
            state.withLock { $0.position += count }
            return .bytes(count)
        } catch { return .failed(error) }
    }

    func rewind() -> Bool {
        state.withLock { $0.position = 0 }
        return true
    }
}
