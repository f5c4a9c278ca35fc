import APICore
import Bytewise
import HTTP1
import HTTPServer
import StreamWriter
import WriterModel

/// `POST …/chunks`: the body's bytes go straight into the stream's frames.
package struct ChunkRoute {
    let resource: WriterResource
    let stream: Int

    func respond(to exchange: Exchange) throws(Problem) {
        let parameters = try Parameters(exchange.head)
        let upload = try ChunkUpload(exchange.head)
        if let (target, offset) = try resource.openStream(stream) {
            try upload.check(
                exchange.body, target.config, bytesPerFrame: target.chosen.inputFrameBytes, isFirst: offset == 0, extras: [("offset", .integer(offset))])
        }
        // As long as the client likes: a thread of the writer's few is not held for it.
        let result = try exchange.blocking { () throws(Problem) in try takeInTurn(upload, exchange.body, parameters) }
        switch result {
        case .success(let receipt):
            exchange.respond(with: .json(receipt.json, fields: [("Upload-Offset", String(receipt.offset))]))
        case .failure(let problem):
            if problem.endsWriter { resource.fail(problem) }
            throw problem
        }
    }

    private func takeInTurn(
        _ upload: ChunkUpload, _ body: RequestBody, _ parameters: Parameters
    ) throws(Problem) -> Result<ChunkReceipt, Problem> {
        let interrupter = body.interrupter
        let target = try resource.claimStream(stream, from: parameters.offset, pts: parameters.pts) { interrupter.interrupt() }
        var brokenBy: UploadBreak?
        defer { resource.releaseStream(stream, brokenBy: brokenBy) }
        do throws(ChunkUpload.Failure) {
            let receipt = try upload.take(
                body, into: target.writer, stream: stream, target.stream.config, pts: parameters.pts,
                duration: parameters.duration, keyFrame: parameters.keyFrame)
            note(receipt)
            return .success(receipt)
        } catch {
            brokenBy = error.uploadBreak
            guard let receipt = error.receipt else { return .failure(problem(error, target)) }
            note(receipt)
            return .failure(problem(error, target).with(receipt))
        }
    }

    /// Before it is told.
    private func note(_ receipt: ChunkReceipt) { resource.note(bytesWritten: receipt.bytesWritten) }

    private func problem(_ failure: ChunkUpload.Failure, _ target: WriterResource.ChunkTarget) -> Problem {
        switch failure.cause {
        case .problem(let problem): problem.code == .wrongState && resource.isBeingDeleted ? resource.chunkInterrupted(stream) : problem
        case .body(.interrupted): resource.chunkInterrupted(stream)
        case .body(let failure): Problem(failure)
        case .partialFrame: Self.partialFrame(failure.receipt, target.stream.chosen.inputFrameBytes)
        case .shortArray(let promised, let came):
            Problem(.partialFrame, "The array's head promises \(promised) bytes of data and \(came) came. They are kept.")
        }
    }

    private static func partialFrame(_ receipt: ChunkReceipt?, _ bytesPerFrame: Int) -> Problem {
        Problem(
            .partialFrame,
            "The body ended \(receipt?.droppedBytes ?? 0) bytes into a frame of \(bytesPerFrame). "
                + "Its \(receipt?.frames ?? 0) whole frames are kept; send what follows byte \(receipt?.offset ?? 0).",
            extras: [("bytes_per_frame", .integer(Int64(bytesPerFrame)))])
    }

    /// What the request says beside its body.
    package struct Parameters {
        package let pts: Double?
        package let duration: Double?
        package private(set) var keyFrame = false
        package private(set) var offset: Int64?

        package init(_ head: RequestHead) throws(Problem) {
            pts = try Self.seconds("pts", of: head, "0 or more")
            // Of a picture, which none lasts no time.
            duration = try Self.seconds("duration", of: head, "more than 0")
            if let text = head.target.query("keyframe") {
                guard text.isSame(as: "true") || text.isSame(as: "false") else {
                    throw Problem(
                        .invalidParameter, "keyframe is true or false, and not \"\(text.shortened())\".", parameter: "keyframe",
                        supported: ["true", "false"])
                }
                keyFrame = text.isSame(as: "true")
            }
            if let text = head.field("Upload-Offset") {
                guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text) else {
                    throw Problem(
                        .invalidHeader, "Upload-Offset is a number of bytes, and not \"\(text.shortened())\".",
                        parameter: "Upload-Offset")
                }
                offset = value
            }
        }

        private static func seconds(_ name: String, of head: RequestHead, _ bound: String) throws(Problem) -> Double? {
            guard let text = head.target.query(name) else { return nil }
            // Not all that Double takes: "0x1", "nan".
            let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }
            guard isDecimal, let value = Double(text), value.isFinite, value >= 0 else {
                throw Problem(
                    .invalidParameter, "\(name) is a number of seconds, \(bound), and not \"\(text.shortened())\".", parameter: name)
            }
            return value
        }
    }
}

extension ChunkUpload.Failure {
    /// nil: its client is there and knows.
    fileprivate var uploadBreak: UploadBreak? {
        switch cause {
        case .body(.cut), .body(.malformed): .cut
        case .body(.timedOut): .timedOut
        case .body(.interrupted), .problem, .partialFrame, .shortArray: nil
        }
    }
}

extension ChunkReceipt {
    fileprivate var members: [(String, JSONValue)] {
        let members: [(String, JSONValue)] = [
            ("frames", .integer(frames)),
            ("offset", .integer(offset)),
            ("pts", ["start": .number(startPTS), "end": .number(endPTS)]),
            ("frames_encoded", .integer(framesEncoded)),
            ("bytes_written", .integer(bytesWritten)),
        ]
        return dropsLate ? members + [("frames_dropped_late", .integer(framesDroppedLate))] : members
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
