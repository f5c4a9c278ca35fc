import Testing
import WriterAPI
import WriterModel

/// Every order of events: all states that a lifecycle can come to are few, so every event is tried in each.
@Suite struct WriterLifecycleTests {
    /// A lifecycle, and whether a request (or the process itself) is at a change of it.
    struct Node: Hashable {
        var lifecycle = WriterLifecycle()
        var isHeld = false
    }

    enum Event: Hashable, CaseIterable {
        case beginCreation, beginChange, beginConfiguring, beginChangeOfOpen, beginAfterChunks, endChange
        case made, opened, created, beginFinalizing, takeFinalizingBack, close, fail, discard, endIsTold
        case abandonFailing, abandonDeleting
        case chunk0, takeOver0, endChunk0, chunk1, endChunk1

        /// Only of a thread that is at a change: also of one that was given up, whatever it still does.
        var needsChange: Bool {
            switch self {
            case .endChange, .made, .opened, .created, .beginFinalizing, .takeFinalizingBack, .close, .fail, .discard: true
            default: false
            }
        }
    }

    enum Outcome: Equatable {
        case begun, waits, refused(WriterLifecycle.Refusal?), ended, done, unchanged
    }

    /// What the event does; nil: it can't come then.
    static func apply(_ event: Event, to node: inout Node) -> Outcome? {
        if event.needsChange && !node.isHeld { return nil }
        func turn(_ turn: WriterLifecycle.Turn) -> Outcome {
            switch turn {
            case .begun: .begun
            case .wait: .waits
            case .refused(let refusal): .refused(refusal)
            }
        }
        func change(_ begun: WriterLifecycle.Turn) -> Outcome {
            if begun == .begun { node.isHeld = true }
            return turn(begun)
        }
        func chunk(_ stream: Int, takesOver: Bool = false) -> Outcome {
            let found = node.lifecycle.turn(ofChunkOf: stream, takesOver: takesOver)
            if found == .begun { node.lifecycle.beginChunk(of: stream) }
            return turn(found)
        }
        func endChunk(_ stream: Int) -> Outcome? {
            guard node.lifecycle.chunks.contains(stream) else { return nil }
            node.lifecycle.endChunk(of: stream)
            return .done
        }
        switch event {
        case .beginCreation:
            switch node.lifecycle.beginCreation() {
            case nil: return .waits
            case .claimed: return change(.begun)
            case .exists, .ended: return .refused(nil)
            }
        case .beginChange: return change(node.lifecycle.beginChange())
        case .beginConfiguring: return change(node.lifecycle.beginChange(needing: .configuring))
        case .beginChangeOfOpen: return change(node.lifecycle.beginChange(needing: .open))
        case .beginAfterChunks: return change(node.lifecycle.beginChangeAfterChunks())
        case .endChange:
            node.isHeld = false
            node.lifecycle.endChange()
        case .made: node.lifecycle.made()
        case .opened: node.lifecycle.opened()
        case .created: return node.lifecycle.created() ? .done : .unchanged
        case .beginFinalizing: return node.lifecycle.beginFinalizing() ? .done : .unchanged
        case .takeFinalizingBack: node.lifecycle.takeFinalizingBack()
        case .close: return node.lifecycle.end(as: .closed) ? .ended : .unchanged
        case .fail: return node.lifecycle.end(as: .failed) ? .ended : .unchanged
        case .discard: return node.lifecycle.discard() ? .ended : .unchanged
        case .endIsTold: node.lifecycle.endIsTold()
        case .abandonFailing: return node.lifecycle.abandon(deleting: false) == .tooLate ? .unchanged : .ended
        case .abandonDeleting: return node.lifecycle.abandon(deleting: true) == .tooLate ? .unchanged : .ended
        case .chunk0: return chunk(0)
        case .takeOver0: return chunk(0, takesOver: true)
        case .endChunk0: return endChunk(0)
        case .chunk1: return chunk(1)
        case .endChunk1: return endChunk(1)
        }
        return .done
    }

    struct Step {
        let before: Node
        let event: Event
        let outcome: Outcome
        let after: Node
    }

    /// Every event in every state that any order of events leads to.
    static let steps: [Step] = {
        var seen: Set<Node> = [Node()]
        var open = [Node()]
        var steps: [Step] = []
        while let before = open.popLast() {
            for event in Event.allCases {
                var after = before
                guard let outcome = apply(event, to: &after) else { continue }
                steps.append(Step(before: before, event: event, outcome: outcome, after: after))
                if seen.insert(after).inserted { open.append(after) }
            }
        }
        return steps
    }()

    private func expect(_ claim: (Step) -> Bool, _ sourceLocation: SourceLocation = #_sourceLocation) {
        let broken = Self.steps.first { !claim($0) }
        #expect(broken == nil, sourceLocation: sourceLocation)
    }

