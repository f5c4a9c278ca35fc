import APICore
import Bytewise
import StreamWriter
import SystemIO
import Threading
import WriterModel

// What may be done to the writer one at a time, before and after it is opened.
extension WriterResource {
    package func addStream(_ body: JSONValue?) throws(Problem) -> (index: Int, resource: JSONValue) {
        let request = try StreamRequest(body ?? .null)
        for option in request.encoderOptions { note(option: option) }
        note(option: [:], filterDesc: request.config.filterDesc)
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

    package func setMetadata(_ body: JSONValue?) throws(Problem) -> JSONObject {
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

    package func open(_ request: OpenRequest, for client: OpeningClient = OpeningClient()) throws(Problem) -> JSONObject {
        note(option: request.option)
        // What is left of a muxer that would not open can't be opened again.
        var isBegun = false
        return try change(in: .configuring, needs: "open comes once", endsWriter: { $0.code != .wrongState && isBegun }) {
            parts throws(Problem) in
            let streams = state.withLock { $0.streams.map(\.config) }
            if streams.isEmpty {
                throw Problem(
                    .wrongState, "The writer has no stream yet: add one first, POST …/streams.",
                    extras: [("state", .string(WriterState.configuring.rawValue))])
            }
            do throws(Problem) {
                try optionPolicy.check(option: parts.request.outputs.first?.option ?? [:], for: parts.place.muxer)
                try optionPolicy.check(option: request.option, for: parts.place.muxer)
                let given = (parts.request.outputs.first?.option ?? [:]).merging(request.option) { $1 }
                let option = try OutputNameJudge(muxer: parts.place.muxer.name, gate: parts.place.opener)
                    .resolve(given, streams: streams.trackCount(in: parts.request.outputs.first))
                try checkNames(of: parts.places.dropFirst(), streams)
                isBegun = true
                try openDestinations(of: parts.writer, option, parts.places, for: client)
                try commit(OpenRequest(option: option), parts.places)
            } catch {
                throw error.parameter?.begins(with: "option.") == true ? error.located(at: "") : error
            }
            return resource
        }
    }

    /// Of outputs beside the first, whose options are known since the writer was made: with the streams that there are now.
    private func checkNames(of places: ArraySlice<WriterOutput>, _ streams: [StreamConfig]) throws(Problem) {
        for (index, place) in zip(places.indices, places) {
            do throws(Problem) {
                _ = try OutputNameJudge(muxer: place.muxer.name, gate: place.opener)
                    .resolve(place.planned.request?.option ?? [:], streams: streams.trackCount(in: place.planned.request))
            } catch {
                throw error.located(at: "/outputs/\(index)")
            }
        }
    }

    func openDestinations(
        of writer: StreamWriter, _ option: [String: String], _ places: [WriterOutput], for client: OpeningClient
    ) throws(Problem) {
        state.withLock { $0.openingClient = client }
        defer { state.withLock { $0.openingClient = nil } }
        // One that leaves from here on ends it.
        if client.hasLeft, places.contains(where: \.isPeer) { noteLeft(client) }
        do throws(Problem) {
            try asProblem { () throws(StreamWriterError) in try writer.open(option: option, timeout: openTimeout) }
        } catch {
            // An option is that of the output which the error names.
            guard error.parameter?.begins(with: "option.") == true, places.count > 1,
                let index = places.firstIndex(where: { error.detail.begins(with: "output \($0.name): ") })
            else { throw error }
            throw error.located(at: "/outputs/\(index)")
        }
        showStreamsAnew(of: writer)
    }

    /// Opening adds to what is known of them.
    func showStreamsAnew(of writer: StreamWriter) {
        state.withLock { state in
            state.streams = state.streams.map { AddedStream(config: $0.config, chosen: writer.description(of: $0.chosen.index)) }
        }
    }

    package func flush() throws(Problem) -> JSONObject {
        try change(in: .open, needs: "flush needs an open one") { parts throws(Problem) in
            try asProblem { () throws(StreamWriterError) in try parts.writer.flush() }
            return resource
        }
    }

    func add(_ request: StreamRequest, to writer: StreamWriter) throws(Problem) -> Int {
        var weight = state.withLock { $0.weight }
        let soFar = weight.streams
        let (bytes, heaviest) = StreamRequest.weight(of: request.config)
        let encodings = request.config.encodings.count
        weight.streams += bytes + encodings * RecordBounds.chosenBytes
        try weight.check(heaviest)
        let index = try asProblem { () throws(StreamWriterError) in try writer.addStream(request.config) }
        let chosen = writer.description(of: index)
        let shown = StreamRequest.json(request.config, chosen, writer.progress(of: index))
        weight.streams = soFar + shown.encoded.count + JSONObject.uploadBytes + (encodings - 1) * RecordBounds.renditionBytes
        state.withLock { [weight] state in
            state.streams.append(AddedStream(config: request.config, chosen: chosen))
            state.weight = weight
        }
        return index
    }

    /// The writer has been opened: its outputs take their places.
    func commit(_ request: OpenRequest, _ places: [WriterOutput]) throws(Problem) {
        for place in places { try place.checkCommit() }
        for place in places { try place.commit() }
        state.withLock { state in
            state.lifecycle.opened()
            state.openOption = request.option
        }
        growth.grew()
    }

    /// Runs an exclusive change in one state; a failure that ends the writer ends it.
    func change<R>(
        in needed: WriterState, needs: String, endsWriter: (Problem) -> Bool = { $0.endsWriter },
        _ body: (Parts) throws(Problem) -> R
    ) throws(Problem) -> R {
        let parts = try beginChange(in: needed, needs: needs)
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
    func beginChange(in needed: WriterState? = nil, needs: String? = nil) throws(Problem) -> Parts {
        try turns.taking { () -> Result<Parts, Problem> in
            state.wait { state in
                switch state.lifecycle.beginChange(needing: needed) {
                case .wait: return nil
                case .refused(let refusal): return .failure(state.lifecycle.problem(refusal, needs: needs))
                case .begun:
                    state.noteRequest()
                    return .success(state.parts!)  // There is a writer: it is made of them.
                }
            } ?? .failure(wrongState(needs: needs))
        }.get()
    }

    /// A change that ends the chunks that are being taken. False: what was under way had not ended by then.
    func endChunksAndBeginChange(until deadline: Deadline = .never) throws(Problem) -> Bool {
        let turn = state.wait(until: deadline) { state -> WriterLifecycle.Turn? in
            let turn = state.lifecycle.beginChangeAfterChunks()
            if turn != .wait { return turn }
            state.interruptChunks()
            return nil
        }
        if case .refused = turn { throw wrongState(needs: nil) }
        return turn == .begun
    }

    func endChange() {
        state.change { state in
            state.lifecycle.endChange()
            state.lastActive = .now
        }
    }
}

extension WriterLifecycle {
    /// To the request that is refused. `needs`: what it would take.
    func problem(_ refusal: Refusal, needs: String? = nil) -> Problem {
        switch refusal {
        case .wrongState: return phase.wrongState(needs: nil)
        case .wrongStateForThis: return phase.wrongState(needs: needs)
        case .chunkInProgress(let stream):
            return Problem(
                .chunkInProgress, "Stream \(stream) is taking a chunk. Wait for its answer first.",
                extras: [("stream", .integer(Int64(stream)))])
        }
    }
}

extension WriterLifecycle.Phase {
    func wrongState(needs: String?) -> Problem {
        Problem(
            .wrongState, "The writer is \(state.rawValue)\(needs.map { "; \($0)" } ?? "").",
            extras: [("state", .string(state.rawValue))])
    }
}
