import Bytewise
import HTTP1
import WriterModel

// What both programs say of a path or a writer that is not as the request has it.
extension Problem {
    public static func nothing(at target: RequestTarget) -> Problem {
        // `curl -T FILE URL` puts the file's name behind a URL that ends in a slash.
        let isUpload = target.segments.count == 3 && target.segments.starts(with: ["v1", "encode"])
        let near = isUpload ? [Route.encode.template] : NearPaths.of(target)
        let meant = near.isEmpty ? "" : " Did you mean \(near.joined(separator: " or "))\(isUpload ? ", without a slash behind it" : "")?"
        return Problem(
            .notFound, "There is nothing at \(target.rawPath.shortened()).\(meant) GET /openapi.yaml says what there is.",
            extras: [("paths", .array((near.isEmpty ? NearPaths.all : near).map { .string($0) }))])
    }

    public static func keyReused(by writer: WriterID) -> Problem {
        Problem(
            .idempotencyKeyReused,
            "The Idempotency-Key belongs to the request that made the writer \(writer), which had another body. Choose another key.",
            parameter: "Idempotency-Key", extras: [("writer", .string(writer.text))])
    }

    /// Its encoder is gone, or about to be, and how it ended is not settled yet.
    public static func justEnding(_ writer: WriterID) -> Problem {
        Problem(.overloaded, "The writer \(writer) is just ending. Try again for how it ended.")
    }

    public static func noWriter(_ id: String) -> Problem {
        Problem(
            .writerNotFound, "There is no writer \(id) that this request may ask for. GET /v1/writers lists those there are.",
            parameter: "id")
    }

    /// No writer has such an id; to make one of it is a mistake in the request.
    static func malformedID(makesWriter: Bool) -> Problem {
        Problem(
            makesWriter ? .invalidParameter : .writerNotFound,
            "A writer's id is 1 to \(WriterID.maxLength) of A-Z a-z 0-9 _ -.", parameter: "id")
    }

    public static func noStream(_ index: String, of writer: WriterID) -> Problem {
        Problem(
            .streamNotFound,
            "The writer \(writer) has no stream \(index). Streams are numbered from 0 in the order they were added.",
            parameter: "index")
    }
}
