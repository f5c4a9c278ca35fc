import APICore
import HTTP1
import HTTPServer
import StreamWriter
import WriterModel

/// `POST …/chunks`: the body's bytes go straight into the stream's frames.
struct ChunkRoute {
    let resource: WriterResource
    let stream: Int

    func answer(_ exchange: Exchange) throws(Problem) {
        let parameters = try Parameters(exchange.head)
        if case .alive(.open) = resource.phase, parameters.kind == .raw {
            try ChunkBody.check(
                exchange.head.framing, bytesPerFrame: try resource.stream(stream).chosen.inputFrameBytes,
                extras: try [("offset", .integer(resource.offset(of: stream)))])
        }
        // As long as the client likes: a thread of the writer's few is not held for it.
        let result = try exchange.blocking { () throws(Problem) in try takeInTurn(exchange, parameters) }
        switch result {
        case .success(let response): exchange.reply(response)
        case .failure(let problem):
            if problem.endsWriter { resource.fail(problem) }
            throw problem
        }
    }

    private func takeInTurn(_ exchange: Exchange, _ parameters: Parameters) throws(Problem) -> Result<Response, Problem> {
        let interrupter = exchange.body.interrupter
        let target = try resource.claimStream(stream, from: parameters.offset) { interrupter.interrupt() }
        defer { resource.releaseStream(stream) }
        do throws(Problem) {
            return .success(try take(exchange.body, parameters, target))
        } catch {
            return .failure(error)
        }
    }

    private func take(
        _ body: RequestBody, _ parameters: Parameters, _ target: WriterResource.ChunkTarget
    ) throws(Problem) -> Response {
        let bytesPerFrame = target.stream.chosen.inputFrameBytes
        var source =
            switch parameters.kind {
            case .raw: ChunkBody(raw: body)
            case .array:
                try ChunkBody(
                    array: body, of: ArrayLayout(target.stream.config, frameBytes: bytesPerFrame),
                    frameBytes: bytesPerFrame)
            }
        let chunk = try asProblem { () throws(StreamWriterError) in
            try target.writer.beginChunk(stream: stream, pts: parameters.pts, duration: parameters.duration)
        }
        var bodyFailure: RequestBody.Failure?
        do {
            try source.fill(chunk)
        } catch let failure as RequestBody.Failure {
            bodyFailure = failure
        } catch let error as StreamWriterError {
            guard let receipt = try? finish(chunk) else { throw Problem(error) }
            throw Problem(error).with(receipt)
        } catch {
            _ = try? chunk.finish()
            throw Problem(.internalError, "The chunk can't be taken: \(error).")
        }
        // Whatever ended the body, its whole frames are kept.
        let receipt = try asProblem { () throws(StreamWriterError) in try finish(chunk) }
        if bodyFailure == .interrupted { throw resource.chunkInterrupted(stream).with(receipt) }
        if let bodyFailure { throw Problem(bodyFailure).with(receipt) }
        if receipt.droppedBytes > 0 { throw Self.partialFrame(receipt, bytesPerFrame) }
        if let problem = source.checkTaken(receipt, bytesPerFrame: bytesPerFrame) { throw problem.with(receipt) }
        return .json(receipt.json, fields: [("Upload-Offset", String(receipt.offset))])
    }

    /// Noted before it is told.
    private func finish(_ chunk: Chunk) throws(StreamWriterError) -> ChunkReceipt {
        let receipt = try chunk.finish()
        resource.note(bytesWritten: receipt.bytesWritten)
        return receipt
    }

    private static func partialFrame(_ receipt: ChunkReceipt, _ bytesPerFrame: Int) -> Problem {
        Problem(
            .partialFrame,
            "The body ended \(receipt.droppedBytes) bytes into a frame of \(bytesPerFrame). "
                + "Its \(receipt.frames) whole frames are kept; send what follows byte \(receipt.offset).",
            extras: [("bytes_per_frame", .integer(Int64(bytesPerFrame)))]
        ).with(receipt)
    }

    /// What the request says beside its body.
    private struct Parameters {
        let pts: Double?
        let duration: Double?
        var offset: Int64?
        let kind: ChunkBody.Kind

        init(_ head: RequestHead) throws(Problem) {
            pts = try Self.seconds("pts", of: head)
            duration = try Self.seconds("duration", of: head)
            if let text = head.field("Upload-Offset") {
                guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text) else {
                    throw Problem(
                        .invalidHeader, "Upload-Offset is a number of bytes, and not \"\(text)\".",
                        parameter: "Upload-Offset")
                }
                offset = value
            }
            kind = try ChunkBody.kind(head)
        }

        private static func seconds(_ name: String, of head: RequestHead) throws(Problem) -> Double? {
            guard let text = head.target.query(name) else { return nil }
            // Not all that Double takes: "0x1", "nan".
            let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }
            guard isDecimal, let value = Double(text), value.isFinite, value >= 0 else {
                throw Problem(
                    .invalidParameter, "\(name) is a number of seconds, 0 or more, and not \"\(text)\".", parameter: name)
            }
            return value
        }
    }
}

extension ChunkReceipt {
    fileprivate var members: [(String, JSONValue)] {
        [
            ("frames", .integer(frames)),
            ("offset", .integer(offset)),
            ("pts", ["start": .number(startPTS), "end": .number(endPTS)]),
            ("frames_encoded", .integer(framesEncoded)),
            ("bytes_written", .integer(bytesWritten)),
        ]
    }

    fileprivate var json: JSONValue { .object(JSONObject(members)) }
}

extension Problem {
    /// A chunk that ended badly still says what was kept of it.
    fileprivate func with(_ receipt: ChunkReceipt) -> Problem {
        var problem = self
        problem.extras += receipt.members.map { JSONObject.Member($0.0, $0.1) }
        return problem
    }
}
