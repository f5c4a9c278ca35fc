import APICore
import StreamWriter
import SystemIO
import WriterModel

// Making the writer, wholly or not at all.
extension WriterResource {
    /// Makes the writer, wholly or not at all. After `claimCreation`.
    package func create(_ body: JSONValue?, for client: OpeningClient = OpeningClient()) throws(Problem) -> JSONObject {
        do throws(Problem) {
            try make(plan(body), for: client)
        } catch {
            undo(everything: true)
            // Where the gateway has gone, the next one finds the folder, and nothing in it of a file that is no more.
            OutputLedgers.removeFiles(in: folder)
            let fingerprint = CreationFingerprint.of(body ?? .object([:]))
            // One that repeats what a client has left is to try for itself.
            let isDeserted = state.withLock { state in
                if !state.isDeserted { state.failedCreation = (fingerprint, error) }
                return state.isDeserted
            }
            discard(because: isDeserted || error.isWorthLogging ? unmade(by: error, isDeserted: isDeserted) : nil)
            throw error.locatedInCreation
        }
        let resource = self.resource
        guard state.withLock({ $0.lifecycle.created() }) else { throw .justEnding(settings.writer) }
        report(.snapshot(snapshot))
        endChange()
        return resource
    }

    /// Makes the writer against a file that is thrown away, tells what it would be, and leaves
    /// nothing. After `claimCreation`.
    package func dryRun(_ body: JSONValue?) throws(Problem) -> JSONObject {
        defer {
            undo(everything: true)
            discard()
        }
        do throws(Problem) {
            try make(plan(body).forDryRun(), for: OpeningClient(), isDryRun: true)
        } catch {
            throw error.locatedInCreation
        }
        var resource = self.resource
        resource["id"] = nil
        resource["encoder_pid"] = nil
        for name in ["upload", "last_request_at"] { resource[name] = nil }
        resource["dry_run"] = true
        return resource
    }

    private func plan(_ body: JSONValue?) throws(Problem) -> WriterPlan {
        let request = try CreateRequest(body)
        note(request)
        if let url = request.callbackURL { try requireAllowed(callback: url) }
        for (index, output) in request.outputs.enumerated() {
            do throws(Problem) { try output.requireOpenTimeout(within: settings.limits) } catch { throw error.located(at: "/outputs/\(index)") }
        }
        return try WriterPlan(
            request, policy: settings.policy, others: OthersFolders(settings.othersFolders), clientPolicy: clientPolicy,
            mostOutputs: settings.limits.maxOutputs)
    }

    private func requireAllowed(callback url: String) throws(Problem) {
        guard case .failure(let refusal) = settings.callbacks.permit(url) else { return }
        throw Problem(
            .forbiddenCallback, "This server sends no webhooks to \(URLText.redacted(destination: url)): \(refusal.reason).", parameter: "callback_url")
    }

    /// What `dst` is to replace is replaced last: a creation that fails leaves it as it was.
    private func make(_ plan: WriterPlan, for client: OpeningClient, isDryRun: Bool = false) throws(Problem) {
        try weigh(plan.request)
        // Before the claim, with which the gateway keeps it.
        if let url = plan.request.callbackURL, !isDryRun { report(.callback(url: url)) }
        let parts = try build(plan, for: client, isDryRun: isDryRun)
        if !isDryRun {
            try requireKeptClaim()
            try keepFirstRecord()
        }
        if let open = plan.request.open {
            try commit(open, parts.places)
        } else if let option = plan.openOption {
            // A dry run of what would open its destination itself.
            try asProblem { () throws(StreamWriterError) in try parts.writer.foresee(option: option) }
            showStreamsAnew(of: parts.writer)
        }
    }

    /// A writer whose record can't be kept would be lost with the server: there is none.
    private func keepFirstRecord() throws(Problem) {
        do throws(SystemError) {
            try folder.writeAtomically(WriterRecord.fileName, record.firstText)
        } catch {
            throw Problem(
                error.isOutOfSpace ? .noSpace : .internalError, "The writer's record can't be kept: \(error.reason).")
        }
    }

