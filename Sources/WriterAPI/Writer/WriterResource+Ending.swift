import APICore
import StreamWriter
import SystemIO
import WriterModel

// How a writer ends: finalized, failed or deleted.
extension WriterResource {
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

    func finalizeNow(endedBy: String) throws(Problem) -> JSONObject {
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

    static let byRequest = "finalize"

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
}
