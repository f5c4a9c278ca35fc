import APICore
import HTTPServer
import StreamWriter
import SystemIO
import WriterModel

// How a writer ends: finalized, failed or deleted.
extension WriterResource {
    /// How long a writer that is deleted may go on to its own end, before `deletionPatience` begins.
    private static let courtesy = Duration.milliseconds(200)

    // MARK: Finalizing

    /// Drains, writes the trailer, closes. One that waited while another did gets the same result.
    package func finalize() throws(Problem) -> JSONObject {
        do throws(Problem) {
            _ = try beginChange()
        } catch {
            if phase == .ended(.closed) { return resource }
            throw error
        }
        return try finalizeNow(endedBy: Self.byRequest, outputsTime: nil)
    }

    /// The same because of something else than a request: a chunk that is still being taken is ended
    /// and its whole frames kept.
    package func finalize(because reason: EndReason) throws(Problem) {
        // A peer that takes nothing must not keep a server from its end, nor the recording from its.
        let time: Duration? = [.shutdown, .gatewayLost].contains(reason) ? .seconds(max(1, settings.limits.shutdownGrace)) : nil
        // A request may be at it already.
        if let time, lifecycle.phase == .alive(.finalizing) { state.withLock { $0.parts?.writer }?.boundOutputs(to: time) }
        _ = try endChunksAndBeginChange()
        _ = try finalizeNow(endedBy: reason.rawValue, outputsTime: time)
    }

    private func finalizeNow(endedBy: String, outputsTime: Duration?) throws(Problem) -> JSONObject {
        guard let parts = state.withLock({ $0.lifecycle.beginFinalizing() ? $0.parts : nil }) else {
            endChange()
            throw wrongState(needs: "finalize needs an open one: POST …/open first, or DELETE it")
        }
        report(.snapshot(snapshot))
        do throws(Problem) {
            let summary = try asProblem { () throws(StreamWriterError) in try parts.writer.close(outputsTime: outputsTime) }
            let ends = try endOutputs(parts, summary)
            try endLateFiles(of: parts.writer, summary)
            return conclude(.closed, [("result", result(summary, ends, endedBy: endedBy))], ends)
        } catch {
            if endedBy == Self.byRequest, !error.endsWriter {
                // More may be sent, and the writer finalized then.
                state.withLock { $0.lifecycle.takeFinalizingBack() }
                report(.snapshot(snapshot))
                endChange()
                throw error
            }
            endFailed(parts.writer)
            conclude(.failed, failure(error))
            throw error
        }
    }

    private static let byRequest = "finalize"

    /// `closed` is a promise: that it is kept is looked at first, of every output that has not failed. A thread that
    /// gives the writer up ends the look.
    private func endOutputs(_ parts: Parts, _ summary: WriterSummary) throws(Problem) -> [OutputEnd] {
        var ends: [OutputEnd] = []
        for (index, place) in parts.places.enumerated() {
            do throws(Problem) {
                let verification = try summary.of(output: index).flatMap { own throws(Problem) in try verify(place, option: index == 0 ? state.withLock { $0.openOption } : place.option, own) }
                ends.append(OutputEnd(verification: verification, written: place.look()))
            } catch {
                guard place.isExpendable, !lifecycle.isOver else { throw parts.places.count == 1 ? error : error.of(output: place.name) }
                ends.append(OutputEnd(written: place.look(), failure: error))
            }
        }
        return ends
    }

    /// `option`: that it was opened with.
    func verify(_ place: WriterOutput, option: [String: String], _ summary: WriterSummary) throws(Problem) -> OutputVerification? {
        try place.checkKept()
        guard state.withLock({ $0.parts?.request.verify }) ?? settings.verifiesOutputs else { return nil }
        return try OutputVerification(of: place, option: option, summary) { lifecycle.isOver }
    }

    // MARK: Failing

    /// Why an open writer can't go on, where nothing is being done about it: an output has failed, and no call has come since
    /// that could tell.
    package var unnoticedFailure: Problem? {
        let writer = state.withLock { state in
            state.lifecycle.phase == .alive(.open) && !state.lifecycle.isChanging && !state.isBeingDeleted ? state.parts?.writer : nil
        }
        return writer?.firstFailure.map { Problem($0) }
    }

