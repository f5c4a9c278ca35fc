import APICore
import Bytewise
import StreamWriter
import SystemIO
import WriterModel

// What is known of the writer, for clients and for the gateway.
extension WriterResource {
    /// The body of `GET`.
    package var resource: JSONObject { snapshot.resource }

    /// As it is kept on disk.
    package var record: WriterRecord { makeRecord((state.withLock { $0.parts?.places } ?? []).map { $0.look() }) }

    /// As the gateway is told: without lists of files, which grow with the writer.
    package var snapshot: WriterRecord { makeRecord([]) }

    /// `written`: what was found of each output's files, which takes calls for each: before this takes the lock.
    func makeRecord(_ written: [WriterOutput.Written]) -> WriterRecord {
        state.withLock { state in
            let place = state.parts?.place
            var resource: JSONObject = [
                "id": .string(settings.writer.text),
                "state": .string(state.lifecycle.phase.state.rawValue),
                "created_at": .string(settings.createdAt.description),
            ]
            resource["last_request_at"] = state.lastRequest?.json
            resource["upload"] = .string(state.upload.rawValue)
            resource["dst"] = place?.shownDestination.map { .string($0) }
            resource["callback_url"] = state.parts?.request.callbackURL.map { .string(URLText.redacted(destination: $0)) }
            resource["format"] = .string(place?.muxer.name ?? "")
            resource["metadata"] = .map(state.metadata)
            resource["streams"] = .array(
                state.streams.enumerated().compactMap { index, stream in
                    state.parts.map { parts in
                        let shown = StreamRequest.json(stream.config, stream.chosen, parts.writer.progress(of: index))
                        guard var object = shown.objectValue else { return shown }
                        (state.activity[index] ?? StreamActivity()).add(to: &object)
                        return .object(object)
                    }
                })
            if let parts = state.parts, !parts.request.outputs.isEmpty || !state.lateOutputs.isEmpty {
                resource["outputs"] = .array(shownOutputs(parts, state))
            }
            let bytesWritten = state.parts?.writer.bytesWritten ?? 0
            noteLocked(bytesWritten: bytesWritten)
            resource["bytes_written"] = .integer(bytesWritten)
            if state.ending.isEmpty { resource["encoder_pid"] = .integer(Int64(ChildProcess.ownIdentifier)) }
            for (name, value) in state.ending { resource[name] = value }
            if !state.ending.isEmpty { resource.breakOffUploads(at: .now()) }
            let type = place?.fileType(of: state.streams.map(\.config))
            return WriterRecord(
                resource: resource, managedFile: place?.managedFile, fileExtension: type?.fileExtension,
                outputFiles: written.flatMap(\.outputFiles).map(settings.pathInOutputs),
                mediaType: type?.mediaType ?? "application/octet-stream",
                outputs: recordedOutputs(state, written),
                creationFingerprint: state.parts?.request.fingerprint ?? "",
                idempotencyKey: settings.idempotencyKey)
        }
    }

    /// Those that came late are behind the others in the writer, too.
    func shownOutputs(_ parts: Parts, _ state: State) -> [JSONValue] {
        let first = zip(parts.places, parts.writer.outputProgress).enumerated().map { index, output in
            let (place, progress) = output
            var object = (place.planned.request ?? OutputRequest(firstOf: parts.request)).json(progress, muxer: place.muxer.name, state.redaction)
            if state.outputEnds.indices.contains(index) { add(state.outputEnds[index], of: place, to: &object, state.redaction) }
            return JSONValue.object(object)
        }
        return first + state.lateOutputs.map { .object(shown($0, parts.writer, state.redaction)) }
    }

    func shown(_ late: OutputEntry, _ writer: StreamWriter, _ redaction: Redaction) -> JSONObject {
        var object = late.json(writer, redaction)
        if let file = late.file, let end = file.end { add(end, of: file.place, to: &object, redaction) }
        return object
    }

    private func add(_ end: OutputEnd, of place: WriterOutput, to object: inout JSONObject, _ redaction: Redaction) {
        if let failure = end.failure {
            object["state"] = .string(OutputProgress.State.failed.rawValue)
            object["error"] = OutputRequest.json(failure, redaction)
        }
        object["bytes"] = end.written.muxersBytes.map { .integer($0) } ?? object["bytes_written"]
        object["files"] = end.filesJSON
        if end.written.isOneFile { object["output"] = .string("/v1/writers/\(settings.writer)/outputs/\(place.name)") }
        object["verified"] = end.verification?.json
    }

    /// Of a writer that was made with `outputs`, or got files later; of others the record says as much by itself.
    private func recordedOutputs(_ state: State, _ written: [WriterOutput.Written]) -> [RecordedOutput] {
        let late = state.lateOutputs.compactMap(\.file?.place)
        guard let parts = state.parts, !parts.request.outputs.isEmpty || !late.isEmpty else { return [] }
        return (parts.places + late).enumerated().map { index, place in
            let type = place.fileType(of: state.streams.map(\.config))
            let file = place.ownFile ?? (written.indices.contains(index) ? written[index].onlyFile : nil)
            return RecordedOutput(
                name: place.name, managedFile: place.managedFile, file: file.map(settings.pathInOutputs),
                fileExtension: type.fileExtension, mediaType: type.mediaType ?? "application/octet-stream")
        }
    }

    func wrongState(needs: String?) -> Problem { phase.wrongState(needs: needs) }

