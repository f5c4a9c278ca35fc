import Bytewise
import HTTP1
import HTTPServer
import StreamWriter
import WriterModel

/// One body on its way into a stream, be it raw bytes or a NumPy array: the one way in, for the chunks of a writer
/// and for an encoding in one request.
package struct ChunkUpload {
    private let kind: ChunkBody.Kind
    /// The body is raw whatever it begins with.
    private let isRaw: Bool

    /// What ended it, and what was kept of it: whole frames, unless the receipt is missing.
    package struct Failure: Error {
        package enum Cause {
            case problem(Problem)
            case body(RequestBody.Failure)
            case partialFrame
            /// An array that is shorter, in bytes, than its head says.
            case shortArray(promised: Int, came: Int)
        }

        package let cause: Cause
        package var receipt: ChunkReceipt?
    }

    package init(_ head: RequestHead) throws(Problem) {
        try head.requireNoContentCoding()
        kind = try ChunkBody.kind(head)
        isRaw = try head.target.query("raw").map(Self.truth) ?? false
    }

    private static func truth(_ text: String) throws(Problem) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default:
            throw Problem(
                .invalidParameter, "raw is true or false, and not \"\(text.shortened())\".", parameter: "raw", supported: ["true", "false"])
        }
    }

    /// A raw body whose length can't fit is refused before the client is told to send it. Where it is a stream's first
    /// and is there already, a file is called one.
    package func check(
        _ source: any ChunkSource, _ config: @autoclosure () -> StreamConfig, bytesPerFrame: Int, isFirst: Bool, extras: @autoclosure () throws(Problem) -> [(String, JSONValue)] = []
    ) throws(Problem) {
        guard kind == .raw, case .length(let length) = source.framing, length % UInt64(bytesPerFrame) != 0 else { return }
        if isFirst && !isRaw { try ChunkBody.refuseFile(source, of: config()) }
        throw Problem(
            .partialFrame,
            "The body has \(length) bytes, which is no whole number of frames of \(bytesPerFrame) bytes. Nothing was read. The head of a file (WAVE, PNG, …) is no part of a raw body.",
            extras: [("bytes_per_frame", .integer(Int64(bytesPerFrame))), ("frames", 0)] + (try extras()))
    }

    /// Takes the whole body into a stream of the writer's.
    package func take(
        _ source: any ChunkSource, into writer: StreamWriter, stream: Int, _ config: @autoclosure () -> StreamConfig, pts: Double? = nil,
        duration: Double? = nil, keyFrame: Bool = false
    ) throws(Failure) -> ChunkReceipt {
        let body: ChunkBody
        do throws(Problem) {
            body = try open(source, for: writer, stream: stream, config())
        } catch {
            throw Failure(cause: .problem(error))
        }
        return try take(body, into: writer, stream: stream, pts: pts, duration: duration, keyFrame: keyFrame)
    }

    /// Takes what is left of a body that has been looked at.
    func take(
        _ opened: ChunkBody, into writer: StreamWriter, stream: Int, pts: Double? = nil, duration: Double? = nil, keyFrame: Bool = false
    ) throws(Failure) -> ChunkReceipt {
        let bytesPerFrame = writer.description(of: stream).inputFrameBytes
        var body = opened
        let chunk: Chunk
        do throws(Problem) {
            chunk = try asProblem { () throws(StreamWriterError) in 
                try writer.beginChunk(stream: stream, pts: pts, duration: duration, keyFrame: keyFrame)
            }
        } catch {
            throw Failure(cause: .problem(error))
        }
        let cause = Self.fill(chunk, from: &body)
        let receipt: ChunkReceipt
        do throws(StreamWriterError) {
            // Whatever ended the body, its whole frames are kept.
            receipt = try chunk.finish()
        } catch {
            if case .problem? = cause { throw Failure(cause: cause!) }
            throw Failure(cause: .problem(Problem(error)))
        }
        if let cause { throw Failure(cause: cause, receipt: receipt) }
        if receipt.droppedBytes > 0 { throw Failure(cause: .partialFrame, receipt: receipt) }
        let came = Int(receipt.frames) * bytesPerFrame
        if let promised = body.promised, promised != came {
            throw Failure(cause: .shortArray(promised: promised, came: came), receipt: receipt)
        }
        return receipt
    }

    /// Reads the head of the body, if it has one, and as much of a raw one that is the first of its stream as tells it from
    /// a file. From here on it is read in its stream's time.
    func open(_ source: any ChunkSource, for writer: StreamWriter, stream: Int, _ config: @autoclosure () -> StreamConfig) throws(Problem) -> ChunkBody {
        let description = writer.description(of: stream)
        source.pace(
            bytesPerSecond: description.inputRate.doubleValue * Double(description.inputFrameBytes), latency: .seconds(description.readLatency / 1_000))
        do throws(Problem) {
            return switch kind {
            case .raw where isRaw || writer.progress(of: stream).offset > 0: ChunkBody(raw: source)
            case .raw: try ChunkBody(firstRaw: source, of: config())
            case .array: try ChunkBody(array: source, of: config(), frameBytes: description.inputFrameBytes)
            }
        } catch {
            source.endPace()
            throw error
        }
    }

    /// What ended the body before its end.
    private static func fill(_ chunk: Chunk, from body: inout ChunkBody) -> Failure.Cause? {
        do {
            try body.fill(chunk)
            return nil
        } catch let failure as RequestBody.Failure {
            return .body(failure)
        } catch let error as StreamWriterError {
            return .problem(Problem(error))
        } catch {
            return .problem(Problem(.internalError, "The chunk can't be taken: \(error)."))
        }
    }
}
