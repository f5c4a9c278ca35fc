import HTTP1
import SystemIO
import Threading

/// A body that is made while it is sent. One thread at a time asks. What it throws breaks the response off.
public protocol PieceSource: AnyObject, Sendable {
    /// The next piece, without waiting; nil at the end.
    func next() throws -> [UInt8]?
}

/// A body whose pieces come when something happens: events, lines of a log. While there are none its response
/// waits without a thread.
///
/// A route of server-sent events responds with `text/event-stream` and a source that keeps what was published
/// and not asked for yet behind a lock, with a `WakeList`; publishing adds to it and calls what `takeAll` gives,
/// outside the lock. What is kept has a limit: a client that falls behind it misses events, or its stream is
/// ended. `Exchange.whenOver` tells of the response's end, also when its client has left: there the route
/// unsubscribes. A comment line (": \n\n") now and then shows proxies that the stream lives, and the server when
/// its client does not: it must take each piece within `responseTimeout`. When the server closes the response
/// ends well with what `next` had, without the source's doing.
public protocol LivePieceSource: AnyObject, Sendable {
    /// Without waiting. One thread at a time asks. What it throws breaks the response off.
    func next() throws -> LivePiece
    /// Calls `wake` once, from any thread, as soon as `next` would give something; at once if it would already.
    func whenReady(_ wake: @escaping WakeList.Wake) -> CancelWake
}

public enum LivePiece: Sendable {
    case piece([UInt8])
    case nothingYet
    case end
}

/// The growth of a file that is being written.
public protocol FileGrowth: Sendable {
    /// Bytes in the file before the call are of that version or an earlier one.
    var current: (version: Int, end: FileEnd?) { get }
    /// Calls `wake` once, when anything is not as it was at `version`; at once if it is so already.
    func whenChanged(since version: Int, _ wake: @escaping WakeList.Wake) -> CancelWake
}

public enum FileEnd: Sendable {
    /// Whole.
    case complete
    /// What is there is not what it was to be.
    case failed
}

/// What is left to send of a response. It never waits; one thread at a time uses it.
final class Outbound: @unchecked Sendable {
    // Unchecked: it goes from thread to thread with its exchange.
    enum Source {
        case none
        case bytes([UInt8])
        /// Not held for this client alone.
        case shared([UInt8])
        case file(OpenFile, Range<UInt64>)
        case pieces(any PieceSource)
        case growing(OpenFile, any FileGrowth)
        case live(any LivePieceSource)
    }

    enum Step {
        case done
        /// The client takes no more now; or it takes so much that others get their turn.
        case noRoom
        /// The file, or the live source, has no more now, at this version.
        case nothingYet(version: Int)
        case clientGone
        /// The body can't go on.
        case broken
    }

    private var pending: [UInt8]
    private var pendingStart = 0
    private var isPendingShared = false
    private var source: Source
    let isChunked: Bool
    /// What of the file is announced and not sent.
    private var fileRange: Range<UInt64> = 0..<0
    private var isEnding = false
    private var isClosing = false
    private(set) var bodyBytesSent: UInt64 = 0
    private var pace: Pace

    private static let largestFileChunk: UInt64 = 1_024 * 1_024
    /// After so many bytes others get the thread.
    private static let turnBytes = 16 * 1_024 * 1_024

    init(pending: [UInt8], sent: Int, source: Source, isChunked: Bool, timeout: Duration) {
        self.pending = pending
        pendingStart = sent
        self.source = source
        self.isChunked = isChunked
        pace = Pace(timeout)
        if case .file(_, let range) = source { fileRange = range }
    }

    /// By when the client must have taken more.
    var deadline: Deadline { pace.deadline }

    /// Of the file that it follows, or the live source.
    func whenChanged(since version: Int, _ wake: @escaping WakeList.Wake) -> CancelWake {
        switch source {
        case .growing(_, let growth): growth.whenChanged(since: version, wake)
        case .live(let pieces): pieces.whenReady(wake)
        default: {}
        }
    }

    /// It has no end of its own, and ends when the server closes.
    var isLive: Bool { if case .live = source { true } else { false } }

    /// Bytes of memory that wait here for the client, and that it alone is to have.
    var heldBytes: Int {
        let mine = isPendingShared ? 0 : pending.count
        if case .bytes(let bytes) = source { return mine + bytes.count }
        return mine
    }

    /// Lets go of what was sent, where it is worth a copy of the rest.
    private func releaseSent() {
        guard !isPendingShared, pendingStart > 0, pendingStart >= pending.count / 2 else { return }
        pending = Array(pending[pendingStart...])
        pendingStart = 0
    }

