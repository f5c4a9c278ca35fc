import APICore
import StreamWriter
import SystemIO
import Threading
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
    private let progress: ProgressMarks
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

    // MARK: Creating and ending

    /// Makes the writer, wholly or not at all. After `claimCreation`.
    func create(_ body: JSONValue?) throws(Problem) -> JSONObject {
        do throws(Problem) {
            let request = try CreateRequest(body)
            note(request)
            try check(request)
            try build(request)
            try keepFirstRecord()
            if let open = request.open { try finishOpening(open) }
        } catch {
            let fingerprint = CreationFingerprint.of(body ?? .object([:]))
            state.withLock { $0.failedCreation = (fingerprint, error) }
            discard()
            throw error.locatedInCreation
        }
        let resource = self.resource
        state.withLock { $0.isCreated = true }
        report(.snapshot(snapshot))
        endChange()
        return resource
    }

    /// A writer whose record can't be kept would be lost with the server: there is none.
    private func keepFirstRecord() throws(Problem) {
        do throws(SystemError) {
            try folder.writeAtomically(WriterRecord.fileName, record.json.encoded)
        } catch {
            let parts = state.withLock { $0.parts }
            parts?.writer.abort()
            parts?.place.remove()
            throw Problem(
                error.isOutOfSpace ? .noSpace : .internalError, "The writer's record can't be kept: \(error.reason).")
        }
    }

    /// What `dst` is to replace is replaced last: a creation that fails leaves it as it was.
    private func finishOpening(_ request: OpenRequest) throws(Problem) {
        guard let parts = state.withLock({ $0.parts }) else { return }
        do throws(Problem) {
            try commit(request, parts.place)
        } catch {
            parts.writer.abort()
            parts.place.remove()
            throw error
        }
    }

    /// Makes the writer against a file that is thrown away, tells what it would be, and leaves
    /// nothing. After `claimCreation`.
    func dryRun(_ body: JSONValue?) throws(Problem) -> JSONObject {
        defer { discard() }
        var request = try CreateRequest(body)
        note(request)
        do throws(Problem) {
            try check(request)
            request.open = try openForDryRun(request)
            try build(request, isDryRun: true)
            if let open = request.open { try finishOpening(open) }
        } catch {
            throw error.locatedInCreation
        }
        var resource = self.resource
        let parts = state.withLock { $0.parts }
        parts?.writer.abort()
        parts?.place.remove()
        resource["id"] = nil
        resource["encoder_pid"] = nil
        resource["dry_run"] = true
        return resource
    }

    /// What the policy says of it, before anything is made.
    private func check(_ request: CreateRequest) throws(Problem) {
        // A path that is none has no extension to tell the format from.
        if clientPolicy == .enforced, request.format == nil, let dst = request.dst, URLParts(dst) == nil {
            try DestinationPlan.checkPath(dst)
        }
        try optionPolicy.check(request)
        guard let option = request.open?.option, !option.isEmpty else { return }
        let (muxer, plan) = try plan(request)
        let gate = DestinationGuard(plan: plan, policy: settings.policy, clientPolicy: clientPolicy, folder: nil)
        try OutputNameJudge(muxer: muxer.name, gate: gate).check(option)
    }

    private func plan(_ request: CreateRequest) throws(Problem) -> (MuxerInfo, DestinationPlan) {
        let muxer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter.resolveMuxer(format: request.format, name: request.dst ?? "")
        }
        let plan = try DestinationPlan(
            dst: request.dst, muxer: muxer, policy: settings.policy, clientPolicy: clientPolicy)
        return (muxer, plan)
    }

    /// How far a trial goes: what opens its destination itself is not opened, and what a URL's
    /// protocol would take of the options is not known without it.
    private func openForDryRun(_ request: CreateRequest) throws(Problem) -> OpenRequest? {
        let (muxer, plan) = try plan(request)
        let known = Set(Capabilities.muxer(named: muxer.name)?.options.map(\.name) ?? [])
        var open = request.open ?? (request.streams.isEmpty ? nil : OpenRequest())
        if muxer.needsFile || plan == .nowhere {
            if case .url = plan, let option = open?.option {
                open?.option = option.filter { known.contains($0.key) }
            }
            return open
        }
        if let option = request.open?.option.keys.sorted().first(where: { !known.contains($0) }) {
            throw Problem(.unknownOption, "nothing takes the option \(option).", parameter: "option.\(option)")
        }
        return nil
    }

    private func note(_ request: CreateRequest) {
        let options = request.streams.map(\.encoderOption) + [request.open?.option ?? [:]]
        state.withLock { state in
            state.redaction = Redaction(destination: request.dst, options: options)
            for stream in request.streams { state.redaction.add(text: stream.filterDesc ?? "") }
            state.shownDestination = request.dst.map { URLText.redacted(destination: $0) }
        }
    }

    /// Before anything is made: what the record would have to hold.
    private func weigh(_ request: CreateRequest) throws(Problem) {
        var weight = DescriptionWeight()
        weight.destination = JSONValue.string(state.withLock { $0.shownDestination } ?? "").encoded.count
        weight.metadata = JSONValue.map(request.metadata).encoded.count
        try weight.check()
        state.withLock { [weight] in $0.weight = weight }
    }

    /// Options that come later may hold secrets too.
    func note(option: [String: String], filterDesc: String? = nil) {
        state.withLock { state in
            state.redaction.add(option)
            if let filterDesc { state.redaction.add(text: filterDesc) }
        }
    }

    enum CreationClaim { case claimed, exists, ended }

    /// Makes the creation this caller's, who then calls `create`, `dryRun` or `discard`. Waits
    /// while another one is at it.
    func claimCreation() throws(Problem) -> CreationClaim { try turns.taking { awaitCreationClaim() } }

    private func awaitCreationClaim() -> CreationClaim {
        state.wait { state in
            if state.isChanging { return nil }
            switch state.phase {
            case .absent:
                state.isChanging = true
                return .claimed
            case .alive: return .exists
            case .ended, .discarded: return .ended
            }
        } ?? .ended
    }

    /// Whether this request made the writer.
    func wasCreated(by body: JSONValue?) -> Bool {
        let fingerprint = CreationFingerprint.of(body ?? .object([:]))
        return state.withLock { $0.parts?.request.fingerprint == fingerprint }
    }

    /// What a creation that waited for this one to fail is told where it asks for the same; nil: nothing has
    /// failed, or something else has.
    func failure(ofCreationBy body: JSONValue?) -> Problem? {
        guard let failed = state.withLock({ $0.failedCreation }) else { return nil }
        return failed.fingerprint == CreationFingerprint.of(body ?? .object([:])) ? failed.problem : nil
    }

    private func build(_ request: CreateRequest, isDryRun: Bool = false) throws(Problem) {
        try weigh(request)
        let making = try OutputBuilder(
            request, settings: settings, clientPolicy: clientPolicy, confinement: confinement, folder: folder,
            onClaim: { [report] in report(.claim($0)) }
        ) { [growth] in growth.grew() }
        let (place, destination) = try making.make(isDryRun: isDryRun)
        do throws(Problem) {
            let writer = try asProblem { () throws(StreamWriterError) in
                try StreamWriter(
                    destination: destination, format: place.muxer.name, bufferSize: request.bufferSize,
                    limits: WriterLimits(settings.limits), opener: place.opener,
                    onProgress: { [progress] stream, counters in progress.note(.init(counters), of: stream) })
            }
            state.withLock { state in
                state.parts = Parts(request: request, place: place, writer: writer)
                state.metadata = request.metadata
                state.phase = .alive(.configuring)
            }
            try asProblem { () throws(StreamWriterError) in try writer.setMetadata(request.metadata) }
            for (index, stream) in request.streams.enumerated() {
                do throws(Problem) {
                    _ = try add(stream, to: writer)
                } catch {
                    throw error.located(at: "/streams/\(index)")
                }
            }
            if let open = request.open {
                try asProblem { () throws(StreamWriterError) in try writer.open(option: open.option) }
            }
        } catch {
            state.withLock { $0.parts }?.writer.abort()
            place.remove()
            throw error
        }
    }

    /// Deletes the writer and what it wrote. What does not come back soon is left alone. Gives the names
    /// under which others have put files of theirs, which stay.
    func delete() throws(Problem) -> [String] {
        interruptOpening()
        let mayBegin = try deletions.taking { () throws(Problem) in
            try interruptChunksAndBeginChange(until: .after(Self.patience))
        }
        guard mayBegin else {
            guard let left = deleteWithoutWaiting() else { throw wrongState(needs: nil) }
            return left
        }
        guard let parts = state.withLock({ $0.parts }) else {
            endChange()
            return []
        }
        parts.writer.abort()
        let left = parts.place.remove()
        discard()
        return left
    }

    /// No request will make the writer. False: there is one.
    func discardIfUncreated() -> Bool {
        switch awaitCreationClaim() {
        case .claimed:
            discard()
            return true
        case .ended: return true
        case .exists: return false
        }
    }

    func discard() {
        state.withLock { $0.phase = .discarded }
        growth.ended(.failed)
        report(.discarded)
        endChange()
    }

    /// Drains, writes the trailer, closes. One that waited while another did gets the same result.
    func finalize() throws(Problem) -> JSONObject {
        do throws(Problem) {
            try beginChange(in: [.alive(.configuring), .alive(.open)])
        } catch {
            if phase == .ended(.closed) { return resource }
            throw error
        }
        return try finalizeNow(endedBy: Self.byRequest)
    }

    /// The same because of something else than a request: a chunk that is still being taken is ended
    /// and its whole frames kept.
    func finalize(because reason: EndReason) throws(Problem) {
        try interruptChunksAndBeginChange()
        _ = try finalizeNow(endedBy: reason.rawValue)
    }

    private func finalizeNow(endedBy: String) throws(Problem) -> JSONObject {
        guard phase == .alive(.open), let parts = state.withLock({ $0.parts }) else {
            endChange()
            throw wrongState(needs: "finalize needs an open one: POST …/open first, or DELETE it")
        }
        state.withLock { $0.phase = .alive(.finalizing) }
        report(.snapshot(snapshot))
        do throws(Problem) {
            let summary = try asProblem { () throws(StreamWriterError) in try parts.writer.close() }
            try parts.place.checkKept()
            return conclude(.closed, [("result", result(summary, endedBy: endedBy))])
        } catch {
            if endedBy == Self.byRequest, !error.endsWriter {
                // More may be sent, and the writer finalized then.
                state.withLock { $0.phase = .alive(.open) }
                report(.snapshot(snapshot))
                endChange()
                throw error
            }
            parts.writer.abort()
            conclude(.failed, failure(error))
            throw error
        }
    }

    private static let byRequest = "finalize"

    /// The writer can't go on: ends what still runs, and keeps why.
    func fail(_ problem: Problem) {
        ProcessLimits.openMemoryReserve()
        guard (try? interruptChunksAndBeginChange()) != nil else { return }
        let (parts, hasOpened) = state.withLock { ($0.parts, $0.hasOpened) }
        parts?.writer.abort()
        if !hasOpened { parts?.place.remove() }
        conclude(.failed, failure(problem))
    }

    /// What the record tells of a failure.
    func failure(_ problem: Problem) -> [(String, JSONValue)] {
        [("failure", redacted(problem).fitting(RecordBounds.failureBytes).json)]
    }

    /// Once: what comes late, of a thread that was given up, changes nothing.
    @discardableResult
    func conclude(_ ended: WriterState, _ members: [(String, JSONValue)]) -> JSONObject {
        let isFirst = state.withLock { state in
            guard case .alive = state.phase else { return false }
            state.phase = .ended(ended)
            state.ending = [("ended_at", .string(Timestamp.now().description))] + members
            return true
        }
        guard isFirst else { return resource }
        let record = record
        let isKept = (try? folder.writeAtomically(WriterRecord.fileName, record.json.encoded)) != nil
        growth.ended(ended == .closed ? .complete : .failed)
        report(isKept ? .concluded(ended) : .unkeptRecord(record))
        endChange()
        return record.resource
    }

    /// The problem with the destination that failed, and without what is secret in it.
    func redacted(_ problem: Problem) -> Problem {
        let (redaction, destination) = state.withLock { ($0.redaction, $0.shownDestination) }
        var problem = redaction.apply(to: problem.naming(outputLimitOf: settings.limits))
        if problem.code == .destinationFailed, let destination, !problem.detail.contains(destination) {
            problem.detail = "\(destination): \(problem.detail)"
        }
        return problem
    }

    var workDone: WorkDone {
        state.withLock { state in
            guard let writer = state.parts?.writer else { return WorkDone() }
            var work = WorkDone(bytesWritten: writer.bytesWritten)
            for index in state.streams.indices {
                let progress = writer.progress(of: index)
                work.taken += progress.frames
                work.encoded += progress.framesEncoded
            }
            return work
        }
    }

    /// Before a client is told of so many bytes.
    func note(bytesWritten: Int64) { state.withLock { _ in noteLocked(bytesWritten: bytesWritten) } }

    /// With the state's lock.
    func noteLocked(bytesWritten: Int64) {
        if bytesWritten > progress.bytesWritten { progress.bytesWritten = bytesWritten }
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

extension ProgressMarks.Stream {
    fileprivate init(_ progress: StreamProgress) {
        self.init(
            frames: progress.frames, framesEncoded: progress.framesEncoded, offset: progress.offset,
            nextPTS: progress.nextPTS)
    }
}