    private func warnings(_ summary: WriterSummary, _ ends: [OutputEnd]) -> [JSONValue] {
        let (streams, parts) = state.withLock { ($0.streams, $0.parts) }
        guard let parts else { return [] }
        var warnings = zip(streams, summary.streams).flatMap { Self.warnings($0, $1) }
        for (index, (place, end)) in zip(parts.places, ends).enumerated() {
            let name = parts.places.count > 1 ? place.name : nil
            for (track, written) in (summary.outputs[index]?.tracks ?? []).enumerated() {
                let added = streams[written.stream]
                let told = Set(added.chosen.renditions.flatMap(\.warnings).map(\.parameter))
                let config = added.config.encodings.first { $0.name == written.rendition }?.config ?? added.config
                let found = end.verification?.warnings(track: track, config, format: place.muxer.name) ?? []
                for warning in found where !told.contains(warning.parameter) {
                    warnings.append(Self.json(warning, stream: written.stream, rendition: written.rendition, output: name))
                }
            }
            for warning in metadataWarnings(of: place, end) { warnings.append(Self.json(warning, output: name)) }
        }
        return warnings + warningsOfOutputs(ends)
    }

    /// Of what was chosen and came about.
    private static func warnings(_ added: AddedStream, _ encoded: WriterSummary.Stream) -> [JSONValue] {
        let index = added.chosen.index
        let ofRenditions = zip(added.chosen.renditions, encoded.renditions).flatMap { chosen, rendition in
            (chosen.warnings + (encoded.renditions.count > 1 ? rendition.warnings : [])).map { json($0, stream: index, rendition: chosen.name) }
        }
        return ofRenditions + encoded.warnings.map { json($0, stream: index) }
    }

    private static func json(_ warning: Warning, stream: Int? = nil, rendition: String? = nil, output: String? = nil) -> JSONValue {
        var object = StreamRequest.json(warning)
        object["stream"] = stream.map { .integer(Int64($0)) }
        object["rendition"] = rendition.map { .string($0) }
        object["output"] = output.map { .string($0) }
        return .object(object)
    }

    /// What did not reach them.
    private func warningsOfOutputs(_ ends: [OutputEnd]) -> [JSONValue] {
        let (parts, late, redaction) = state.withLock { ($0.parts, $0.lateOutputs, $0.redaction) }
        guard let parts else { return [] }
        let first = zip(parts.places, zip(parts.writer.outputProgress, ends)).flatMap { place, found -> [JSONValue] in
            let (progress, end) = found
            guard let request = place.planned.request else { return [] }
            let failures = end.failure.map { [request.failed(because: $0, redaction)] } ?? []
            return (request.warnings(progress, redaction) + failures).map { Self.json($0, output: request.name) }
        }
        return first + late.flatMap { output in output.allWarnings(parts.writer, redaction).map { Self.json($0, output: output.name) } }
    }

    /// What of the file's metadata is not in it.
    private func metadataWarnings(of place: WriterOutput, _ end: OutputEnd) -> [Warning] {
        let metadata = place.planned.request?.metadata ?? state.withLock { $0.metadata }
        let given = metadata.filter { !$0.value.isEmpty }.keys.sorted()
        let dropped = end.verification?.droppedKeys(of: metadata) ?? (place.muxer.storesMetadata == false ? given : [])
        let replaced = given.filter { $0.lowercasedASCII.isSame(as: "encoder") && !dropped.contains($0) }
        return dropped.map { Warning(.metadataDropped, parameter: "metadata.\($0)", "the container has no place for \($0)") }
            + replaced.map { Warning(.metadataDropped, parameter: "metadata.\($0)", "\($0) in the file is the name of the library that wrote it") }
    }

    /// `ends`: of all outputs; the first is the one that the writer is known by.
    func result(_ summary: WriterSummary, _ ends: [OutputEnd], endedBy: String) -> JSONValue {
        let first = ends[0]
        var result: JSONObject = [
            "bytes": .integer(first.written.muxersBytes ?? summary.bytesWritten),
            "duration": .number(summary.duration),
            "ended_by": .string(endedBy),
            "warnings": .array(warnings(summary, ends)),
        ]
        result["verified"] = first.verification?.json
        // The gateway serves what is one file, whether Penstock or the muxer has named it.
        if first.written.isOneFile { result["output"] = .string("/v1/writers/\(settings.writer)/output") }
        result["files"] = first.filesJSON
        return .object(result)
    }

    /// The problem with the destination that failed, and without what is secret in it.
    package func redacted(_ problem: Problem) -> Problem {
        let (redaction, destination) = state.withLock { ($0.redaction, $0.shownDestination) }
        var problem = redaction.apply(to: problem.naming(outputLimitOf: settings.limits))
        if problem.code == .destinationExists, !problem.detail.holds("strftime"), state.withLock({ OutputNumberJudge.namesByTime($0.openOption) }) {
            problem.detail += " Two files may get one name by strftime: give them a number as well (hls: \"hls_flags\": \"second_level_segment_index\", and %%d in the name)."
        }
        if problem.code == .destinationFailed, let destination, !problem.detail.contains(destination), !problem.detail.begins(with: "output ") {
            problem.detail = "\(destination): \(problem.detail)"
        }
        return problem
    }

    var workDone: WorkDone {
        state.withLock { state in
            guard let writer = state.parts?.writer else { return WorkDone() }
            var work = WorkDone(bytesWritten: writer.outputProgress.reduce(0) { $0 + $1.bytesWritten }, tallies: state.uploadTallies)
            for (index, stream) in state.streams.enumerated() {
                work.add(writer.progress(of: index), of: stream.chosen.kind, chunksLate: state.activity[index]?.late ?? 0)
            }
            return work
        }
    }

    /// Before a client is told of so many bytes.
    func note(bytesWritten: Int64) { state.withLock { _ in noteLocked(bytesWritten: bytesWritten) } }

    /// With the state's lock.
    func noteLocked(bytesWritten: Int64) {
        if bytesWritten > progress.bytesWritten { progress.bytesWritten = bytesWritten }
    }
}