    /// Sends what there is room for. `isClosing`: a live source that has nothing has ended.
    func advance(to descriptor: Int32, isClosing: Bool = false) -> Step {
        self.isClosing = isClosing
        let step = sendTurn(to: descriptor)
        releaseSent()
        return step
    }

    private func sendTurn(to descriptor: Int32) -> Step {
        var sent = 0
        while sent < Self.turnBytes {
            switch sendSome(to: descriptor) {
            case .moved(0)?: return .noRoom
            case .moved(let count)?:
                pace.moved(count)
                sent += count
            case .ended?, .timedOut?: return .clientGone
            case nil:
                switch refill() {
                case nil: continue
                case let step?: return step
                }
            }
        }
        return .noRoom
    }

    /// nil: nothing of what was announced is left.
    private func sendSome(to descriptor: Int32) -> SocketProgress? {
        if pendingStart < pending.count {
            let progress = pending[pendingStart...].withUnsafeBytes {
                Socket.sendAvailable(descriptor, $0, moreFollows: !fileRange.isEmpty)
            }
            if case .moved(let count) = progress { pendingStart += count }
            return progress
        }
        guard !fileRange.isEmpty, let file else { return nil }
        let progress = Socket.sendFileAvailable(
            descriptor, from: file.descriptor, offset: fileRange.lowerBound, count: Int(clamping: fileRange.count))
        if case .moved(let count) = progress {
            fileRange = (fileRange.lowerBound + UInt64(count))..<fileRange.upperBound
            bodyBytesSent += UInt64(count)
        }
        return progress
    }

    private var file: OpenFile? {
        switch source {
        case .file(let file, _), .growing(let file, _): file
        case .none, .bytes, .shared, .pieces, .live: nil
        }
    }

    /// Announces what comes next; a step when there is nothing to send.
    private func refill() -> Step? {
        if isEnding { return .done }
        // What is shared has no capacity to keep.
        if isPendingShared { pending = [] } else { pending.removeAll(keepingCapacity: true) }
        (pendingStart, isPendingShared) = (0, false)
        switch source {
        case .none, .file: return finish()
        case .bytes(let bytes):
            source = .none
            bodyBytesSent += UInt64(bytes.count)
            pending = bytes
        case .shared(let bytes):
            source = .none
            bodyBytesSent += UInt64(bytes.count)
            (pending, isPendingShared) = (bytes, true)
        case .pieces(let pieces):
            guard case .success(let next) = Result(catching: { try pieces.next() }) else { return .broken }
            guard let piece = next else { return finish() }
            add(piece)
        case .live(let pieces):
            guard case .success(let next) = Result(catching: { try pieces.next() }) else { return .broken }
            switch next {
            case .piece(let piece): add(piece)
            case .nothingYet where !isClosing: return .nothingYet(version: 0)
            case .nothingYet, .end: return finish()
            }
        case .growing(let file, let growth): return refill(from: file, growth)
        }
        return nil
    }

    private func refill(from file: OpenFile, _ growth: any FileGrowth) -> Step? {
        // Asked before the size: what is written in between is found by the next round.
        let (version, end) = growth.current
        let position = fileRange.upperBound
        let size = file.size
        if size > position {
            fileRange = position..<min(size, position + Self.largestFileChunk)
            announce(fileRange.count)
            return nil
        }
        switch end {
        case .complete?: return finish()
        // The client may use what it has meanwhile: its chunk is ended first.
        case .failed?: return endChunk() ? nil : .broken
        case nil: return endChunk() ? nil : .nothingYet(version: version)
        }
    }

    private func add(_ piece: [UInt8]) {
        announce(piece.count)
        pending += piece
        _ = endChunk()
        bodyBytesSent += UInt64(piece.count)
    }

    private var owesEndOfChunk = false

    private func announce(_ count: Int) {
        guard isChunked, count > 0 else { return }
        if owesEndOfChunk { pending += ChunkedEncoder.chunkEnd }
        ChunkedEncoder.appendHeader(size: count, to: &pending)
        owesEndOfChunk = true
    }

    /// False: nothing is owed.
    private func endChunk() -> Bool {
        guard owesEndOfChunk else { return false }
        owesEndOfChunk = false
        pending += ChunkedEncoder.chunkEnd
        return true
    }

    private func finish() -> Step? {
        isEnding = true
        guard isChunked else { return .done }
        _ = endChunk()
        pending += ChunkedEncoder.terminator
        return nil
    }
}
