import APICore
import Bytewise
import StreamWriter
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The one writer of this process: what was asked for, what came of it, and what is known of it. What may be
/// done to it when, its lifecycle says; here is waited, and libav runs, outside the lock.
package final class WriterResource: Sendable {
    struct Parts: Sendable {
        let request: CreateRequest
        let writer: StreamWriter
        /// Of all outputs, in their order.
        let places: [WriterOutput]

        /// The first one's, which the writer is known by.
        var place: WriterOutput { places[0] }
    }

    struct State {
        var lifecycle = WriterLifecycle()
        /// Of chunks that are being taken, by their stream.
        var interruptions: [Int: Interruption] = [:]
        /// As the gateway was told last.
        var claim: OutputClaim?
        /// Made before what writes to them.
        var outputs: [WriterOutput] = []
        var parts: Parts?
        var redaction = Redaction.none
        /// `dst` as it may be shown.
        var shownDestination: String?
        var metadata: [String: String] = [:]
        var streams: [AddedStream] = []
        /// Of outputs that came when the writer was open.
        var lateOutputs: [OutputEntry] = []
        /// By their names, those that were there from the start and were ended before the writer.
        var outputsLeft: Set<String> = []
        /// By their names, those that are being ended.
        var outputsLeaving: Set<String> = []
        /// Of what the client has described, in the record.
        var weight = DescriptionWeight()
        /// A request has come to delete it: whatever else is under way has lost.
        var isBeingDeleted = false
        /// Whose request is opening the destination.
        var openingClient: OpeningClient?
        /// The client that it was to be opened for has left.
        var isDeserted = false
        /// Why nothing came of it, and of what request.
        var failedCreation: (fingerprint: String, problem: Problem)?
        var openOption: [String: String] = [:]
        /// Why it is being ended.
        var failing: Problem?
        /// When a request last ended.
        var lastActive = ContinuousClock.now
        /// When one that adds to the writer or changes it last began or ended.
        var lastRequest: Moment?
        /// By stream; of those that a chunk has come for.
        var activity: [Int: StreamActivity] = [:]
        var uploadTallies: [MetricCounts.Tally: Int64] = [:]
        var ending: [(String, JSONValue)] = []
        /// What came of the outputs, in their order, once the writer is closed.
        var outputEnds: [OutputEnd] = []
    }

    /// Ends a chunk under the thread that takes it.
    package typealias Interruption = @Sendable () -> Void

    package typealias Narrow = @Sendable ([Confinement.Reach]) throws(SystemError) -> Void

    let settings: EncoderStart
    let clientPolicy: ClientPolicy
    /// Leaves this process its destinations, and nothing else, within reach.
    let narrow: Narrow
    let optionPolicy: OptionPolicy
    let folder: Directory
    /// What the gateway knows when this process has died.
    let progress: ProgressMarks
    let report: @Sendable (ControlMessage) -> Void
    /// To the processes that write its outputs; nil: this one does it all.
    let carrierLines: CarrierLines?
    /// Waits until the gateway has kept what `report` told it that the writer writes to; throws where it has not.
    let requireKeptClaim: @Sendable () throws(Problem) -> Void
    let state = Monitor(State())
    let growth = OutputNotifier()
    /// Of changes and chunks.
    let turns = TurnLimit(16)
    /// Of outputs that come, and of those that go: each may wait for a peer.
    let joiningTurns = TurnLimit(4)
    let leavingTurns = TurnLimit(4)
    /// One file after another comes to the claim.
    let lateClaims = Mutex(())
    /// And one after another is read back: when it was ended, or the writer is.
    let lateEnds = Mutex(())
    /// However many of those wait, the writer can be deleted.
    let deletions = TurnLimit(4)
    /// How long a writer that is deleted may take to stop what it is at.
    let deletionPatience: Duration

    /// `report` tells the gateway.
    package init(
        settings: EncoderStart, clientPolicy: ClientPolicy, narrow: @escaping Narrow, folder: Directory,
        progress: ProgressMarks, report: @escaping @Sendable (ControlMessage) -> Void, carrierLines: CarrierLines? = nil,
        requireKeptClaim: @escaping @Sendable () throws(Problem) -> Void, deletionPatience: Duration = .seconds(2)
    ) {
        self.settings = settings
        self.clientPolicy = clientPolicy
        self.narrow = narrow
        optionPolicy = OptionPolicy(clientPolicy)
        self.folder = folder
        self.progress = progress
        self.report = report
        self.carrierLines = carrierLines
        self.requireKeptClaim = requireKeptClaim
        self.deletionPatience = deletionPatience
    }

    /// As it is now.
    package var lifecycle: WriterLifecycle { state.withLock { $0.lifecycle } }

    package var phase: WriterLifecycle.Phase { lifecycle.phase }

    /// The phase, once the gateway knows it too: a request must not go back to a gateway that
    /// would send it here again.
    package var settledPhase: WriterLifecycle.Phase { state.wait { $0.lifecycle.settledPhase } ?? .discarded }

    /// How long the writer has been without a request; nil while it has one, or is none.
    package var idleTime: Duration? {
        state.withLock { $0.lifecycle.isIdle ? ContinuousClock.now - $0.lastActive : nil }
    }

    // MARK: Output

    /// For reading what is written, as it is written.
    struct Output: Sendable {
        let place: WriterOutput
        let type: FileType
        /// What has been written may still be changed.
        let seeksBack: Bool
        /// Of its file.
        let growth: OutputNotifier
    }

    enum OutputState: Sendable {
        /// The writer is not open yet; `growth` tells when that changes.
        case awaited
        case there(Output)
        /// It never will be.
        case none
    }

    /// `name`: nil of the first. Throws where no output has the name.
    func output(named name: String? = nil) throws(Problem) -> OutputState {
        let (lifecycle, places, option, streams, late) = state.withLock {
            ($0.lifecycle, $0.parts?.places, $0.openOption, $0.streams.map(\.config), $0.lateOutputs)
        }
        guard let places else { return lifecycle.isOver ? .none : .awaited }
        guard let index = name.map({ name in places.firstIndex { $0.name.isSame(as: name) } }) ?? 0 else {
            return .there(try output(late, named: name ?? "", there: places.map(\.name), streams))
        }
        let place = places[index]
        if !place.canBeRead { throw .unreadableOutput(place.name, place.whyUnreadable) }
        guard lifecycle.hasOpened else { return lifecycle.isOver ? .none : .awaited }
        let own = index == 0 ? option : place.option
        return .there(Output(place: place, type: place.fileType(of: streams), seeksBack: place.muxer.willSeekBack(option: own), growth: growth))
    }

    /// Of those that came when the writer was open.
    private func output(_ late: [OutputEntry], named name: String, there: [String], _ streams: [StreamConfig]) throws(Problem) -> Output {
        guard let entry = late.first(where: { $0.name.isSame(as: name) }) else {
            throw .noOutput(name, of: settings.writer, there: there + late.map(\.name))
        }
        guard let file = entry.file else { throw .unreadableOutput(entry.name, "it is sent to a URL or a device, or not there yet") }
        let place = file.place
        return Output(
            place: place, type: place.fileType(of: streams), seeksBack: place.muxer.willSeekBack(option: place.option), growth: file.growth)
    }

    /// What of the output is to be followed: of one that came late its own file.
    func growth(ofOutput name: String?) -> OutputNotifier {
        guard let name else { return growth }
        return state.withLock { $0.lateOutputs.first { $0.name.isSame(as: name) }?.file?.growth } ?? growth
    }
}
