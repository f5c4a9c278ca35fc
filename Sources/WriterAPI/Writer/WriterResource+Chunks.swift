import APICore
import StreamWriter
import SystemIO
import Threading
import WriterModel

/// A stream as it was asked for and as it came out. Of a class because every chunk needs it.
final class AddedStream: Sendable {
    let config: StreamConfig
    let chosen: StreamDescription

    init(config: StreamConfig, chosen: StreamDescription) {
        self.config = config
        self.chosen = chosen
    }
}

// Taking chunks: one at a time on a stream, streams side by side.
extension WriterResource {
    /// What takes a chunk.
    package struct ChunkTarget: Sendable {
        package let writer: StreamWriter
        let stream: AddedStream
    }

    /// Takes the stream for one chunk until `releaseStream`. With `offset`, a chunk that is being
    /// taken is ended first; a chunk that would not begin where the stream is then is none, and keeps
    /// no other waiting.
    package func claimStream(
        _ index: Int, from offset: Int64?, pts: Double? = nil, _ interruption: @escaping Interruption
    ) throws(Problem) -> ChunkTarget {
        let deadline = Deadline.after(.seconds(5))
        let claimed: Result<ChunkTarget, Problem>? = try turns.taking {
            awaitStream(index, from: offset, pts: pts, until: deadline, interruption)
        }
        guard let claimed else { throw Self.chunkInProgress(index) }
        return try claimed.get()
    }

    /// nil: another chunk had not ended by then.
    private func awaitStream(
        _ index: Int, from offset: Int64?, pts: Double?, until deadline: Deadline, _ interruption: @escaping Interruption
    ) -> Result<ChunkTarget, Problem>? {
        state.wait(until: deadline) { state in
            switch state.lifecycle.turn(ofChunkOf: index, takesOver: offset != nil) {
            case .wait:
                state.interruptions[index]?()
                return nil
            case .refused(.chunkInProgress): return .failure(Self.chunkInProgress(index))
            case .refused(let refusal):
                return .failure(state.lifecycle.problem(refusal, needs: "chunks need an open one: POST …/open first"))
            case .begun: break
            }
            guard state.streams.indices.contains(index), let writer = state.parts?.writer else {
                return .failure(.noStream(String(index), of: self.settings.writer))
            }
            let progress = writer.progress(of: index)
            if let offset, offset != progress.offset {
                return .failure(Self.offsetMismatch(provided: offset, expected: progress.offset))
            }
            state.lifecycle.beginChunk(of: index)
            state.noteBegin(ofChunkOf: index, mediaTime: pts ?? progress.nextPTS)
            state.interruptions[index] = interruption
            return .success(ChunkTarget(writer: writer, stream: state.streams[index]))
        }
    }

    /// `brokenBy`: its body did not come whole.
    package func releaseStream(_ index: Int, brokenBy reason: UploadBreak? = nil) {
        state.change { state in
            state.lifecycle.endChunk(of: index)
            state.interruptions[index] = nil
            state.noteEnd(ofChunkOf: index, brokenBy: reason)
        }
    }

    /// A stream, and how many bytes of it are taken; nil where the writer takes none.
    func openStream(_ index: Int) throws(Problem) -> (stream: AddedStream, offset: Int64)? {
        let found = try state.withLock { state throws(Problem) -> (AddedStream, StreamWriter?)? in
            guard case .alive(.open) = state.lifecycle.phase else { return nil }
            return (try stream(index, state), state.parts?.writer)
        }
        return found.map { ($0, $1?.progress(of: index).offset ?? 0) }
    }

    package func offset(of index: Int) throws(Problem) -> Int64 {
        let writer = try state.withLock { state throws(Problem) in
            _ = try stream(index, state)
            return state.parts?.writer
        }
        return writer?.progress(of: index).offset ?? 0
    }

    private func stream(_ index: Int, _ state: State) throws(Problem) -> AddedStream {
        guard state.streams.indices.contains(index) else { throw .noStream(String(index), of: settings.writer) }
        return state.streams[index]
    }