    /// The writer can't go on: ends what still runs, and keeps why.
    package func fail(_ problem: Problem) {
        ProcessLimits.openMemoryReserve()
        state.withLock { $0.failing = $0.failing ?? problem }
        guard (try? endChunksAndBeginChange()) == true else { return }
        endFailed(state.withLock { $0.parts?.writer })
        conclude(.failed, failure(problem))
    }

    /// What the outputs have that did not fail is the client's: it is ended, and stays.
    private func endFailed(_ writer: StreamWriter?) {
        writer?.endWhatIsLeft(within: .seconds(max(1, settings.limits.shutdownGrace)))
        undo()
    }

    /// What the record tells of a failure.
    private func failure(_ problem: Problem) -> [(String, JSONValue)] {
        [("failure", redacted(problem).fitting(RecordBounds.failureBytes).json)]
    }

    /// Once: what comes late, of a thread that was given up, changes nothing.
    @discardableResult
    private func conclude(
        _ ended: WriterState, _ members: [(String, JSONValue)], _ outputs: [OutputEnd] = []
    ) -> JSONObject {
        let isFirst = state.withLock { state in
            guard state.lifecycle.end(as: ended) else { return false }
            state.end(with: members)
            state.outputEnds = outputs
            return true
        }
        return isFirst ? tellEnd(ended, outputs.map(\.written)) : resource
    }

    /// After the lifecycle has ended: keeps the last record and tells the gateway.
    @discardableResult
    private func tellEnd(_ ended: WriterState, _ written: [WriterOutput.Written] = []) -> JSONObject {
        let record = written.isEmpty ? self.record : makeRecord(written)
        let isKept = (try? folder.append(record.lastText, to: WriterRecord.fileName)) != nil
        for output in state.withLock({ $0.outputs }) { output.release() }
        endGrowth(ended == .closed ? .complete : .failed)
        if let end = WriterEnd(record) { report(.end(end)) }
        report(isKept ? .concluded(ended) : .unkeptRecord(record))
        endIsTold()
        return record.resource
    }

    /// Nothing more comes of any of its files.
    private func endGrowth(_ end: FileEnd) {
        growth.ended(end)
        for late in state.withLock({ $0.lateOutputs }) { late.file?.growth.ended(end) }
    }

    private func endIsTold() {
        state.change { state in
            state.lifecycle.endIsTold()
            state.lastActive = .now
        }
    }

    // MARK: Deleting

    /// Deletes the writer and what it wrote, whatever it is at: creation, opening, chunks and finalizing are given
    /// up, and what does not come back soon is left alone. Gives the names under which others have put files of
    /// theirs, which stay. Throws when the writer has ended before.
    package func delete() throws(Problem) -> [String] {
        try deletions.taking { () throws(Problem) in
            let wasOver = state.withLock { state in
                state.isBeingDeleted = true
                return state.lifecycle.isOver
            }
            guard let left = try deleteInTurn(wasOver: wasOver) else { throw wrongState(needs: nil) }
            return left
        }
    }

    /// nil: the writer has ended by itself.
    private func deleteInTurn(wasOver: Bool) throws(Problem) -> [String]? {
        let hasBegun: Bool
        do throws(Problem) {
            hasBegun = try beginDeletion()
        } catch {
            // The request that makes it had not begun, or has been given up, or another deletion was quicker.
            switch phase {
            case .absent: return discardIfUncreated() ? [] : nil
            case .discarded where !wasOver: return []
            default: throw error
            }
        }
        return hasBegun ? deleteNow() : abandon(nil)
    }

    /// What has its end at hand comes to it, with what it has to say; the rest is told to give up. False: it does not.
    private func beginDeletion() throws(Problem) -> Bool {
        if try endChunksAndBeginChange(until: .after(Self.courtesy)) { return true }
        interrupt(StreamWriterError(.wrongState, "the writer was deleted"))
        return try endChunksAndBeginChange(until: .after(deletionPatience))
    }

    /// nil: a thread that watches over this one has ended the writer meanwhile.
    private func deleteNow() -> [String]? {
        let left = undo(everything: true)
        return discard(because: deletion) ? left : nil
    }

