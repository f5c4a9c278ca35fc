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
        try checkBeforeBody(exchange.head)
        let interrupter = exchange.interrupter
        let target = try resource.claimStream(stream, superseding: parameters.offset != nil) { interrupter.interrupt() }
        let result: Result<Response, Problem>
        do throws(Problem) {
            try checkOffset(parameters.offset, target)
            result = .success(try take(exchange.body, parameters, target))
        } catch {
            result = .failure(error)
        }
        resource.releaseStream(stream)
        switch result {
        case .success(let response): exchange.reply(response)
        case .failure(let problem):
            if problem.endsWriter { resource.fail(problem) }
            throw problem
        }
    }

    /// A body that can't fit is refused before the client is told to send it.
    private func checkBeforeBody(_ head: RequestHead) throws(Problem) {
        if case .alive(.open) = resource.phase {
            let bytesPerFrame = try resource.bytesPerFrame(of: stream)
            if case .length(let length) = head.framing, length % UInt64(bytesPerFrame) != 0 {
                throw Problem(
                    .partialFrame,
                    "The body has \(length) bytes, which is no whole number of frames of \(bytesPerFrame) bytes. Nothing was read.",
                    extras: [
                        ("bytes_per_frame", .integer(Int64(bytesPerFrame))), ("frames", 0),
                        ("offset", .integer(try resource.offset(of: stream))),
                    ])
            }
        }
    }

    private func checkOffset(_ expected: Int64?, _ target: WriterResource.ChunkTarget) throws(Problem) {
        let offset = target.writer.progress(of: stream).offset
        guard let expected, expected != offset else { return }
        throw Problem(
            .offsetMismatch,
            "The stream has taken \(offset) bytes; the request would go on from \(expected). Send what follows \(offset).",
            extras: [("offset", .integer(offset)), ("expected_offset", .integer(offset)), ("provided_offset", .integer(expected))])
    }

    private func take(
        _ body: RequestBody, _ parameters: Parameters, _ target: WriterResource.ChunkTarget
    ) throws(Problem) -> Response {
        let chunk = try asProblem { () throws(StreamWriterError) in
            try target.writer.beginChunk(stream: stream, pts: parameters.pts)
        }
        var bodyFailure: RequestBody.Failure?
        do {
            // How much is to come, where it is known, tells the writer whether a thread of the
            // encoder's own is worth waking.
            let expected = body.bytesLeft.map { Int(clamping: $0) } ?? .max
            while try chunk.fill(upTo: max(1, expected), { try body.read(into: $0) }) > 0, !body.isFinished {}
        } catch let failure as RequestBody.Failure {
            bodyFailure = failure
        } catch let error as StreamWriterError {
            _ = try? chunk.finish()
            throw Problem(error)
        } catch {
            _ = try? chunk.finish()
            throw Problem(.internalError, "The chunk can't be taken: \(error).")
        }
        // Whatever ended the body, its whole frames are kept.
        let receipt = try asProblem { () throws(StreamWriterError) in try chunk.finish() }
        if let bodyFailure { throw Problem(bodyFailure).with(receipt) }
        if receipt.droppedBytes > 0 { throw Self.partialFrame(receipt, target.bytesPerFrame) }
        return .json(
            receipt.json, fields: [("Upload-Offset", String(receipt.offset))])
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
        var pts: Double?
        var offset: Int64?

        init(_ head: RequestHead) throws(Problem) {
            for item in head.target.query where item.name != "pts" {
                throw Problem(
                    .unknownParameter, "There is no query parameter \"\(item.name)\" here.", parameter: item.name,
                    supported: ["pts"])
            }
            if let text = head.target.query("pts") {
                guard let value = Double(text), value.isFinite, value >= 0 else {
                    throw Problem(
                        .invalidParameter, "pts is a number of seconds, 0 or more, and not \"\(text)\".", parameter: "pts")
                }
                pts = value
            }
            if let text = head.field("Upload-Offset") {
                guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text) else {
                    throw Problem(
                        .invalidHeader, "Upload-Offset is a number of bytes, and not \"\(text)\".",
                        parameter: "Upload-Offset")
                }
                offset = value
            }
            try Self.checkMediaType(head.field("Content-Type"))
        }

        /// Raw bytes by any of the names that clients give them when nobody tells them one.
        private static func checkMediaType(_ field: String?) throws(Problem) {
            guard let type = field?.prefix(while: { $0 != ";" && $0 != " " }).lowercased() else { return }
            let raw = ["application/octet-stream", "application/x-www-form-urlencoded", ""]
            if raw.contains(type) { return }
            throw Problem(
                .unsupportedMediaType, "A chunk is raw bytes, application/octet-stream, and not \(type).",
                supported: ["application/octet-stream"])
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
