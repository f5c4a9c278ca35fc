import WriterModel

/// What a writer is at, and what may be done to it next: events in, decisions out. `WriterResource` holds it
/// under its lock, and waits where it is told to.
///
/// Changes are exclusive: one at a time, and none while a chunk is being taken. Chunks of different streams go
/// side by side. A writer that is over stays so, whatever comes late of a thread that was given up.
package struct WriterLifecycle: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// The request that makes the writer has not come or is being worked on.
        case absent
        case alive(WriterState)
        /// Closed or failed: the gateway answers from here on.
        case ended(WriterState)
        /// Creation failed, or the writer was deleted.
        case discarded
    }

    /// What keeps other changes and new chunks waiting.
    private enum Exclusion: Hashable { case none, change, tellingTheEnd }

    package private(set) var phase = Phase.absent
    /// The streams that take one.
    package private(set) var chunks: Set<Int> = []
    /// What the writer has written stays when it fails.
    package private(set) var hasOpened = false
    /// The request that makes the writer has been answered well.
    package private(set) var isCreated = false
    /// A thread is left at what does not come back.
    package private(set) var isAbandoned = false
    private var exclusion = Exclusion.none

    package init() {}

    // MARK: Questions

    package var isOver: Bool {
        switch phase {
        case .ended, .discarded: true
        case .absent, .alive: false
        }
    }

    /// A change has begun and not ended, or the gateway is being told of the end.
    package var isChanging: Bool { exclusion != .none }

    /// The phase, once the gateway knows it too.
    package var settledPhase: Phase? { isOver && exclusion == .tellingTheEnd ? nil : phase }

    /// Nothing is being done to a writer that there is.
    package var isIdle: Bool { isAlive && !isChanging && chunks.isEmpty }

    /// A change is at what may last for ever: the destination is being opened.
    package var mayBeOpening: Bool { phase == .alive(.configuring) && isChanging }

    package var takesChunks: Bool { phase == .alive(.open) && !isAbandoned }

    private var isAlive: Bool { if case .alive = phase { true } else { false } }

    // MARK: Turns

    package enum Turn: Hashable, Sendable {
        case begun
        /// Asked again after the next change of anything.
        case wait
        case refused(Refusal)
    }

    package enum Refusal: Hashable, Sendable {
        /// No change and no chunk is possible any more, or yet.
        case wrongState
        /// Others are; this one needs another state.
        case wrongStateForThis
        case chunkInProgress(stream: Int)
    }

    package enum CreationTurn: Hashable, Sendable { case claimed, exists, ended }

    /// Makes the creation the caller's: a change, to be ended. nil: wait.
    package mutating func beginCreation() -> CreationTurn? {
        // Whatever is being done to one that was made, it is there.
        if isCreated && isAlive { return .exists }
        if isChanging { return nil }
        switch phase {
        case .absent:
            exclusion = .change
            return .claimed
        case .alive: return .exists
        case .ended, .discarded: return .ended
        }
    }

    /// A change by a request, in `state` or in either of the two that any is possible in.
    package mutating func beginChange(needing state: WriterState? = nil) -> Turn {
        if isChanging { return .wait }
        guard phase == .alive(.configuring) || phase == .alive(.open) else { return .refused(.wrongState) }
        if let stream = chunks.min() { return .refused(.chunkInProgress(stream: stream)) }
        if let state, phase != .alive(state) { return .refused(.wrongStateForThis) }
        exclusion = .change
        return .begun
    }

    /// A change that no chunk keeps waiting. `.wait`: the caller ends all of `chunks` first.
    package mutating func beginChangeAfterChunks() -> Turn {
        if isChanging { return .wait }
        guard isAlive else { return .refused(.wrongState) }
        if !chunks.isEmpty { return .wait }
        exclusion = .change
        return .begun
    }

    /// Of any begun change, also of one whose writer is over by now.
    package mutating func endChange() { if exclusion == .change { exclusion = .none } }

    /// What a chunk of a stream may do now. With `takesOver` it waits, and the caller ends the one under way.
    package func turn(ofChunkOf stream: Int, takesOver: Bool) -> Turn {
        if isChanging { return .wait }
        guard phase == .alive(.open) else { return .refused(.wrongStateForThis) }
        if chunks.contains(stream) { return takesOver ? .wait : .refused(.chunkInProgress(stream: stream)) }
        return .begun
    }

    /// After a turn that was `.begun`.
    package mutating func beginChunk(of stream: Int) {
        precondition(turn(ofChunkOf: stream, takesOver: false) == .begun, "a chunk out of turn")
        chunks.insert(stream)
    }

    package mutating func endChunk(of stream: Int) { chunks.remove(stream) }

    // MARK: What became of a change

    /// The creation has something to add streams to.
    package mutating func made() { if phase == .absent && exclusion == .change { phase = .alive(.configuring) } }

    package mutating func opened() {
        guard phase == .alive(.configuring) else { return }
        phase = .alive(.open)
        hasOpened = true
    }

    /// The creation has come to its end, which is one of the change too. False: the writer is over by now.
    package mutating func created() -> Bool {
        guard isAlive else { return false }
        isCreated = true
        return true
    }

    /// False: it can't be finalized as it is.
    package mutating func beginFinalizing() -> Bool {
        guard phase == .alive(.open) else { return false }
        phase = .alive(.finalizing)
        return true
    }

    /// More may be sent, and the writer finalized then.
    package mutating func takeFinalizingBack() { if phase == .alive(.finalizing) { phase = .alive(.open) } }

    // MARK: The end

    /// Closed or failed. True once: the caller tells the gateway, and then of that with `endIsTold`.
    package mutating func end(as state: WriterState) -> Bool {
        guard isAlive else { return false }
        beOver(.ended(state))
        return true
    }

    /// There is no such writer. True once, as above.
    package mutating func discard() -> Bool {
        if isOver { return false }
        beOver(.discarded)
        return true
    }

    package mutating func endIsTold() { if exclusion == .tellingTheEnd { exclusion = .none } }

    package enum Abandonment: Hashable, Sendable {
        /// The writer has failed.
        case failed
        /// It was never made, or it was to be deleted.
        case discarded
        /// It has ended by itself.
        case tooLate
    }

    /// The end of a writer that a thread is stuck in, whatever that thread holds. What was being made never was.
    package mutating func abandon(deleting: Bool) -> Abandonment {
        if isOver { return .tooLate }
        isAbandoned = true
        let fails = isCreated && !deleting
        beOver(fails ? .ended(.failed) : .discarded)
        return fails ? .failed : .discarded
    }

    private mutating func beOver(_ phase: Phase) {
        self.phase = phase
        exclusion = .tellingTheEnd
    }
}

extension WriterLifecycle.Phase {
    /// As clients know it.
    package var state: WriterState {
        switch self {
        case .alive(let state), .ended(let state): state
        case .absent, .discarded: .configuring
        }
    }
}
