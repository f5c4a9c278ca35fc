import APICore
import StreamWriter
import SystemIO
import WriterModel

// What is known of the writer, for clients and for the gateway.
extension WriterResource {
    /// The body of `GET`.
    var resource: JSONObject { snapshot.resource }

    /// As it is kept on disk.
    var record: WriterRecord { record(withFiles: true) }

    /// As the gateway is told. To find out which files there are takes a call for each.
    var snapshot: WriterRecord { record(withFiles: false) }

    private func record(withFiles: Bool) -> WriterRecord {
        state.withLock { state in
            let place = state.parts?.place
            var resource: JSONObject = [
                "id": .string(settings.writer.text),
                "state": .string(Self.state(of: state.phase).rawValue),
                "created_at": .string(settings.createdAt.description),
            ]
            resource["dst"] = place?.shownDestination.map { .string($0) }
            resource["format"] = .string(place?.muxer.name ?? "")
            resource["metadata"] = .map(state.metadata)
            resource["streams"] = .array(
                state.streams.enumerated().compactMap { index, stream in
                    state.parts.map { StreamRequest.json(stream.config, stream.chosen, $0.writer.progress(of: index)) }
                })
            let bytesWritten = state.parts?.writer.bytesWritten ?? 0
            noteLocked(bytesWritten: bytesWritten)
            resource["bytes_written"] = .integer(bytesWritten)
            if state.ending.isEmpty { resource["encoder_pid"] = .integer(Int64(ChildProcess.ownIdentifier)) }
            for (name, value) in state.ending { resource[name] = value }
            return WriterRecord(
                resource: resource, managedFile: place?.managedFile,
                outputFiles: withFiles ? (place?.outputFiles ?? []).map(settings.pathInOutputs) : [],
                mediaType: place?.muxer.mimeType ?? "application/octet-stream",
                creationFingerprint: state.parts?.request.fingerprint ?? "",
                idempotencyKey: settings.idempotencyKey)
        }
    }

    static func state(of phase: Phase) -> WriterState {
        switch phase {
        case .alive(let state), .ended(let state): state
        case .absent, .discarded: .configuring
        }
    }

    func wrongState(needs: String?) -> Problem { Self.wrongState(phase, needs: needs) }

    static func wrongState(_ phase: Phase, needs: String?) -> Problem {
        let state = state(of: phase).rawValue
        return Problem(
            .wrongState, "The writer is \(state)\(needs.map { "; \($0)" } ?? "").",
            extras: [("state", .string(state))])
    }

    func result(_ summary: WriterSummary, endedBy: String) -> JSONValue {
        let (place, streams) = state.withLock { ($0.parts?.place, $0.streams) }
        let warnings = streams.flatMap { stream in
            stream.chosen.warnings.map { warning in
                var object = StreamRequest.json(warning)
                object["stream"] = .integer(Int64(stream.chosen.index))
                return JSONValue.object(object)
            }
        }
        var result: JSONObject = [
            "bytes": .integer(place?.bytesOfFiles ?? summary.bytesWritten),
            "duration": .number(summary.duration),
            "ended_by": .string(endedBy),
            "warnings": .array(warnings),
        ]
        // The gateway serves what is one file, whoever has named it.
        if place?.hasOneFile == true || place?.files?.count == 1 { result["output"] = .string("/v1/writers/\(settings.writer)/output") }
        if let files = place?.files { result["files"] = .array(files.map { .string($0) }) }
        return .object(result)
    }
}
