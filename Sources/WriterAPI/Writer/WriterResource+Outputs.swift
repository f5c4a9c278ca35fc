import StreamWriter
import SystemIO
import WriterModel

// Outputs that come and go while the writer is open, whatever its streams are at, and what is told of all of them.
extension WriterResource {
    /// Of those that were removed, how many are told of.
    private static let mostEnded = 16

    /// Opens one more output, which has the streams from their next key frames on; what is known of it then. `client`
    /// waits for that, and ends it when it leaves.
    package func addOutput(_ body: JSONValue?) throws(Problem) -> JSONObject {
        let request = try OutputRequest(body ?? .null, at: "")
        let writer = try openWriter(stream: nil)
        return try outputTurns.taking { () throws(Problem) in
            let (plan, taken) = try enter(request)
            do throws(Problem) {
                let config = try self.config(plan)
                let warnings = try asProblem { () throws(StreamWriterError) in try writer.addOutput(config, timeout: openTimeout) }
                settle(request.name) { entry in
                    entry.isJoining = false
                    entry.warnings = warnings
                }
            } catch {
                leave(request.name, giving: taken)
                throw error.located(at: "")
            }
            return told(of: request.name, writer)
        }
    }

    /// Whoever waits for an output to be opened has left.
    package func interruptJoining() { state.withLock { $0.parts?.writer }?.interruptJoining() }

    /// Ends an output and lets the writer go on; what became of it. The same again for one that has been ended.
    package func removeOutput(named name: String) throws(Problem) -> JSONObject {
        let writer = try openWriter(stream: nil)
        let entry = try entry(named: name)
        if entry.ended != nil { return told(of: name, writer) }
        if entry.isJoining { writer.interruptJoining() }
        return try outputTurns.taking { () throws(Problem) in
            let progress = try asProblem { () throws(StreamWriterError) in try writer.removeOutput(named: name, within: mostTimeForEnding) }
            settle(name) { $0.ended = progress }
            return told(of: name, writer)
        }
    }

    private var mostTimeForEnding: Duration? { settings.limits.callTimeout > 0 ? .seconds(settings.limits.callTimeout) : nil }

    // MARK: The list

    /// Judges it and takes its place in the list; what it adds to the record's weight.
    private func enter(_ request: OutputRequest) throws(Problem) -> (PlannedOutput, weight: Int) {
        let (creation, streams) = state.withLock { ($0.parts!.request, $0.streams) }  // There is a writer: it is open.
        let plan = try PlannedOutput(request, creation.alone(request), settings.policy, clientPolicy)
        for stream in streams { try optionPolicy.check(stream.config, for: plan.muxer, destination: request.dst ?? "") }
        return try state.withLock { state throws(Problem) in
            let unnamed = state.outputs.isEmpty ? OutputEntry(request: OutputRequest(firstOf: creation), muxer: state.parts!.place.muxer.name) : nil
            if unnamed?.name.isSame(as: request.name) == true { throw Self.nameTaken(request.name) }
            if let taken = state.outputs.firstIndex(where: { $0.name.isSame(as: request.name) }) {
                guard state.outputs[taken].ended != nil else { throw Self.nameTaken(request.name) }
                state.forgetOutput(at: taken)
            }
            let most = settings.limits.maxOutputs
            guard state.outputs.count(where: { $0.ended == nil }) + (unnamed == nil ? 0 : 1) < most else {
                throw Problem(
                    .limitExceeded, "The writer has \(most) outputs, as many as one may have on this server (--max-outputs). Remove one first.",
                    parameter: "outputs", extras: [("limit", .integer(Int64(most)))])
            }
            while state.outputs.count(where: { $0.ended != nil }) > Self.mostEnded {
                state.forgetOutput(at: state.outputs.firstIndex { $0.ended != nil }!)
            }
            var weight = state.weight
            weight.destination += request.recordBytes
            try weight.check("option")
            state.weight = weight
            state.redaction.add(text: request.dst ?? "")
            state.redaction.add(request.option)
            if let unnamed { state.outputs = [unnamed] }
            state.outputs.append(OutputEntry(request: request, muxer: plan.muxer.name, isJoining: true))
            return (plan, request.recordBytes)
        }
    }

    private static func nameTaken(_ name: String) -> Problem {
        Problem(.outputExists, "The writer has an output of the name \(name). Choose another, or remove that one first.", parameter: "name")
    }

    private func leave(_ name: String, giving weight: Int) {
        state.withLock { state in
            state.outputs.removeAll { $0.name.isSame(as: name) && $0.isJoining }
            // The first was not named by the client.
            if state.outputs.count == 1, state.parts?.request.outputs.isEmpty == true { state.outputs = [] }
            state.weight.destination -= weight
        }
    }

    private func settle(_ name: String, _ change: (inout OutputEntry) -> Void) {
        state.withLock { state in
            if let index = state.outputs.firstIndex(where: { $0.name.isSame(as: name) }) { change(&state.outputs[index]) }
        }
        report(.snapshot(snapshot))
    }

    /// Of those that may be removed.
    private func entry(named name: String) throws(Problem) -> OutputEntry {
        let outputs = state.withLock { $0.outputs }
        guard let index = outputs.firstIndex(where: { $0.name.isSame(as: name) }) else {
            let names = outputs.map(\.name)
            throw Problem(
                .outputNotFound,
                names.isEmpty ? "The writer \(settings.writer) has one output, which has no name." : "The writer \(settings.writer) has no output \(name.shortened()).",
                parameter: "name", supported: names.isEmpty ? nil : names)
        }
        guard index > 0 else {
            throw Problem(
                .wrongState, "The first output ends with the writer: finalize the writer, or DELETE it.", parameter: "name",
                extras: [("state", .string(phase.state.rawValue))])
        }
        return outputs[index]
    }

    private func config(_ plan: PlannedOutput) throws(Problem) -> OutputConfig {
        do throws(SystemError) { return try plan.config(carrierLines) } catch {
            throw Problem(.overloaded, "A process for the output can't be had now. Try again.")
        }
    }

    private func told(of name: String, _ writer: StreamWriter) -> JSONObject {
        state.withLock { state in
            state.outputs.first { $0.name.isSame(as: name) }?.json(writer, state.redaction) ?? [:]
        }
    }

    /// What did not reach outputs, or they could not have.
    var warningsOfOutputs: [JSONValue] {
        state.withLock { state in
            guard let writer = state.parts?.writer else { return [] }
            return state.outputs.flatMap { output in
                output.allWarnings(writer, state.redaction).map { warning in
                    var object = StreamRequest.json(warning)
                    object["output"] = .string(output.name)
                    return .object(object)
                }
            }
        }
    }
}

extension WriterResource.State {
    /// Of one that has ended.
    fileprivate mutating func forgetOutput(at index: Int) {
        weight.destination -= outputs[index].request.recordBytes
        outputs.remove(at: index)
    }
}
