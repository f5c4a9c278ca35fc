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
    package var record: WriterRecord { makeRecord(state.withLock { $0.parts?.place }?.look()) }

    /// As the gateway is told: without lists of files, which grow with the writer.
    package var snapshot: WriterRecord { makeRecord(nil) }

    /// `written`: what was found of the writer's files, which takes calls for each: before this takes the lock.
    func makeRecord(_ written: WriterOutput.Written?) -> WriterRecord {
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
            if let writer = state.parts?.writer, !state.outputs.isEmpty {
                resource["outputs"] = .array(state.outputs.map { .object($0.json(writer, state.redaction)) })
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
                outputFiles: (written?.outputFiles ?? []).map(settings.pathInOutputs),
                mediaType: type?.mediaType ?? "application/octet-stream",
                creationFingerprint: state.parts?.request.fingerprint ?? "",
                idempotencyKey: settings.idempotencyKey)
        }
    }

    func wrongState(needs: String?) -> Problem { phase.wrongState(needs: needs) }

    private func warnings(_ summary: WriterSummary, _ verification: OutputVerification?) -> [JSONValue] {
        let (metadata, streams, muxer) = state.withLock { ($0.metadata, $0.streams, $0.parts?.place.muxer) }
        let ofStreams = zip(streams, summary.streams).flatMap { added, encoded in
            let index = added.chosen.index
            let told = Set(added.chosen.warnings.map(\.parameter))
            let found = verification?.warnings(stream: index, added.config, format: muxer?.name ?? "") ?? []
            return (added.chosen.warnings + encoded.warnings + found.filter { !told.contains($0.parameter) }).map { warning in
                var object = StreamRequest.json(warning)
                object["stream"] = .integer(Int64(index))
                return JSONValue.object(object)
            }
        }
        return ofStreams + warnings(metadata, verification, muxer).map { .object(StreamRequest.json($0)) } + warningsOfOutputs
    }

    /// What of the file's metadata is not in it.
    private func warnings(_ metadata: [String: String], _ verification: OutputVerification?, _ muxer: MuxerInfo?) -> [Warning] {
        let given = metadata.filter { !$0.value.isEmpty }.keys.sorted()
        let dropped = verification?.droppedKeys(of: metadata) ?? (muxer?.storesMetadata == false ? given : [])
        let replaced = given.filter { $0.lowercasedASCII.isSame(as: "encoder") && !dropped.contains($0) }
        return dropped.map { Warning(.metadataDropped, parameter: "metadata.\($0)", "the container has no place for \($0)") }
            + replaced.map { Warning(.metadataDropped, parameter: "metadata.\($0)", "\($0) in the file is the name of the library that wrote it") }
    }

    func result(
        _ summary: WriterSummary, _ written: WriterOutput.Written, _ verification: OutputVerification?, endedBy: String
    ) -> JSONValue {
        var result: JSONObject = [
            "bytes": .integer(written.muxersBytes ?? summary.bytesWritten),
            "duration": .number(summary.duration),
            "ended_by": .string(endedBy),
            "warnings": .array(warnings(summary, verification)),
        ]
        result["verified"] = verification?.json
        // The gateway serves what is one file, whether Penstock or the muxer has named it.
        if written.isOneFile { result["output"] = .string("/v1/writers/\(settings.writer)/output") }
        if let files = written.muxersFiles { result["files"] = .array(files.map { .string($0) }) }
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
            var work = WorkDone(bytesWritten: writer.bytesWritten, tallies: state.uploadTallies)
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
