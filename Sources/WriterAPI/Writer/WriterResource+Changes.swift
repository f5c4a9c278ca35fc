import APICore
import Bytewise
import StreamWriter
import SystemIO
import Threading
import WriterModel

// What may be done to the writer one at a time, before and after it is opened.
extension WriterResource {
    func addStream(_ body: JSONValue?) throws(Problem) -> (index: Int, resource: JSONValue) {
        let request = try StreamRequest(body ?? .null)
        note(option: request.encoderOption, filterDesc: request.filterDesc)
        return try change(in: .configuring, needs: "streams are added before open") { parts throws(Problem) in
            let index: Int
            do throws(Problem) {
                try optionPolicy.check(request.config, for: parts.place.muxer, destination: parts.request.dst ?? "")
                index = try add(request, to: parts.writer)
            } catch {
                throw error.located(at: "")
            }
            let stream = state.withLock { $0.streams[index] }
            return (index, StreamRequest.json(stream.config, stream.chosen, parts.writer.progress(of: index)))
        }
    }

    func setMetadata(_ body: JSONValue?) throws(Problem) -> JSONObject {
        let metadata = try FieldReader.map(body ?? .null, at: "")
        return try change(in: .configuring, needs: "metadata is set before open") { parts throws(Problem) in
            var weight = state.withLock { $0.weight }
            weight.metadata = JSONValue.map(metadata).encoded.count
            try weight.check("metadata")
            try asProblem { () throws(StreamWriterError) in try parts.writer.setMetadata(metadata) }
            state.withLock { [weight] state in
                state.metadata = metadata
                state.weight = weight
            }
            return resource
        }
    }

    func open(_ request: OpenRequest) throws(Problem) -> JSONObject {
        note(option: request.option)
        // What is left of a muxer that would not open can't be opened again.
        let stays: Set<ProblemCode> = [.wrongState, .forbiddenOption]
        return try change(in: .configuring, needs: "open comes once", endsWriter: { !stays.contains($0.code) }) {
            parts throws(Problem) in
            if state.withLock({ $0.streams.isEmpty }) {
                throw Problem(
                    .wrongState, "The writer has no stream yet: add one first, POST …/streams.",
                    extras: [("state", .string(WriterState.configuring.rawValue))])
            }
            do throws(Problem) {
                try optionPolicy.check(option: request.option, for: parts.place.muxer)
                try OutputNameJudge(muxer: parts.place.muxer.name, gate: parts.place.opener).check(request.option)
                try asProblem { () throws(StreamWriterError) in try parts.writer.open(option: request.option) }
                try commit(request, parts.place)
            } catch {
                throw error.parameter?.begins(with: "option.") == true ? error.located(at: "") : error
            }
            return resource
        }
    }

    func flush() throws(Problem) -> JSONObject {
        try change(in: .open, needs: "flush needs an open one") { parts throws(Problem) in
            try asProblem { () throws(StreamWriterError) in try parts.writer.flush() }
            return resource
        }
    }

    func add(_ request: StreamRequest, to writer: StreamWriter) throws(Problem) -> Int {
        var weight = state.withLock { $0.weight }
        let soFar = weight.streams
        let (bytes, heaviest) = StreamRequest.weight(of: request.config)
        weight.streams += bytes + RecordBounds.chosenBytes
        try weight.check(heaviest)
        let index = try asProblem { () throws(StreamWriterError) in try writer.addStream(request.config) }
        let chosen = writer.description(of: index)
        let shown = StreamRequest.json(request.config, chosen, writer.progress(of: index))
        weight.streams = soFar + shown.encoded.count + 1
        state.withLock { [weight] state in
            state.streams.append(AddedStream(config: request.config, chosen: chosen))
            state.weight = weight
        }
        return index
    }

    /// The writer has been opened: its output takes its place.
    func commit(_ request: OpenRequest, _ place: WriterOutput) throws(Problem) {
        try place.commit()
        state.withLock { state in
            state.phase = .alive(.open)
            state.hasOpened = true
            state.openOption = request.option
        }
        growth.grew()
    }

    /// Runs an exclusive change in one state; a failure that ends the writer ends it.
    func change<R>(
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
            report(.snapshot(snapshot))
            endChange()
            return result
        } catch {
            endChange()
            if endsWriter(error) { fail(error) }
            throw error
        }
    }

    /// Waits for its turn. 409 while a chunk is being taken.
    func beginChange(in allowed: [Phase]) throws(Problem) {
        let refusal = try turns.taking { awaitChange(in: allowed) }
        if let refusal { throw refusal }
    }

    /// Why it may not begin; nil: it has begun.
    private func awaitChange(in allowed: [Phase]) -> Problem? {
        state.wait { state -> Problem?? in
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
    }

    func interruptChunksAndBeginChange() throws(Problem) {
        _ = try interruptChunksAndBeginChange(until: .never)
    }

    /// False: what was under way had not ended by then.
    func interruptChunksAndBeginChange(until deadline: Deadline) throws(Problem) -> Bool {
        let mayEnd: Bool? = state.wait(until: deadline) { state in
            guard case .alive = state.phase else { return state.isChanging ? nil : false }
            for interrupt in state.chunks.values { interrupt() }
            if state.isChanging || !state.chunks.isEmpty { return nil }
            state.isChanging = true
            return true
        }
        if mayEnd == false { throw wrongState(needs: nil) }
        return mayEnd != nil
    }

    func endChange() {
        state.change { state in
            state.isChanging = false
            state.lastActive = .now
        }
    }
}