    @Test func everyStateIsTried() {
        let states = Set(Self.steps.map(\.after))
        #expect(states.count > 50 && states.count < 5_000, "\(states.count)")
        for phase: WriterLifecycle.Phase in [
            .alive(.configuring), .alive(.open), .alive(.finalizing), .ended(.closed), .ended(.failed), .discarded,
        ] { #expect(states.contains { $0.lifecycle.phase == phase }, "\(phase)") }
    }

    @Test func aWriterThatIsOverStaysSo() {
        expect { !$0.before.lifecycle.isOver || $0.after.lifecycle.phase == $0.before.lifecycle.phase }
    }

    @Test func aWriterEndsOnceAndOneCallerIsToldSo() {
        expect { ($0.outcome == .ended) == (!$0.before.lifecycle.isOver && $0.after.lifecycle.isOver) }
    }

    /// docs/reference/writers.md: configuring → open → finalizing → closed, or failed from anywhere; deleted, or never made, likewise.
    @Test func phasesFollowEachOtherAsTheContractSays() {
        let allowed: [WriterLifecycle.Phase: Set<WriterLifecycle.Phase>] = [
            .absent: [.alive(.configuring), .discarded],
            .alive(.configuring): [.alive(.open), .ended(.failed), .ended(.closed), .discarded],
            .alive(.open): [.alive(.finalizing), .ended(.failed), .ended(.closed), .discarded],
            .alive(.finalizing): [.alive(.open), .ended(.closed), .ended(.failed), .discarded],
        ]
        expect { step in
            let (from, to) = (step.before.lifecycle.phase, step.after.lifecycle.phase)
            return from == to || allowed[from]?.contains(to) == true
        }
    }

    @Test func aChangeIsNeverBegunBesideAnotherOrBesideAChunk() {
        expect { step in
            guard step.after.isHeld && !step.before.isHeld else { return true }
            return !step.before.lifecycle.isChanging && step.before.lifecycle.chunks.isEmpty
        }
        expect { !($0.before.isHeld && $0.outcome == .begun) }
    }

    @Test func everyBegunChangeIsEnded() {
        expect { step in step.after.isHeld || step.after.lifecycle.isOver || !step.after.lifecycle.isChanging }
    }

    @Test func aChunkBeginsOnlyInAnOpenWriterThatNothingChangesAndBesideNoOtherOfItsStream() {
        expect { step in
            guard let new = step.after.lifecycle.chunks.subtracting(step.before.lifecycle.chunks).first else { return true }
            let before = step.before.lifecycle
            return before.phase == .alive(.open) && !before.isChanging && !before.chunks.contains(new)
        }
    }

    @Test func whatWaitsHasSomethingToWaitFor() {
        expect { step in
            step.outcome != .waits || step.before.isHeld || !step.before.lifecycle.chunks.isEmpty
                || step.before.lifecycle.settledPhase == nil
        }
        // And what was waited for ends: the end is told, the change is ended, chunks go.
        for state in Set(Self.steps.map(\.after)) {
            var node = state
            node.lifecycle.endIsTold()
            if node.isHeld { _ = Self.apply(.endChange, to: &node) }
            for stream in node.lifecycle.chunks { node.lifecycle.endChunk(of: stream) }
            for event in [Event.beginChange, .beginConfiguring, .beginAfterChunks, .chunk0] {
                var tried = node
                let outcome = Self.apply(event, to: &tried)
                #expect(outcome != .waits, "\(event) in \(node)")
            }
        }
    }

    @Test func thePhaseIsSettledOnceTheEndIsTold() {
        expect { $0.outcome != .ended || $0.after.lifecycle.settledPhase == nil }
        expect { $0.event != .endIsTold || $0.after.lifecycle.settledPhase == $0.after.lifecycle.phase }
        // A change that ends late, of a thread that was given up, settles nothing.
        expect { $0.event == .endIsTold || $0.before.lifecycle.settledPhase != nil || $0.after.lifecycle.settledPhase == nil }
    }

    @Test func whatIsAbandonedFailsIfItWasCreatedAndIsToStay() {
        for step in Self.steps where step.outcome == .ended {
            let before = step.before.lifecycle
            switch step.event {
            case .abandonFailing:
                #expect(step.after.lifecycle.phase == (before.isCreated ? .ended(.failed) : .discarded))
                #expect(step.after.lifecycle.isAbandoned && !step.after.lifecycle.takesChunks)
            case .abandonDeleting: #expect(step.after.lifecycle.phase == .discarded && step.after.lifecycle.isAbandoned)
            default: break
            }
        }
    }

    @Test func whatWasOnceOpenOrCreatedWas() {
        expect { !$0.before.lifecycle.hasOpened || $0.after.lifecycle.hasOpened }
        expect { !$0.before.lifecycle.isCreated || $0.after.lifecycle.isCreated }
        expect { !$0.before.lifecycle.isAbandoned || $0.after.lifecycle.isAbandoned }
    }

    // MARK: The orders that matter, by hand

    private static let creation: [Event] = [.beginCreation, .made, .created, .endChange]
    private static let opening: [Event] = creation + [.beginConfiguring, .opened, .endChange]

    struct Order: CustomTestStringConvertible {
        let testDescription: String
        let events: [Event]
        let last: Event
        let outcome: Outcome
        let phase: WriterLifecycle.Phase

        init(_ name: String, _ events: [Event], _ last: Event, _ outcome: Outcome, _ phase: WriterLifecycle.Phase) {
            (testDescription, self.events, self.last, self.outcome, self.phase) = (name, events, last, outcome, phase)
        }
    }

    @Test(arguments: [
        Order("a second creation waits for the first", [.beginCreation], .beginCreation, .waits, .absent),
        Order("and finds what came of it", creation, .beginCreation, .refused(nil), .alive(.configuring)),
        Order("a creation that failed", [.beginCreation, .discard, .endIsTold], .beginCreation, .refused(nil), .discarded),
        Order("a chunk before open", creation, .chunk0, .refused(.wrongStateForThis), .alive(.configuring)),
        Order("a chunk while it opens", creation + [.beginConfiguring], .chunk0, .waits, .alive(.configuring)),
        Order("a chunk of an open one", opening, .chunk0, .begun, .alive(.open)),
        Order("a second one of the stream", opening + [.chunk0], .chunk0, .refused(.chunkInProgress(stream: 0)), .alive(.open)),
        Order("one that takes over", opening + [.chunk0], .takeOver0, .waits, .alive(.open)),
        Order("once the other has ended", opening + [.chunk0, .endChunk0], .takeOver0, .begun, .alive(.open)),
        Order("one of another stream", opening + [.chunk0], .chunk1, .begun, .alive(.open)),
        Order("a flush beside a chunk", opening + [.chunk1], .beginChangeOfOpen, .refused(.chunkInProgress(stream: 1)), .alive(.open)),
        Order("a stream that is added too late", opening, .beginConfiguring, .refused(.wrongStateForThis), .alive(.open)),
        Order("DELETE beside a chunk", opening + [.chunk0], .beginAfterChunks, .waits, .alive(.open)),
        Order("DELETE once it has ended", opening + [.chunk0, .endChunk0], .beginAfterChunks, .begun, .alive(.open)),
        Order("finalize", opening + [.beginChange, .beginFinalizing], .close, .ended, .ended(.closed)),
        Order("finalize before open", creation + [.beginChange], .beginFinalizing, .unchanged, .alive(.configuring)),
        Order("a second finalize waits", opening + [.beginChange, .beginFinalizing], .beginChange, .waits, .alive(.finalizing)),
        Order(
            "and is refused", opening + [.beginChange, .beginFinalizing, .close, .endIsTold, .endChange], .beginChange,
            .refused(.wrongState), .ended(.closed)),
        Order(
            "a finalize that wants more samples", opening + [.beginChange, .beginFinalizing, .takeFinalizingBack, .endChange], .chunk0,
            .begun, .alive(.open)),
        Order(
            "a thread that comes back after it was given up", opening + [.beginChange, .beginFinalizing, .abandonFailing], .close,
            .unchanged, .ended(.failed)),
        Order("one that was still creating", [.beginCreation, .made, .abandonFailing], .created, .unchanged, .discarded),
        Order("DELETE of a stuck writer", opening + [.chunk0, .abandonDeleting], .endChunk0, .done, .discarded),
        Order("what ended by itself is not abandoned", opening + [.beginChange, .close], .abandonFailing, .unchanged, .ended(.closed)),
    ])
    func anOrderOfEventsComesOutAsTheContractSays(order: Order) throws {
        var node = Node()
        for event in order.events {
            let outcome = Self.apply(event, to: &node)
            try #require(outcome != nil, "\(event)")
        }
        let outcome = Self.apply(order.last, to: &node)
        #expect(outcome == order.outcome)
        #expect(node.lifecycle.phase == order.phase)
    }

    @Test func whatIsIdleHasNoRequest() {
        expect { !$0.after.lifecycle.isIdle || !$0.after.isHeld && $0.after.lifecycle.chunks.isEmpty && !$0.after.lifecycle.isOver }
        #expect(!WriterLifecycle().isIdle)
    }

    @Test func anEndedWriterIsKnownByItsStateAndOneThatNeverWasAsConfiguring() {
        for state in WriterState.allCases {
            #expect(WriterLifecycle.Phase.alive(state).state == state && WriterLifecycle.Phase.ended(state).state == state)
        }
        #expect(WriterLifecycle.Phase.absent.state == .configuring && WriterLifecycle.Phase.discarded.state == .configuring)
    }
}
