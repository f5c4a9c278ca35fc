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
            try? folder.removeFile(FileLedger.fileName)
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
        return try WriterPlan(
            request, policy: settings.policy, others: OthersFolders(settings.othersFolders), clientPolicy: clientPolicy,
            mostOutputs: settings.limits.maxOutputs)
    }

    /// What `dst` is to replace is replaced last: a creation that fails leaves it as it was.
    private func make(_ plan: WriterPlan, for client: OpeningClient, isDryRun: Bool = false) throws(Problem) {
        try weigh(plan.request)
        let parts = try build(plan, for: client, isDryRun: isDryRun)
        if !isDryRun {
            try requireKeptClaim()
            try keepFirstRecord()
        }
        if let open = plan.request.open {
            try commit(open, parts.place)
        } else if let option = plan.openOption {
            // A dry run of what would open its destination itself.
            try asProblem { () throws(StreamWriterError) in try parts.writer.foresee(option: option) }
            showStreamsAnew(of: parts.writer)
        }
    }

    /// A writer whose record can't be kept would be lost with the server: there is none.
    private func keepFirstRecord() throws(Problem) {
        do throws(SystemError) {
            try folder.writeAtomically(WriterRecord.fileName, record.json.encoded)
        } catch {
            throw Problem(
                error.isOutOfSpace ? .noSpace : .internalError, "The writer's record can't be kept: \(error.reason).")
        }
    }

    private func note(_ request: CreateRequest) {
        let options = request.streams.map(\.encoderOption) + [request.open?.option ?? [:]]
        state.withLock { state in
            state.redaction = Redaction(destination: request.dst, options: options + request.outputs.map(\.option))
            for output in request.outputs.dropFirst() { state.redaction.add(text: output.dst ?? "") }
            for stream in request.streams { state.redaction.add(text: stream.filterDesc ?? "") }
            state.shownDestination = request.dst.map { URLText.redacted(destination: $0) }
        }
    }

    /// Before anything is made: what the record would have to hold.
    private func weigh(_ request: CreateRequest) throws(Problem) {
        var weight = DescriptionWeight()
        weight.destination = JSONValue.string(state.withLock { $0.shownDestination } ?? "").encoded.count
            + request.outputs.reduce(0) { $0 + $1.recordBytes }
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
        let builder = OutputBuilder(
            plan, settings: settings, folder: folder, carrierLines: carrierLines, onClaim: { [report] in report(.claim($0)) }
        ) { [growth] in growth.grew() }
        let (place, destination) = try builder.make(isDryRun: isDryRun)
        state.withLock { $0.output = place }
        do throws(SystemError) {
            try narrow(isDryRun ? .ownFolder : place.reach)
        } catch {
            destination.discard()
            throw Problem(.internalError, "The writer can't be confined to its destination: \(error.description).")
        }
        let request = plan.request
        let outputs = try configs(plan, place, destination, isDryRun: isDryRun)
        let writer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter(
                outputs: outputs, limits: WriterLimits(settings.limits),
                onProgress: { [progress] stream, counters in progress.note(.init(counters), of: stream) })
        }
        let muxers = [plan.muxer.name] + plan.others.map(\.muxer.name)
        let parts = Parts(request: request, place: place, writer: writer)
        state.withLock { state in
            state.parts = parts
            state.outputs = zip(request.outputs, muxers).map { OutputEntry(request: $0, muxer: $1) }
            state.metadata = request.metadata
            state.lifecycle.made()
        }
        try describe(request, to: writer, place, for: client)
        return parts
    }

    /// A dry run has the first alone: the others would have to be opened.
    private func configs(
        _ plan: WriterPlan, _ place: WriterOutput, _ destination: Destination, isDryRun: Bool
    ) throws(Problem) -> [OutputConfig] {
        var first = OutputConfig(destination: destination, format: plan.muxer.name)
        first.bufferSize = plan.request.bufferSize
        if let request = plan.request.outputs.first {
            first.name = request.name
            first.apply(request)
        }
        first.opener = place.opener
        first.option = plan.openOption
        if plan.request.outputs.first?.reconnect == true {
            do throws(Problem) { first.reconnect = try reconnecting(plan) } catch {
                destination.discard()
                throw error
            }
        }
        do throws(SystemError) {
            if isDryRun {
                first.streams = nil
                return [first]
            }
            var configs = [first]
            for other in plan.others { configs.append(try other.config(carrierLines)) }
            return configs
        } catch {
            destination.discard()
            throw Problem(.overloaded, "A process for an output can't be had now. Try again.")
        }
    }

    private func reconnecting(_ plan: WriterPlan) throws(Problem) -> @Sendable () throws(StreamWriterError) -> Destination {
        let destination: Destination
        switch plan.destination {
        case .url(let url): destination = .url(url)
        case .device(let name): destination = .device(name)
        case .managed, .file, .files, .nowhere:
            throw Problem(.invalidParameter, "Only what is no file can be opened again.", parameter: "reconnect").located(at: "/outputs/0")
        }
        let (lines, muxer, bufferSize) = (carrierLines, plan.muxer.name, plan.request.bufferSize)
        return { () throws(StreamWriterError) in
            try destination.reconnected(lines, format: muxer, bufferSize: bufferSize)
        }
    }

    private func describe(
        _ request: CreateRequest, to writer: StreamWriter, _ place: WriterOutput, for client: OpeningClient
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
            try openDestination(of: writer, open.option, place, for: client)
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