    private func note(_ request: CreateRequest) {
        let options = request.streams.flatMap(\.encoderOptions) + [request.open?.option ?? [:]]
        state.withLock { state in
            state.redaction = Redaction(destination: request.dst, options: options + request.outputs.map(\.option))
            for output in request.outputs.dropFirst() { state.redaction.add(text: output.dst ?? "") }
            for stream in request.streams { state.redaction.add(text: stream.config.filterDesc ?? "") }
            state.shownDestination = request.dst.map { URLText.redacted(destination: $0) }
        }
    }

    /// Before anything is made: what the record would have to hold.
    private func weigh(_ request: CreateRequest) throws(Problem) {
        var weight = DescriptionWeight()
        weight.destination = JSONValue.string(state.withLock { $0.shownDestination } ?? "").encoded.count
            + request.outputs.reduce(request.callbackURL?.utf8.count ?? 0) { $0 + $1.recordBytes }
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

    /// Makes the creation this caller's, who then calls `create`, `dryRun` or `discard`. Waits
    /// while another one is at it.
    package func claimCreation() throws(Problem) -> WriterLifecycle.CreationTurn { try turns.taking { awaitCreation() } }

    func awaitCreation() -> WriterLifecycle.CreationTurn {
        state.wait { state in
            let turn = state.lifecycle.beginCreation()
            if turn == .claimed { state.noteRequest() }
            return turn
        } ?? .ended
    }

    /// Whether this request made the writer.
    package func wasCreated(by body: JSONValue?) -> Bool {
        let fingerprint = CreationFingerprint.of(body ?? .object([:]))
        return state.withLock { $0.parts?.request.fingerprint == fingerprint }
    }

    /// What a creation that waited for this one to fail is told where it asks for the same; nil: nothing has
    /// failed, or something else has.
    package func failure(ofCreationBy body: JSONValue?) -> Problem? {
        guard let failed = state.withLock({ $0.failedCreation }) else { return nil }
        return failed.fingerprint == CreationFingerprint.of(body ?? .object([:])) ? failed.problem : nil
    }

    /// What is made is in the state as soon as it is there, for `undo` to find.
    private func build(_ plan: WriterPlan, for client: OpeningClient, isDryRun: Bool) throws(Problem) -> Parts {
        let request = plan.request
        let configs = try isDryRun ? configsForDryRun(plan) : makeOutputs(plan)
        let places = state.withLock { $0.outputs }
        let writer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter(
                outputs: configs, limits: WriterLimits(settings.limits),
                onProgress: { [progress] stream, counters in progress.note(.init(counters), of: stream) })
        }
        let parts = Parts(request: request, writer: writer, places: places)
        state.withLock { state in
            state.parts = parts
            state.metadata = request.metadata
            state.lifecycle.made()
        }
        try describe(request, to: writer, places, for: client)
        return parts
    }

    private func makeOutputs(_ plan: WriterPlan) throws(Problem) -> [OutputConfig] {
        let planned = plan.outputs
        let builders = try self.builders(of: planned)
        let prepared = try prepare(builders, planned)
        let claim = OutputClaim(of: prepared.map(\.claim))
        state.withLock { $0.claim = claim }
        report(.claim(claim))
        let share = planned.count { if case .files = $0.plan.destination { true } else { false } }
        var destinations: [Destination] = []
        var taken = 0
        do throws(Problem) {
            // Were all processes to end before it is kept, what they made under the output directory would be nobody's.
            if claim.isUnderOutputDirectory { try requireKeptClaim() }
            for (index, builder) in builders.enumerated() {
                taken = index + 1
                let (place, destination) = try planned[index].locating(at: index) { () throws(Problem) in try builder.make(prepared[index], share: share) }
                destinations.append(destination)
                state.withLock { $0.outputs.append(place) }
            }
            try confine(to: state.withLock { $0.outputs.map(\.reach) })
            var configs: [OutputConfig] = []
            for (index, destination) in destinations.enumerated() {
                configs.append(try planned[index].locating(at: index) { () throws(Problem) in try planned[index].config(destination, carrierLines) })
            }
            return configs
        } catch {
            for destination in destinations { destination.discard() }
            for rest in prepared[taken...] { rest.discard() }
            throw error
        }
    }

