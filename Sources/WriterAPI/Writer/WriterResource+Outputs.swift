import StreamWriter
import SystemIO
import WriterModel

// Outputs that come and go while the writer is open, whatever its streams are at, and what is told of all of them.
extension WriterResource {
    /// Of those that were removed, how many are told of.
    private static let mostEnded = 16

    /// Opens one more output, which has the streams from their next key frames on; what is known of it then.
    package func addOutput(_ body: JSONValue?) throws(Problem) -> JSONObject {
        let request = try OutputRequest(body ?? .null, at: "")
        let writer = try openWriter(stream: nil)
        return try outputTurns.taking { () throws(Problem) in
            let plan = try enter(request)
            do throws(Problem) {
                let config = try self.config(plan)
                let warnings = try asProblem { () throws(StreamWriterError) in try writer.addOutput(config, timeout: openTimeout) }
                settle(request.name) { entry in
                    entry.isJoining = false
                    entry.warnings = warnings
                }
            } catch {
                leave(request)
                throw error.located(at: "")
            }
            return told(of: request.name)
        }
    }

    /// Whoever waits for an output to be opened has left.
    package func interruptJoining() { state.withLock { $0.parts?.writer }?.interruptJoining() }

    /// Ends an output and lets the writer go on; what became of it. The same again for one that has been ended.
    package func removeOutput(named name: String) throws(Problem) -> JSONObject {
        let writer = try openWriter(stream: nil)
        switch try removal(of: name) {
        case .done: return told(of: name)
        case .joining: writer.interruptJoining()
        case .possible: break
        }
        return try outputTurns.taking { () throws(Problem) in
            _ = try asProblem { () throws(StreamWriterError) in try writer.removeOutput(named: name, within: mostTimeForEnding) }
            state.withLock { state in
                if let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: name) }) { state.lateOutputs[index].hasLeft = true }
                else { state.outputsLeft.insert(name) }
            }
            report(.snapshot(snapshot))
            return told(of: name)
        }
    }

    private var mostTimeForEnding: Duration? { settings.limits.callTimeout > 0 ? .seconds(settings.limits.callTimeout) : nil }

    // MARK: The list

    /// Judges it and takes its place in the list.
    private func enter(_ request: OutputRequest) throws(Problem) -> PlannedOutput {
        let (creation, streams) = state.withLock { ($0.parts!.request, $0.streams) }  // There is a writer: it is open.
        let planned = try PlannedOutput(request, creation.alone(request), settings.policy, OthersFolders(settings.othersFolders), clientPolicy)
        _ = try destination(of: planned)
        for stream in streams { try optionPolicy.check(stream.config, for: planned.plan.muxer, destination: request.dst ?? "") }
        try state.withLock { state throws(Problem) in
            if state.names(output: request.name) {
                throw Problem(.outputExists, "The writer has an output of the name \(request.name). Choose another, or remove that one first.", parameter: "name")
            }
            state.forgetOutputs { $0.name.isSame(as: request.name) }
            let most = settings.limits.maxOutputs
            guard state.liveOutputs < most else {
                throw Problem(
                    .limitExceeded, "The writer has \(most) outputs, as many as one may have on this server (--max-outputs). Remove one first.",
                    parameter: "outputs", extras: [("limit", .integer(Int64(most)))])
            }
            while state.lateOutputs.count(where: \.hasLeft) > Self.mostEnded, let oldest = state.lateOutputs.first(where: \.hasLeft)?.name {
                state.forgetOutputs { $0.name.isSame(as: oldest) }
            }
            var weight = state.weight
            weight.destination += request.recordBytes
            try weight.check("option")
            state.weight = weight
            state.redaction.add(text: request.dst ?? "")
            state.redaction.add(request.option)
            state.lateOutputs.append(OutputEntry(request: request, muxer: planned.plan.muxer.name))
        }
        return planned
    }

    private func leave(_ request: OutputRequest) {
        state.withLock { state in
            state.lateOutputs.removeAll { $0.name.isSame(as: request.name) && $0.isJoining }
            state.weight.destination -= request.recordBytes
        }
    }

    private func settle(_ name: String, _ change: (inout OutputEntry) -> Void) {
        state.withLock { state in
            if let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: name) }) { change(&state.lateOutputs[index]) }
        }
        report(.snapshot(snapshot))
    }

    private enum Removal { case possible, joining, done }

    private func removal(of name: String) throws(Problem) -> Removal {
        try state.withLock { state throws(Problem) in
            if let late = state.lateOutputs.first(where: { $0.name.isSame(as: name) }) {
                return late.hasLeft ? .done : late.isJoining ? .joining : .possible
            }
            let places = state.outputs
            guard let index = places.firstIndex(where: { $0.name.isSame(as: name) }) else {
                throw .noOutput(name, of: settings.writer, there: places.map(\.name) + state.lateOutputs.map(\.name))
            }
            if state.outputsLeft.contains(name) { return .done }
            switch places[index].planned.plan.destination {
            case .url where index > 0, .device where index > 0: return .possible
            case .url, .device, .managed, .file, .files, .nowhere:
                let which = index > 0 ? "An output to files" : "The first output"
                throw Problem(
                    .wrongState, "\(which) ends with the writer: finalize the writer, or DELETE it.", parameter: "output",
                    extras: [("state", .string(state.lifecycle.phase.state.rawValue))])
            }
        }
    }

    /// Of a URL or a device: files can't be given to a process that has been confined.
    private func destination(of planned: PlannedOutput) throws(Problem) -> Destination {
        switch planned.plan.destination {
        case .url(let url): return .url(url, planned.plan.request.uploadFields)
        case .device(let name): return .device(name)
        case .managed, .file, .files, .nowhere:
            throw Problem(
                .invalidParameter,
                "An output that comes when the writer is open is a URL or a device. Name files when the writer is made.", parameter: "dst")
        }
    }

    private func config(_ planned: PlannedOutput) throws(Problem) -> OutputConfig {
        let destination = try destination(of: planned)
        let carried: Destination
        do throws(SystemError) {
            carried = try destination.carried(carrierLines, format: planned.plan.muxer.name, bufferSize: planned.plan.request.bufferSize)
        } catch {
            throw Problem(.overloaded, "A process for the output can't be had now. Try again.")
        }
        return try planned.config(carried, carrierLines)
    }

    private func told(of name: String) -> JSONObject {
        state.withLock { state in
            guard let parts = state.parts else { return [:] }
            if let late = state.lateOutputs.first(where: { $0.name.isSame(as: name) }) { return late.json(parts.writer, state.redaction) }
            return shownOutputs(parts, state).lazy.compactMap(\.objectValue).first { $0["name"] == .string(name) } ?? [:]
        }
    }
}

extension WriterResource.State {
    /// Of one that is, or was there from the start.
    fileprivate func names(output name: String) -> Bool {
        outputs.contains { $0.name.isSame(as: name) } || lateOutputs.contains { !$0.hasLeft && $0.name.isSame(as: name) }
    }

    fileprivate var liveOutputs: Int { outputs.count - outputsLeft.count + lateOutputs.count { !$0.hasLeft } }

    /// Of those that came late and have left.
    fileprivate mutating func forgetOutputs(_ isMeant: (OutputEntry) -> Bool) {
        for output in lateOutputs where output.hasLeft && isMeant(output) {
            weight.destination -= output.request.recordBytes
            parts?.writer.forgetOutput(named: output.name)
        }
        lateOutputs.removeAll { $0.hasLeft && isMeant($0) }
    }
}
