import StreamWriter
import SystemIO
import WriterModel

// Outputs that come when the writer is open and are files in its own folder: a recording of a part of it.
extension WriterResource {
    /// The gateway has it among the writer's files before it is there.
    func makeFile(_ planned: PlannedOutput) throws(Problem) -> Destination {
        let growth = OutputNotifier()
        let builder = builder(of: planned, number: 1, try ledgers, growth)
        try lateClaims.withLock { _ throws(Problem) in try claim(builder.managedName) }
        let (place, destination) = try builder.makeManaged()
        settle(planned.name) { $0.file = OutputEntry.File(place: place, growth: growth) }
        return destination
    }

    /// One at a time.
    private func claim(_ managedName: String) throws(Problem) {
        let earlier = state.withLock { $0.claim ?? .nothing }
        // Of one that could not be opened.
        if earlier.managedFiles.contains(where: { $0.isSame(as: managedName) }) { return }
        let claim = earlier.adding(managed: managedName)
        guard claim.isValid else {
            throw Problem(.limitExceeded, "A writer has at most \(ServiceLimits.mostOutputs) files.", parameter: "outputs")
        }
        report(.claim(claim))
        do throws(Problem) {
            try requireKeptClaim()
        } catch {
            var problem = error
            problem.detail = "The output's file is not made: \(error.detail)"
            throw problem
        }
        state.withLock { $0.claim = claim }
    }

    /// Reads back the files among them that have ended; of all names where none is given, with the writer's summary. Throws
    /// where one is damaged that the writer does not go on without.
    func endLateFiles(_ names: [String]? = nil, of writer: StreamWriter, _ summary: WriterSummary? = nil) throws(Problem) {
        try lateEnds.withLock { _ throws(Problem) in try endLateFilesInTurn(names, of: writer, summary) }
    }

    /// What the server notes of a file for itself, beside its name, which is in it twice.
    private static let bytesOfPlace = 128

    private func endLateFilesInTurn(_ names: [String]?, of writer: StreamWriter, _ summary: WriterSummary?) throws(Problem) {
        let entries = state.withLock { $0.lateOutputs }.filter { entry in
            entry.file != nil && entry.file?.end == nil && names.map { $0.contains { $0.isSame(as: entry.name) } } ?? true
        }
        for entry in entries {
            guard let file = entry.file else { continue }
            let own = writer.summary(ofEnded: entry.name) ?? summary?.of(outputNamed: entry.name)
            var end = OutputEnd(written: file.place.look())
            do throws(Problem) {
                if let own { end.verification = try verify(file.place, option: file.place.option, own) }
            } catch {
                // One that was ended before the writer is its own affair.
                guard entry.request.onFailure == .continue || names != nil, !lifecycle.isOver else { throw error.of(output: entry.name) }
                end.failure = error
            }
            state.withLock { state in
                guard let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: entry.name) }) else { return }
                state.lateOutputs[index].file?.end = end
                guard own != nil, end.failure == nil else { return }
                let bytes = min(JSONValue.object(shown(state.lateOutputs[index], writer, state.redaction)).encoded.count + 2 * entry.name.utf8.count + Self.bytesOfPlace, state.lateOutputs[index].recordBytes)
                state.weight.destination += bytes - state.lateOutputs[index].recordBytes
                state.lateOutputs[index].recordBytes = bytes
            }
            file.growth.ended(own != nil && end.failure == nil ? .complete : .failed)
        }
    }
}
