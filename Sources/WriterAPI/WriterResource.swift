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
        let place: OutputPlace
        let writer: StreamWriter
    }

    private struct State {
        var phase = Phase.absent
        var isChanging = false
        var chunks: [Int: Interruption] = [:]
        var parts: Parts?
        var metadata: [String: String] = [:]
        var streams: [(config: StreamConfig, chosen: StreamDescription)] = []
        var hasOpened = false
        var ending: [(String, JSONValue)] = []
    }

    /// Ends a chunk under the thread that takes it.
    typealias Interruption = @Sendable () -> Void

    private let settings: EncoderSettings
    private let folder: Directory
    private let report: @Sendable (ControlMessage) -> Void
    private let state = Monitor(State())
    private let growth = OutputGrowth()

    /// `report` tells the gateway.
    init(
        settings: EncoderSettings, folder: Directory, report: @escaping @Sendable (ControlMessage) -> Void
    ) {
        self.settings = settings
        self.folder = folder
        self.report = report
    }

    var phase: Phase { state.withLock { $0.phase } }

    // MARK: Creating and ending

    /// Makes the writer, wholly or not at all.
    func create(_ body: JSONValue?) throws(Problem) -> JSONObject {
        try beginChange(in: [.absent])
        do throws(Problem) {
            let request = try CreateRequest(body)
            try build(request)
        } catch {
            discard()
            throw error
        }
        let resource = self.resource
        try? folder.writeAtomically(WriterRecord.fileName, record.json.encoded, .survivesCrash)
        report(.snapshot(record))
        endChange()
        return resource
    }

    /// Makes the writer against a file that is thrown away, tells what it would be, and leaves
    /// nothing.
    func tryOut(_ body: JSONValue?) throws(Problem) -> JSONObject {
        try beginChange(in: [.absent])
        defer { discard() }
        var request = try CreateRequest(body)
        let muxer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter.resolveMuxer(format: request.format, name: request.dst ?? "")
        }
        let plan = try DestinationPlan(dst: request.dst, muxer: muxer, policy: settings.policy)
        let dst = request.dst.map { URLParts($0)?.redacted ?? $0 }
        request.dst = nil
        request.format = muxer.needsFile ? muxer.name : "null"
        // What opens its destination itself can only be tried up to there.
        if !muxer.needsFile && plan != .nowhere {
            request.open = nil
        } else if request.open == nil && !request.streams.isEmpty {
            request.open = OpenRequest()
        }
        try build(request)
        var resource = self.resource
        let parts = state.withLock { $0.parts }
        parts?.writer.abort()
        parts?.place.remove(committed: true)
        resource["id"] = nil
        resource["encoder_pid"] = nil
        resource["dry_run"] = true
        resource["dst"] = dst.map { .string($0) }
        resource["format"] = .string(muxer.name)
        return resource
    }

    /// Whether this request made the writer. Waits while it is being made; nil when there is
    /// none (any more).
    func wasCreated(by body: JSONValue?) -> Bool? {
        let fingerprint = CreationFingerprint.of(body ?? .object([:]))
        return state.wait { state -> Bool?? in
            if state.isChanging { return nil }
            guard let parts = state.parts, case .alive = state.phase else { return .some(nil) }
            return parts.request.fingerprint == fingerprint
        } ?? nil
    }

    private func build(_ request: CreateRequest) throws(Problem) {
        let (place, destination) = try OutputPlace.make(
            request, settings: settings, folder: folder) { [growth] in growth.grew() }
        do throws(Problem) {
            let writer = try asProblem { () throws(StreamWriterError) in
                try StreamWriter(
                    destination: destination, format: place.muxer.name, bufferSize: request.bufferSize,
                    mayOpen: { place.mayOpen($0) })
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
            if let open = request.open { try openNow(open, writer, place) }
        } catch {
            state.withLock { $0.parts }?.writer.abort()
            place.remove(committed: state.withLock { $0.hasOpened })
            throw error
        }
    }

    /// Deletes the writer and what it wrote.
    func delete() throws(Problem) {
        interruptOpening()
        try interruptChunksAndBeginChange()
        guard let parts = state.withLock({ $0.parts }) else { return endChange() }
        parts.writer.abort()
        parts.place.remove(committed: state.withLock { $0.hasOpened })
        discard()
    }

    /// No request will make the writer.
    func giveUp() {
        if (try? beginChange(in: [.absent])) != nil { discard() }
    }

    private func discard() {
        growth.ended(.bad)
        state.change { state in
            state.phase = .discarded
            state.isChanging = false
        }
        report(.discarded)
    }

    /// Drains, writes the trailer, closes.
    func finalize(endedBy: String = "finalize") throws(Problem) -> JSONObject {
        try beginChange(in: [.alive(.configuring), .alive(.open)])
        guard phase == .alive(.open), let writer = state.withLock({ $0.parts })?.writer else {
            endChange()
            throw wrongState(needs: "finalize needs an open one: POST …/open first, or DELETE it")
        }
        state.withLock { $0.phase = .alive(.finalizing) }
        report(.snapshot(record))
        do throws(Problem) {
            let summary = try asProblem { () throws(StreamWriterError) in try writer.close() }
            return conclude(.closed, [("result", result(summary, endedBy: endedBy))])
        } catch {
            writer.abort()
            _ = conclude(.failed, [("failure", error.json)])
            throw error
        }
    }

    private func result(_ summary: WriterSummary, endedBy: String) -> JSONValue {
        let place = state.withLock { $0.parts?.place }
        var result: JSONObject = [
            "bytes": .integer(place?.bytesOfFiles ?? summary.bytesWritten),
            "duration": .number(summary.duration),
            "ended_by": .string(endedBy),
        ]
        if place?.hasOneFile == true { result["output"] = .string("/v1/writers/\(settings.writer)/output") }
        if let files = place?.files { result["files"] = .array(files.map { .string($0) }) }
        return .object(result)
    }

    /// The writer can't go on: ends what still runs, and keeps why.
    func fail(_ problem: Problem) {
        guard (try? interruptChunksAndBeginChange()) != nil else { return }
        let (parts, hasOpened) = state.withLock { ($0.parts, $0.hasOpened) }
        parts?.writer.abort()
        if !hasOpened { parts?.place.remove(committed: false) }
        _ = conclude(.failed, [("failure", problem.json)])
    }

    private func conclude(_ ended: WriterState, _ members: [(String, JSONValue)]) -> JSONObject {
        state.withLock { state in
            state.phase = .ended(ended)
            state.ending = [("ended_at", .string(Timestamp.now().description))] + members
        }
        let record = record
        try? folder.writeAtomically(WriterRecord.fileName, record.json.encoded)
        growth.ended(ended == .closed ? .good : .bad)
        report(.record(record))
        endChange()
        return record.resource
    }

    // MARK: Changing

    func addStream(_ body: JSONValue?) throws(Problem) -> (index: Int, resource: JSONValue) {
        let request = try StreamRequest(body ?? .null)
        return try change(in: .configuring, needs: "streams are added before open") { parts throws(Problem) in
            let index = try add(request, to: parts.writer)
            let stream = state.withLock { $0.streams[index] }
            return (index, StreamRequest.json(stream.config, stream.chosen, parts.writer.progress(of: index)))
        }
    }

    func setMetadata(_ body: JSONValue?) throws(Problem) -> JSONObject {
        let metadata = try FieldReader.map(body ?? .null, at: "")
        return try change(in: .configuring, needs: "metadata is set before open") { parts throws(Problem) in
            try asProblem { () throws(StreamWriterError) in try parts.writer.setMetadata(metadata) }
            state.withLock { $0.metadata = metadata }
            return resource
        }
    }

    func open(_ request: OpenRequest) throws(Problem) -> JSONObject {
        // What is left of a muxer that would not open can't be opened again.
        try change(in: .configuring, needs: "open comes once", endsWriter: { $0.code != .wrongState }) {
            parts throws(Problem) in
            if state.withLock({ $0.streams.isEmpty }) {
                throw Problem(
                    .wrongState, "The writer has no stream yet: add one first, POST …/streams.",
                    extras: [("state", .string(WriterState.configuring.rawValue))])
            }
            try openNow(request, parts.writer, parts.place)
            return resource
        }
    }

    func flush() throws(Problem) -> JSONObject {
        try change(in: .open, needs: "flush needs an open one") { parts throws(Problem) in
            try asProblem { () throws(StreamWriterError) in try parts.writer.flush() }
            return resource
        }
    }

    private func add(_ request: StreamRequest, to writer: StreamWriter) throws(Problem) -> Int {
        let index = try asProblem { () throws(StreamWriterError) in try writer.addStream(request.config) }
        let chosen = writer.description(of: index)
        state.withLock { $0.streams.append((request.config, chosen)) }
        return index
    }

    private func openNow(_ request: OpenRequest, _ writer: StreamWriter, _ place: OutputPlace) throws(Problem) {
        try asProblem { () throws(StreamWriterError) in try writer.open(option: request.option) }
        try place.commit()
        state.withLock { state in
            state.phase = .alive(.open)
            state.hasOpened = true
        }
    }

    /// Runs an exclusive change in one state; a failure that ends the writer ends it.
    private func change<R>(
        in allowed: WriterState, needs: String, endsWriter: (Problem) -> Bool = { $0.endsWriter },
        _ body: (Parts) throws(Problem) -> R
    ) throws(Problem) -> R {
        try beginChange(in: [.alive(.configuring), .alive(.open)])
        guard phase == .alive(allowed), let parts = state.withLock({ $0.parts }) else {
            endChange()
            throw wrongState(needs: needs)
        }
        do throws(Problem) {
            let result = try body(parts)
            report(.snapshot(record))
            endChange()
            return result
        } catch {
            endChange()
            if endsWriter(error) { fail(error) }
            throw error
        }
    }

    /// Waits for its turn. 409 while a chunk is being taken.
    private func beginChange(in allowed: [Phase]) throws(Problem) {
        let refusal: Problem? = state.wait { state -> Problem?? in
            if state.isChanging { return nil }
            if !allowed.contains(state.phase) { return .some(Self.wrongState(state.phase, needs: nil)) }
            if let stream = state.chunks.keys.min() {
                return .some(
                    Problem(
                        .chunkInProgress, "Stream \(stream) is taking a chunk. Wait for its answer first.",
                        extras: [("stream", .integer(Int64(stream)))]))
            }
            state.isChanging = true
            return .some(nil)
        } ?? nil
        if let refusal { throw refusal }
    }

    private func interruptChunksAndBeginChange() throws(Problem) {
        let mayEnd: Bool? = state.wait { state in
            guard case .alive = state.phase else { return state.isChanging ? nil : false }
            for interrupt in state.chunks.values { interrupt() }
            if state.isChanging || !state.chunks.isEmpty { return nil }
            state.isChanging = true
            return true
        }
        if mayEnd != true { throw wrongState(needs: nil) }
    }

    private func endChange() { state.change { $0.isChanging = false } }

    // MARK: Chunks

    /// What a chunk's route needs to know of its stream.
    struct ChunkTarget: Sendable {
        let writer: StreamWriter
        let config: StreamConfig
        let description: StreamDescription
    }

    /// Takes the stream for one chunk until `releaseStream`. With `superseding`, a chunk that
    /// is being taken is ended first.
    func claimStream(_ index: Int, superseding: Bool, _ interruption: @escaping Interruption) throws(Problem) -> ChunkTarget {
        let deadline = Deadline.after(.seconds(5))
        let claimed: Result<ChunkTarget, Problem>? = state.wait(until: deadline) { state in
            if state.isChanging { return nil }
            guard state.phase == .alive(.open), let writer = state.parts?.writer else {
                return .failure(Self.wrongState(state.phase, needs: "chunks need an open one: POST …/open first"))
            }
            guard state.streams.indices.contains(index) else {
                return .failure(.noStream(String(index), of: self.settings.writer))
            }
            if let current = state.chunks[index] {
                if superseding { current() }
                return superseding ? nil : .failure(Self.chunkInProgress(index))
            }
            state.chunks[index] = interruption
            let stream = state.streams[index]
            return .success(ChunkTarget(writer: writer, config: stream.config, description: stream.chosen))
        }
        guard let claimed else { throw Self.chunkInProgress(index) }
        return try claimed.get()
    }

    func releaseStream(_ index: Int) { state.change { $0.chunks[index] = nil } }

    func description(of index: Int) throws(Problem) -> StreamDescription {
        try state.withLock { state throws(Problem) in
            guard state.streams.indices.contains(index) else {
                throw .noStream(String(index), of: settings.writer)
            }
            return state.streams[index].chosen
        }
    }

    func offset(of index: Int) throws(Problem) -> Int64 {
        _ = try description(of: index)
        return state.withLock { $0.parts }?.writer.progress(of: index).offset ?? 0
    }

    /// Ends every upload at once, and a wait for the destination.
    func interruptWork() {
        state.withLock { state in for interrupt in state.chunks.values { interrupt() } }
        interruptOpening()
    }

    /// A destination may take for ever to open: a server that waits for its client.
    private func interruptOpening() {
        let opening = state.withLock { state in
            state.isChanging && state.phase == .alive(.configuring) ? state.parts?.writer : nil
        }
        opening?.abort()
    }

    private static func chunkInProgress(_ index: Int) -> Problem {
        Problem(
            .chunkInProgress,
            "Stream \(index) is taking another chunk. Wait for its answer, or send Upload-Offset to end it.",
            extras: [("stream", .integer(Int64(index)))])
    }

    // MARK: Output

    /// For reading what is written, as it is written.
    struct Output: Sendable {
        let place: OutputPlace
        let growth: OutputGrowth
        /// The file has its final name.
        let isCommitted: Bool

        /// The caller owns the descriptor.
        func openForReading() throws(SystemError) -> Int32 {
            try place.openForReading(committed: isCommitted)
        }
    }

    var output: Output? {
        state.withLock { state in
            state.parts.map { Output(place: $0.place, growth: growth, isCommitted: state.hasOpened) }
        }
    }

    // MARK: What is known

    /// The body of `GET`.
    var resource: JSONObject { record.resource }

    var record: WriterRecord {
        state.withLock { state in
            let place = state.parts?.place
            var resource: JSONObject = [
                "id": .string(settings.writer.text),
                "state": .string(Self.state(of: state.phase).rawValue),
                "created_at": .string(settings.createdAt.description),
            ]
            resource["dst"] = place?.shownDestination.map { .string($0) }
            resource["format"] = .string(place?.muxer.name ?? "")
            resource["metadata"] = .map(state.metadata)
            resource["streams"] = .array(
                state.streams.enumerated().compactMap { index, stream in
                    state.parts.map { StreamRequest.json(stream.config, stream.chosen, $0.writer.progress(of: index)) }
                })
            resource["bytes_written"] = .integer(state.parts?.writer.bytesWritten ?? 0)
            if state.ending.isEmpty { resource["encoder_pid"] = .integer(Int64(ChildProcess.ownIdentifier)) }
            for (name, value) in state.ending { resource[name] = value }
            return WriterRecord(
                resource: resource, managedFile: place?.managedFile, outputFiles: place?.outputFiles ?? [],
                mediaType: place?.muxer.mimeType ?? "application/octet-stream",
                creationFingerprint: state.parts?.request.fingerprint ?? "")
        }
    }

    private static func state(of phase: Phase) -> WriterState {
        switch phase {
        case .alive(let state), .ended(let state): state
        case .absent, .discarded: .configuring
        }
    }

    private func wrongState(needs: String?) -> Problem { Self.wrongState(phase, needs: needs) }

    private static func wrongState(_ phase: Phase, needs: String?) -> Problem {
        let state = state(of: phase).rawValue
        return Problem(
            .wrongState, "The writer is \(state)\(needs.map { "; \($0)" } ?? "").",
            extras: [("state", .string(state))])
    }
}

extension Problem {
    /// The same, with the place in the request's body where the parameter stands.
    fileprivate func located(at pointer: String) -> Problem {
        guard let parameter, !extras.contains(where: { $0.name == "pointer" }) else { return self }
        var located = self
        let path = parameter.split(separator: ".").joined(separator: "/")
        located.extras.append(.init("pointer", .string("\(pointer)/\(path)")))
        return located
    }
}
