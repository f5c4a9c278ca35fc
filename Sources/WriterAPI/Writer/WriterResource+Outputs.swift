import APICore
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
        return try joiningTurns.taking { () throws(Problem) in
            let plan = try enter(request)
            report(.snapshot(snapshot))
            do throws(Problem) {
                let destination = try makeDestination(of: plan)
                let config = try plan.config(destination, carrierLines)
                let warnings = try asProblem { () throws(StreamWriterError) in try writer.addOutput(config, timeout: openTimeout) }
                settle(request.name) { entry in
                    entry.isJoining = false
                    entry.warnings = warnings
                }
            } catch {
                let isGivenUp = leave(request)
                if isGivenUp { throw Self.givenUp(request.name) }
                throw (error.code == .destinationFailed ? error.of(output: request.name) : error).located(at: "")
            }
            return told(of: request.name)
        }
    }

    private static func givenUp(_ name: String) -> Problem {
        Problem(.wrongState, "The output \(name) was removed before its destination was open.", parameter: "output")
    }

    /// Whoever waits for an output to be opened has left.
    package func interruptJoining(_ body: JSONValue?) {
        guard let name = body?.objectValue?["name"]?.stringValue else { return }
        state.withLock { $0.parts?.writer }?.interruptJoining(named: name)
    }

    /// Ends an output and lets the writer go on; what became of it. The same again for one that has been ended.
    package func removeOutput(named name: String) throws(Problem) -> JSONObject {
        let writer = try openWriter(stream: nil)
        return try leavingTurns.taking { () throws(Problem) in
            var removal = try removal(of: name)
            if removal == .joining {
                if let given = giveUpJoining(name, writer) { return given }
                removal = try self.removal(of: name)
            }
            guard removal == .possible else {
                // Another request may be at it.
                state.wait { $0.outputsLeaving.contains(name) ? nil : () }
                return told(of: name)
            }
            defer { state.change { _ = $0.outputsLeaving.remove(name) } }
            _ = try asProblem { () throws(StreamWriterError) in try writer.removeOutput(named: name, within: mostTimeForEnding) }
            let isKept = keepsSpool(of: name)
            state.withLock { state in
                if let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: name) }) {
                    state.lateOutputs[index].hasLeft = true
                    state.lateOutputs[index].isKept = isKept
                } else {
                    state.outputsLeft.insert(name)
                }
            }
            try endLateFiles([name], of: writer)
            report(.snapshot(snapshot))
            return told(of: name)
        }
    }

    /// Of one that is being opened; nil: it is open meanwhile.
    private func giveUpJoining(_ name: String, _ writer: StreamWriter) -> JSONObject? {
        var shown = told(of: name)
        state.withLock { state in
            if let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: name) && $0.isJoining }) { state.lateOutputs[index].isGivenUp = true }
        }
        writer.interruptJoining(named: name)
        let isGone = state.wait(until: .after(.seconds(10))) { state -> Bool? in
            guard let entry = state.lateOutputs.first(where: { $0.name.isSame(as: name) }) else { return true }
            return entry.isJoining ? nil : false
        }
        guard isGone == true else { return nil }
        let problem = Self.givenUp(name)
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

    /// What could not be sent of an output of that name is kept.
    private func keepsSpool(of name: String) -> Bool { KeptSpools.list(in: folder).keys.contains { $0.isSame(as: name) } }

    // MARK: The list

    /// Judges it and takes its place in the list.
    private func enter(_ request: OutputRequest) throws(Problem) -> PlannedOutput {
        let (creation, streams) = state.withLock { ($0.parts!.request, $0.streams) }  // There is a writer: it is open.
        let planned = try PlannedOutput(request, creation.alone(request), settings.policy, OthersFolders(settings.othersFolders), clientPolicy)
        try requirePossible(planned)
        for stream in streams { try optionPolicy.check(stream.config, for: planned.plan.muxer, destination: request.dst ?? "") }
        let isKept = keepsSpool(of: request.name)
        try state.withLock { state throws(Problem) in
            if isKept {
                throw Problem(
                    .outputExists,
                    "Of an earlier output of the name \(request.name) a file is kept that could not be sent: it can be sent again once the writer has ended. Choose another name.",
                    parameter: "name")
            }
            if state.names(output: request.name) {
                let why =
                    state.outputsLeft.contains(request.name)
                    ? "An output of the name \(request.name) was made with the writer, and keeps its name though it was removed. Choose another."
                    : "The writer has an output of the name \(request.name). Choose another, or remove that one first; a file that was removed keeps its name."
                throw Problem(.outputExists, why, parameter: "name")
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
            try require(weight, of: planned, beside: state.lateOutputs.count)
            state.weight = weight
            state.redaction.add(text: request.dst ?? "")
            state.redaction.add(request.option)
            state.lateOutputs.append(OutputEntry(planned: planned, request: request))
        }
        return planned
    }

    /// What is kept of files that have ended leaves this to other outputs.
    private static let weightOfOthers = 16 * 1_024

    private func require(_ weight: DescriptionWeight, of planned: PlannedOutput, beside count: Int) throws(Problem) {
        var weight = weight
        let isFile = planned.plan.destination == .managed
        if isFile { weight.destination += Self.weightOfOthers }
        do throws(Problem) { try weight.check("outputs") } catch {
            guard isFile else { throw error }
            throw Problem(
                .limitExceeded,
                "The writer's record has no room for one more file beside the \(count) outputs that it tells of already. Finalize the writer and go on in another.",
                parameter: "outputs", extras: [("limit", .integer(Int64(RecordBounds.descriptionBytes)))])
        }
    }

    /// True: it was removed while it was being opened.
    private func leave(_ request: OutputRequest) -> Bool {
        let entry = state.withLock { $0.lateOutputs.first { $0.name.isSame(as: request.name) && $0.isJoining } }
        entry?.file?.growth.ended(.failed)
        entry?.file?.place.remove()
        defer { report(.snapshot(snapshot)) }
        state.change { state in
            state.lateOutputs.removeAll { $0.name.isSame(as: request.name) && $0.isJoining }
            state.weight.destination -= request.recordBytes
        }
        return entry?.isGivenUp ?? false
    }

    func settle(_ name: String, _ change: (inout OutputEntry) -> Void) {
        state.change { state in
            if let index = state.lateOutputs.firstIndex(where: { $0.name.isSame(as: name) }) { change(&state.lateOutputs[index]) }
        }
        report(.snapshot(snapshot))
    }

    private enum Removal {
        /// It is the caller's to end, and to say when it has.
        case possible
        case joining
        /// It was ended, or another request is at it.
        case done
    }

    private func removal(of name: String) throws(Problem) -> Removal {
        try state.withLock { state throws(Problem) in
            if state.outputsLeaving.contains(name) { return .done }
            if let late = state.lateOutputs.first(where: { $0.name.isSame(as: name) }) {
                if !late.hasLeft && !late.isJoining { state.outputsLeaving.insert(name) }
                return late.hasLeft ? .done : late.isJoining ? .joining : .possible
            }
            let places = state.outputs
            guard let index = places.firstIndex(where: { $0.name.isSame(as: name) }) else {
                throw .noOutput(name, of: settings.writer, there: places.map(\.name) + state.lateOutputs.map(\.name))
            }
            if state.outputsLeft.contains(name) { return .done }
            switch places[index].planned.plan.destination {
            case .url where index > 0, .device where index > 0:
                state.outputsLeaving.insert(name)
                return .possible
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
        case .nowhere:
            throw Problem(
                .invalidParameter, "The format \(planned.plan.muxer.name) makes no file that the server could keep. Give it when the writer is made, or choose another.",
                parameter: "format")
        case .file, .files:
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
            weight.destination -= output.recordBytes
            parts?.writer.forgetOutput(named: output.name)
        }
        lateOutputs.removeAll { $0.mayBeForgotten && isMeant($0) }
    }
}
