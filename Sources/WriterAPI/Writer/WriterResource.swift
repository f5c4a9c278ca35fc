import APICore
import StreamWriter
import SystemIO
import WriterModel

/// The one writer of this process: what may be done to it when, and what is known of it.
///
/// Changes are exclusive: one at a time, and none while a chunk is being taken. Chunks of
/// different streams run side by side. The lock guards this bookkeeping only; libav runs
/// outside it.
final class WriterResource: Sendable {
    enum Phase: Sendable, Equatable {
        /// The request that makes the writer has not come or is being worked on.
        case absent
        case alive(WriterState)
        /// Closed or failed: the gateway answers from here on.
        case ended(WriterState)
        /// Creation failed, or the writer was deleted.
        case discarded
    }

    struct Parts: Sendable {
        let request: CreateRequest
        let place: WriterOutput
        let writer: StreamWriter
    }

    struct State {
        var phase = Phase.absent
        var isChanging = false
        var chunks: [Int: Interruption] = [:]
        var parts: Parts?
        var redaction = Redaction.none
        /// `dst` as it may be shown.
        var shownDestination: String?
        var metadata: [String: String] = [:]
        var streams: [AddedStream] = []
        /// Of what the client has described, in the record.
        var weight = DescriptionWeight()
        var hasOpened = false
        /// The request that makes the writer has been answered well.
        var isCreated = false
        /// Why nothing came of it, and of what request.
        var failedCreation: (fingerprint: String, problem: Problem)?
        /// A thread is left at what does not come back.
        var isAbandoned = false
        var openOption: [String: String] = [:]
        /// When a request last ended.
        var lastActive = ContinuousClock.now
        var ending: [(String, JSONValue)] = []
    }

    /// Ends a chunk under the thread that takes it.
    typealias Interruption = @Sendable () -> Void

    let settings: EncoderStart
    let clientPolicy: ClientPolicy
    let confinement: Confinement
    let optionPolicy: OptionPolicy
    let folder: Directory
    /// What the gateway knows when this process has died.
    let progress: ProgressMarks
    let report: @Sendable (ControlMessage) -> Void
    let state = Monitor(State())
    let growth = OutputNotifier()
    /// Of changes and chunks.
    let turns = TurnLimit(16)
    /// However many of those wait, the writer can be deleted.
    let deletions = TurnLimit(4)

    /// `report` tells the gateway.
    init(
        settings: EncoderStart, clientPolicy: ClientPolicy, confinement: Confinement, folder: Directory,
        progress: ProgressMarks, report: @escaping @Sendable (ControlMessage) -> Void
    ) {
        self.settings = settings
        self.clientPolicy = clientPolicy
        self.confinement = confinement
        optionPolicy = OptionPolicy(clientPolicy)
        self.folder = folder
        self.progress = progress
        self.report = report
    }

    var phase: Phase { state.withLock { $0.phase } }

    /// The phase, once the gateway knows it too: a request must not go back to a gateway that
    /// would send it here again.
    var settledPhase: Phase {
        state.wait { state in
            switch state.phase {
            case .ended, .discarded: state.isChanging ? nil : state.phase
            case .absent, .alive: state.phase
            }
        } ?? .discarded
    }

    /// How long the writer has been without a request; nil while it has one, or is none.
    var idleTime: Duration? {
        state.withLock { state in
            guard case .alive = state.phase, !state.isChanging, state.chunks.isEmpty else { return nil }
            return ContinuousClock.now - state.lastActive
        }
    }

    // MARK: Output

    /// For reading what is written, as it is written.
    struct Output: Sendable {
        let place: WriterOutput
        /// What has been written may still be changed.
        let seeksBack: Bool
    }

    enum OutputState: Sendable {
        /// The writer is not open yet; `growth` tells when that changes.
        case awaited
        case there(Output)
        /// It never will be.
        case none
    }

    var output: OutputState {
        state.withLock { state in
            guard let parts = state.parts, state.hasOpened else {
                switch state.phase {
                case .absent, .alive: return .awaited
                case .ended, .discarded: return .none
                }
            }
            return .there(
                Output(place: parts.place, seeksBack: parts.place.muxer.willSeekBack(option: state.openOption)))
        }
    }
}