    /// Ends every upload at once, and a wait for the destination.
    package func interruptWork() {
        state.withLock { $0.interruptChunks() }
        interruptOpening()
    }

    /// A destination may take for ever to open: a server that waits for its client.
    private func interruptOpening() {
        let opening = state.withLock { $0.lifecycle.mayBeOpening ? $0.parts?.writer : nil }
        opening?.abort()
    }

    /// Nothing is waiting for what is opened any more: a destination that is a peer, and may never respond, is
    /// given up, and the writer with it. On any thread, without waiting.
    package func noteLeft(_ client: OpeningClient) {
        client.leave()
        let opening = state.withLock { state in
            guard state.openingClient === client, state.lifecycle.mayBeOpening, let parts = state.parts, parts.places.contains(where: \.isPeer)
            else { return nil as StreamWriter? }
            state.isDeserted = true
            return parts.writer
        }
        opening?.interrupt(Self.clientLeft)
    }

    static let clientLeft = StreamWriterError(
        .destinationFailed, "the client left while the destination was being opened")

    func interrupt(_ error: StreamWriterError) { state.withLock { $0.parts?.writer }?.interrupt(error) }

    package var isBeingDeleted: Bool { state.withLock { $0.isBeingDeleted } }

    /// nil: as long as it takes.
    var openTimeout: Double? { settings.limits.openTimeout > 0 ? settings.limits.openTimeout : nil }

    /// The members are those of the IETF draft on resumable uploads.
    private static func offsetMismatch(provided: Int64, expected: Int64) -> Problem {
        Problem(
            .offsetMismatch,
            "The stream has taken \(expected) bytes; the request would go on from \(provided). Send what follows \(expected).",
            extras: [
                ("offset", .integer(expected)), ("expected-offset", .integer(expected)),
                ("provided-offset", .integer(provided)),
            ])
    }

    /// To a client of a chunk that was ended: what has come in its way.
    func chunkInterrupted(_ index: Int) -> Problem {
        if let failing = state.withLock(\.failing) { return failing }
        return Problem(
            .chunkInterrupted,
            lifecycle.takesChunks
                ? "Another request has taken stream \(index) over, or ends the writer. The whole frames that had come are kept."
                : "The writer was ended while the chunk came.",
            extras: [("stream", .integer(Int64(index)))])
    }

    static func chunkInProgress(_ index: Int) -> Problem {
        Problem(
            .chunkInProgress,
            "Stream \(index) is taking another chunk. Wait for its answer, or send Upload-Offset to end it.",
            extras: [("stream", .integer(Int64(index)))])
    }
}

extension WriterResource.State {
    func interruptChunks() { for interrupt in interruptions.values { interrupt() } }

    mutating func noteRequest() {
        lastActive = .now
        lastRequest = .now()
    }

    fileprivate mutating func noteBegin(ofChunkOf index: Int, mediaTime: Double) {
        noteRequest()
        // Only what plays at once has to come in time.
        let isLive = parts?.place.isPeer == true
        let resumes = activity[index, default: StreamActivity()]
            .begin(at: lastRequest ?? .now(), lastActive, mediaTime: isLive ? mediaTime : nil)
        if resumes { uploadTallies[.uploadsResumed, default: 0] += 1 }
    }

    fileprivate mutating func noteEnd(ofChunkOf index: Int, brokenBy reason: UploadBreak?) {
        noteRequest()
        let offset = reason.map { _ in parts?.writer.progress(of: index).offset ?? 0 }
        // As a whole: a change in place takes eight allocations.
        if var stream = activity[index] {
            stream.end(at: lastRequest ?? .now(), brokenAt: offset)
            activity[index] = stream
        }
        switch reason {
        case .cut: uploadTallies[.uploadsCut, default: 0] += 1
        case .timedOut: uploadTallies[.uploadsTimedOut, default: 0] += 1
        case nil: break
        }
    }

    /// Of all streams.
    var upload: UploadState {
        let states = activity.values.map(\.state)
        return states.contains(.interrupted) ? .interrupted : states.contains(.receiving) ? .receiving : .none
    }
}
