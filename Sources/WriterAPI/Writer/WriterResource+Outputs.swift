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
        do throws(Problem) { try request.requireOpenTimeout(within: settings.limits) } catch { throw error.located(at: "") }
        let writer = try openWriter(stream: nil)
        return try outputTurns.taking { () throws(Problem) in
            let plan = try enter(request)
            do throws(Problem) {
                let destination = try makeDestination(of: plan)
                let config = try plan.config(destination, carrierLines)
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
        case .joining: if let given = giveUpJoining(name, writer) { return given }
        case .possible: break
        }
        return try outputTurns.taking { () throws(Problem) in
            _ = try asProblem { () throws(StreamWriterError) in try writer.removeOutput(named: name, within: mostTimeForEnding) }
            state.withLock { state in
                if let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: name) }) { state.lateOutputs[index].hasLeft = true }
                else { state.outputsLeft.insert(name) }
            }
            try endLateFiles([name]) { writer.summary(ofEnded: $0) }
            report(.snapshot(snapshot))
            return told(of: name)
        }
    }

    /// Of one that is being opened; nil: it is open meanwhile.
    private func giveUpJoining(_ name: String, _ writer: StreamWriter) -> JSONObject? {
        var shown = told(of: name)
        writer.interruptJoining()
        let isGone = state.wait(until: .after(.seconds(10))) { state -> Bool? in
            guard let entry = state.lateOutputs.first(where: { $0.name.isSame(as: name) }) else { return true }
            return entry.isJoining ? nil : false
        }
        guard isGone == true else { return nil }
        let problem = Problem(.wrongState, "The output was ended before its destination was open.")
        shown["state"] = .string(OutputProgress.State.failed.rawValue)
        shown["error"] = OutputRequest.json(problem, state.withLock { $0.redaction })
        return shown
    }

    /// What is kept of an output is sent again once the writer has ended.
    func tooEarlyToRetry(_ name: String) -> Problem {
        let (lifecycle, names) = state.withLock { ($0.lifecycle, $0.outputs.map(\.name) + $0.lateOutputs.map(\.name)) }
        guard names.contains(where: { $0.isSame(as: name) }) else { return .noOutput(name, of: settings.writer, there: names) }
        let state = lifecycle.phase.state.rawValue
        return Problem(
            .wrongState, "The writer is \(state): what could not be sent of an output is sent again once the writer has ended.", parameter: "output",
            extras: [("state", .string(state))])
    }

    private var mostTimeForEnding: Duration? { settings.limits.callTimeout > 0 ? .seconds(settings.limits.callTimeout) : nil }

    // MARK: The list

    /// Judges it and takes its place in the list.
    private func enter(_ request: OutputRequest) throws(Problem) -> PlannedOutput {
        let (creation, streams) = state.withLock { ($0.parts!.request, $0.streams) }  // There is a writer: it is open.
        let planned = try PlannedOutput(request, creation.alone(request), settings.policy, OthersFolders(settings.othersFolders), clientPolicy)
        try requirePossible(planned)
        for stream in streams { try optionPolicy.check(stream.config, for: planned.plan.muxer, destination: request.dst ?? "") }
        try state.withLock { state throws(Problem) in
            if state.names(output: request.name) {
                throw Problem(
                    .outputExists,
                    "The writer has an output of the name \(request.name). Choose another, or remove that one first; a file that was removed keeps its name.",
                    parameter: "name")
            }
            state.forgetOutputs { $0.name.isSame(as: request.name) }
            let most = settings.limits.maxOutputs
            guard state.liveOutputs < most else {
                throw Problem(
                    .limitExceeded, "The writer has \(most) outputs, as many as one may have on this server (--max-outputs). Remove one first.",
                    parameter: "outputs", extras: [("limit", .integer(Int64(most)))])
            }
            while state.lateOutputs.count(where: \.mayBeForgotten) > Self.mostEnded, let oldest = state.lateOutputs.first(where: \.mayBeForgotten)?.name {
                state.forgetOutputs { $0.name.isSame(as: oldest) }
            }
            try planned.requireOwnPlace(beside: state.outputsAtWork)
            var weight = state.weight
            weight.destination += request.recordBytes
            try weight.check("option")
            state.weight = weight
            state.redaction.add(text: request.dst ?? "")
            state.redaction.add(request.option)
            state.lateOutputs.append(OutputEntry(planned: planned, request: request))
        }
        return planned
    }

    private func leave(_ request: OutputRequest) {
        let file = state.withLock { $0.lateOutputs.first { $0.name.isSame(as: request.name) && $0.isJoining }?.file }
        file?.growth.ended(.failed)
        file?.place.remove()
        state.change { state in
            state.lateOutputs.removeAll { $0.name.isSame(as: request.name) && $0.isJoining }
            state.weight.destination -= request.recordBytes
        }
    }

    func settle(_ name: String, _ change: (inout OutputEntry) -> Void) {
        state.change { state in
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

    private func requirePossible(_ planned: PlannedOutput) throws(Problem) {
        switch planned.plan.destination {
        case .url, .device, .managed: break
        case .file, .files, .nowhere:
            // Beyond its own folder it was confined when it was made.
            throw Problem(
                .invalidParameter,
                "An output that comes when the writer is open is a URL, a device or, without dst, a file that the server keeps. Name other files when the writer is made.",
                parameter: "dst")
        }
    }

    private func makeDestination(of planned: PlannedOutput) throws(Problem) -> Destination {
        let destination: Destination
        switch planned.plan.destination {
        case .url(let url): destination = .url(url, planned.plan.request.uploadFields)
        case .device(let name): destination = .device(name)
        case .managed, .file, .files, .nowhere: return try makeFile(planned)
        }
        do throws(SystemError) {
            return try destination.carried(
                carrierLines, output: planned.name, format: planned.plan.muxer.name, bufferSize: planned.plan.request.bufferSize, for: .addedOutput)
        } catch {
            throw Problem(.overloaded, "A process for the output can't be had now: the writer has had many in a short time, or the server has no room for it. Try again after Retry-After seconds.")
        }
    }

    private func told(of name: String) -> JSONObject {
        state.withLock { state in
            guard let parts = state.parts else { return [:] }
            if let late = state.lateOutputs.first(where: { $0.name.isSame(as: name) }) { return shown(late, parts.writer, state.redaction) }
            return shownOutputs(parts, state).lazy.compactMap(\.objectValue).first { $0["name"] == .string(name) } ?? [:]
        }
    }
}

extension WriterResource.State {
    /// Of one that is, was there from the start, or has left a file.
    fileprivate func names(output name: String) -> Bool {
        outputs.contains { $0.name.isSame(as: name) } || lateOutputs.contains { !$0.mayBeForgotten && $0.name.isSame(as: name) }
    }

    /// Those that still write: one that has failed, or was ended, leaves its place to others.
    fileprivate var outputsAtWork: [PlannedOutput] {
        let all = outputs.map(\.planned).filter { !outputsLeft.contains($0.name) } + lateOutputs.filter { !$0.hasLeft }.map(\.planned)
        return all.filter { parts?.writer.progress(ofOutput: $0.name)?.state != .failed }
    }

    fileprivate var liveOutputs: Int { outputs.count - outputsLeft.count + lateOutputs.count { !$0.hasLeft } }

    /// Of those that came late and have left.
    fileprivate mutating func forgetOutputs(_ isMeant: (OutputEntry) -> Bool) {
        for output in lateOutputs where output.mayBeForgotten && isMeant(output) {
            weight.destination -= output.request.recordBytes
            parts?.writer.forgetOutput(named: output.name)
        }
        lateOutputs.removeAll { $0.mayBeForgotten && isMeant($0) }
    }
}
