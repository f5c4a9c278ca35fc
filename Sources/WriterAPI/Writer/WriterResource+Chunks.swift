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
    struct ChunkTarget: Sendable {
        let writer: StreamWriter
        let stream: AddedStream
    }

    /// Takes the stream for one chunk until `releaseStream`. With `offset`, a chunk that is being
    /// taken is ended first; a chunk that would not begin where the stream is then is none, and in
    /// nobody's way.
    func claimStream(_ index: Int, from offset: Int64?, _ interruption: @escaping Interruption) throws(Problem) -> ChunkTarget {
        let deadline = Deadline.after(.seconds(5))
        let claimed: Result<ChunkTarget, Problem>? = try turns.taking {
            awaitStream(index, from: offset, until: deadline, interruption)
        }
        guard let claimed else { throw Self.chunkInProgress(index) }
        return try claimed.get()
    }

    /// nil: another chunk had not ended by then.
    private func awaitStream(
        _ index: Int, from offset: Int64?, until deadline: Deadline, _ interruption: @escaping Interruption
    ) -> Result<ChunkTarget, Problem>? {
        state.wait(until: deadline) { state in
            if state.isChanging { return nil }
            guard state.phase == .alive(.open), let writer = state.parts?.writer else {
                return .failure(Self.wrongState(state.phase, needs: "chunks need an open one: POST …/open first"))
            }
            guard state.streams.indices.contains(index) else {
                return .failure(.noStream(String(index), of: self.settings.writer))
            }
            if let current = state.chunks[index] {
                if offset != nil { current() }
                return offset != nil ? nil : .failure(Self.chunkInProgress(index))
            }
            let taken = writer.progress(of: index).offset
            if let offset, offset != taken { return .failure(Self.offsetMismatch(provided: offset, expected: taken)) }
            state.chunks[index] = interruption
            return .success(ChunkTarget(writer: writer, stream: state.streams[index]))
        }
    }

    func releaseStream(_ index: Int) {
        state.change { state in
            state.chunks[index] = nil
            state.lastActive = .now
        }
    }

    func stream(_ index: Int) throws(Problem) -> AddedStream {
        try state.withLock { state throws(Problem) in
            guard state.streams.indices.contains(index) else {
                throw .noStream(String(index), of: settings.writer)
            }
            return state.streams[index]
        }
    }

    func offset(of index: Int) throws(Problem) -> Int64 {
        _ = try stream(index)
        return state.withLock { $0.parts }?.writer.progress(of: index).offset ?? 0
    }

    /// Ends every upload at once, and a wait for the destination.
    func interruptWork() {
        state.withLock { state in for interrupt in state.chunks.values { interrupt() } }
        interruptOpening()
    }

    /// A destination may take for ever to open: a server that waits for its client.
    func interruptOpening() {
        let opening = state.withLock { state in
            state.isChanging && state.phase == .alive(.configuring) ? state.parts?.writer : nil
        }
        opening?.abort()
    }

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

    /// To the client whose chunk was ended: what has come in its way.
    func chunkInterrupted(_ index: Int) -> Problem {
        let isOpen = state.withLock { $0.phase == .alive(.open) && !$0.isAbandoned }
        return Problem(
            .chunkInterrupted,
            isOpen
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