    private func builders(of planned: [PlannedOutput]) throws(Problem) -> [OutputBuilder] {
        let ledgers = try ledgers
        return planned.enumerated().map { index, output in builder(of: output, number: index, ledgers, growth) }
    }

    var ledgers: WriterLedgers {
        get throws(Problem) {
            do throws(SystemError) {
                return try WriterLedgers(in: folder, ownersFolder: settings.ownersFolder)
            } catch {
                throw Problem(.internalError, "The writer's files can't be kept account of: \(error.description).")
            }
        }
    }

    /// `growth` is told of bytes that were written to a file.
    func builder(of output: PlannedOutput, number: Int, _ ledgers: WriterLedgers, _ growth: OutputNotifier) -> OutputBuilder {
        OutputBuilder(output, number: number, settings: settings, folder: folder, ledgers: ledgers, carrierLines: carrierLines) { growth.grew() }
    }

    /// Nothing has been done yet that a client could have taken over.
    private func prepare(_ builders: [OutputBuilder], _ planned: [PlannedOutput]) throws(Problem) -> [OutputBuilder.Prepared] {
        var prepared: [OutputBuilder.Prepared] = []
        do throws(Problem) {
            for (index, builder) in builders.enumerated() {
                prepared.append(try planned[index].locating(at: index) { () throws(Problem) in try builder.prepare() })
            }
            return prepared
        } catch {
            for done in prepared { done.discard() }
            throw error
        }
    }

    /// Files of the writer's own stand for what is opened, and nothing for the rest, which is looked at.
    private func configsForDryRun(_ plan: WriterPlan) throws(Problem) -> [OutputConfig] {
        let planned = plan.outputs
        let builders = try self.builders(of: planned)
        for prepared in try prepare(builders, planned) { prepared.discard() }
        report(.claim(.nothing))
        var destinations: [Destination] = []
        do throws(Problem) {
            for (index, builder) in builders.enumerated() {
                let (place, destination) = try planned[index].locating(at: index) { () throws(Problem) in try builder.makeForDryRun() }
                destinations.append(destination)
                state.withLock { $0.outputs.append(place) }
            }
            try confine(to: [.ownFolder])
            var configs: [OutputConfig] = []
            for (index, destination) in destinations.enumerated() {
                var config = try planned[index].locating(at: index) { () throws(Problem) in try planned[index].config(destination, carrierLines) }
                config.isOnlyLookedAt = !planned[index].plan.isOpenedInDryRun
                configs.append(config)
            }
            return configs
        } catch {
            for destination in destinations { destination.discard() }
            throw error
        }
    }

    private func confine(to reaches: [Confinement.Reach]) throws(Problem) {
        do throws(SystemError) {
            try narrow(reaches)
        } catch {
            throw Problem(.internalError, "The writer can't be confined to its destination: \(error.description).")
        }
    }

    private func describe(
        _ request: CreateRequest, to writer: StreamWriter, _ places: [WriterOutput], for client: OpeningClient
    ) throws(Problem) {
        try asProblem { () throws(StreamWriterError) in try writer.setMetadata(request.metadata) }
        for (index, stream) in request.streams.enumerated() {
            do throws(Problem) {
                _ = try add(stream, to: writer)
            } catch {
                throw error.located(at: "/streams/\(index)")
            }
        }
        if let open = request.open {
            try openDestinations(of: writer, open.option, places, for: client)
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