    /// What the log says of a writer that a client deletes.
    private var deletion: WriterEnd? {
        guard lifecycle.isCreated else { return nil }
        var end = WriterEnd(.deleted, by: .delete)
        let (destination, writer) = state.withLock { ($0.shownDestination, $0.parts?.writer) }
        end.destination = destination
        end.bytes = writer?.bytesWritten
        return end
    }

    /// What the log says of a writer that could not be made.
    func unmade(by problem: Problem, isDeserted: Bool = false) -> WriterEnd {
        var end = WriterEnd.unmade(redacted(problem), isDeserted: isDeserted)
        end.destination = state.withLock { $0.shownDestination }
        return end
    }

    /// No request will make the writer. False: there is one.
    package func discardIfUncreated() -> Bool {
        switch awaitCreation() {
        case .claimed: discard()
        case .ended: break
        case .exists: return false
        }
        return true
    }

    /// There is no writer, or none any more. False: it had ended before. `end`: what the server's log is to say of
    /// that.
    @discardableResult
    package func discard(because end: WriterEnd? = nil) -> Bool {
        let isFirst = state.withLock { $0.lifecycle.discard() }
        if isFirst { tellDiscard(end) }
        return isFirst
    }

    private func tellDiscard(_ end: WriterEnd?) {
        for output in state.withLock({ $0.outputs }) { output.release() }
        endGrowth(.failed)
        if let end { report(.end(end)) }
        report(.discarded)
        endIsTold()
    }

    /// The one undo: stops libav, and removes what it wrote, unless the writer has been open: then that is the
    /// client's, and only `everything` takes it too. Gives the names of files that others have put there, which stay.
    @discardableResult
    func undo(everything: Bool = false) -> [String] {
        state.withLock { $0.parts?.writer }?.abort()
        return removeOutput(everything: everything)
    }

    private func removeOutput(everything: Bool) -> [String] {
        let outputs = state.withLock { state in everything || !state.lifecycle.hasOpened ? state.outputs : [] }
        return outputs.flatMap { $0.remove() }
    }

    // MARK: Without waiting

    var callsUnderWay: [CallUnderWay] { state.withLock { $0.parts?.writer }?.callsUnderWay ?? [] }

    package var isAbandoned: Bool { lifecycle.isAbandoned }

    /// The writer has failed; one that was still being made never was.
    package func failWithoutWaiting(_ problem: Problem) { abandon(problem) }

    /// The end of a writer that a thread is stuck in: nothing is waited for, and what the thread holds goes with
    /// the process. Without a problem it is deleted. Gives the names of files that others have put there. nil: it
    /// has ended by itself meanwhile.
    @discardableResult
    private func abandon(_ problem: Problem?) -> [String]? {
        let members = problem.map(failure)
        let abandonment = state.withLock { state in
            let abandonment = state.lifecycle.abandon(deleting: problem == nil)
            if let members, abandonment == .failed { state.end(with: members) }
            return abandonment
        }
        if abandonment == .tooLate { return nil }
        let left = removeOutput(everything: abandonment == .discarded)
        if abandonment == .failed { tellEnd(.failed) } else { tellDiscard(problem.map { unmade(by: $0) } ?? deletion) }
        state.withLock { $0.parts?.writer }?.interrupt(
            StreamWriterError(problem == nil ? .wrongState : .encodingFailed, problem?.detail ?? "the writer was deleted"))
        return left
    }
}

extension Problem {
    /// Says which of several outputs it is about.
    func of(output name: String) -> Problem {
        var named = self
        named.detail = "output \(name): \(detail)"
        return named
    }
}

extension WriterResource.State {
    fileprivate mutating func end(with members: [(String, JSONValue)]) {
        ending = [("ended_at", .string(Timestamp.now().description))] + members
    }
}

extension WriterLimits {
    init(_ limits: ServiceLimits) {
        self.init()
        pixels = limits.maxPixels
        channels = limits.maxChannels
        streams = limits.maxStreams
        if limits.maxThreads > 0 { threads = limits.maxThreads }
        defaultThreads = limits.defaultThreads
    }
}
