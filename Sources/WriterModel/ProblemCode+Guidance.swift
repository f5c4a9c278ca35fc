import Bytewise

// What the documentation says of each code.
extension ProblemCode {
    public struct Guidance: Sendable {
        /// When a client is told of it.
        public let cause: String
        /// What to do about it.
        public let remedy: String

        fileprivate init(_ cause: String, _ remedy: String) {
            self.cause = cause
            self.remedy = remedy
        }
    }

    /// By which writers, and encodings in one request, fail.
    public static let ofFailures: [ProblemCode] = [
        .destinationFailed, .destinationTimeout, .destinationExists, .forbiddenDestination, .noSpace, .outputLimit, .outputReplaced, .outputDamaged,
        .encodingFailed, .memoryLimit, .encoderCrashed, .encoderStalled, .internalError, .idleTimeout, .limitExceeded, .serverStopped,
    ]

    /// Of every code, which a test holds it to.
    public static let guidance: [ProblemCode: Guidance] = ofRequests.merging(ofServer) { $1 }.merging(ofWriters) { $1 }.merging(ofMedia) { $1 }

    private static let ofRequests: [ProblemCode: Guidance] = [
        .malformedRequest: .init("The bytes are no HTTP/1.1 request.", "Correct the client; `detail` says what is wrong."),
        .malformedJSON: .init("The body is not JSON.", "Look at byte `position` of the body."),
        .invalidHeader: .init("A header field that the request needs has a value that can't be used.", "Correct the field that `parameter` names."),
        .uriTooLong: .init("The path with its query is longer than a request's head may be.", "Send what is long in the body, or raise `--max-head-bytes`."),
        .headTooLarge: .init("The request's head is longer than `--max-head-bytes`.", "Send fewer or shorter header fields."),
        .expectationFailed: .init("`Expect` asks for something else than `100-continue`.", "Leave the field out."),
        .versionNotSupported: .init("The request is neither HTTP/1.1 nor HTTP/1.0.", "Use HTTP/1.1, or a proxy that does."),
        .notImplemented: .init("The request uses a part of HTTP that the server does not have, such as a transfer coding.", "Send the body with Content-Length or chunked."),
        .requestTimeout: .init("The head or the body stopped coming for `--head-timeout` or `--body-timeout`.", "Send again; of a chunk, from the `offset` in the response on."),
        .bodyCut: .init("The connection ended before the body did.", "Ask for the offset (HEAD …/chunks) and go on from there."),
        .payloadTooLarge: .init("A JSON body is longer than `--max-json-bytes`.", "Send less at once, or raise the limit."),
        .unsupportedMediaType: .init("The body's Content-Type is none that is taken here, or it has a Content-Encoding.", "Send one of `supported`, and the body as it is."),
        .notFound: .init("There is nothing at the path, or the writer has no output there.", "Compare the path with `/openapi.yaml`."),
        .methodNotAllowed: .init("The path does not take the method.", "Use one of `supported`, as `Allow` has them."),
        .rangeNotSatisfiable: .init("The range begins behind the output's end.", "Ask for a range within `size` bytes."),
        .unknownParameter: .init("A member of the body or a parameter of the query is none that there is.", "Correct its name: `supported` has those that are taken."),
        .invalidParameter: .init("A value is of the wrong type or out of its range.", "Correct the value of `parameter`."),
        .limitExceeded: .init("The writer asks for more than the server's limits allow, or has lived for `--max-run-time`.", "Ask for less; `limit` is the bound. The operator may raise it."),
        .idempotencyKeyReused: .init("The Idempotency-Key was used with another body.", "Use a new key for another writer."),
    ]

    private static let ofServer: [ProblemCode: Guidance] = [
        .unauthorized: .init("The request has no token, or one that is not valid.", "Send `Authorization: Bearer TOKEN` with a token of the token file."),
        .insufficientScope: .init("The token is valid, and its scope does not allow this.", "Use a token with the scope that `detail` names."),
        .tooManyConnections: .init("The client's address or token has its share of the connections.", "Close some, or use connections for several requests."),
        .tooManyWriters: .init("The token's name has as many live writers as its line allows.", "Finalize or delete one, or wait."),
        .overloaded: .init("The server has no room for the request now: writers, connections, threads or processors.", "Try again after `Retry-After` seconds."),
        .draining: .init("`/readyz` only: the server is being drained.", "Send new work to another node; this one goes on with what it has."),
        .serverStopped: .init("The server is ending, or has ended before the writer was opened.", "Try again when it is back, or at another node."),
        .wrongNode: .init("The id belongs to another node.", "Send the request there, or let the proxy route by id."),
        .internalError: .init("The server failed.", "Report it, with the lines of the log that have the `request_id`."),
        .noSpace: .init("The disk of the output or the state directory is full.", "Free space; what the writer had written is kept."),
    ]

    private static let ofWriters: [ProblemCode: Guidance] = [
        .writerNotFound: .init("No writer has this id, or it belongs to another name.", "List the writers; a deleted or retired one is gone."),
        .streamNotFound: .init("The writer has no stream of this index.", "Indexes count from 0, in the order that streams were added."),
        .outputNotFound: .init("The path names an output that the writer has not.", "Take one of `supported`; `GET …/writers/{id}` lists them."),
        .writerExists: .init("The id is taken by a writer that another request created.", "Choose another id, or delete that writer first."),
        .nothingToRetry: .init("Nothing is kept of the output: it is there, or it was sent as it was made, or it never was finished.", "Send the data again with a new writer."),
        .outputExists: .init("The writer has an output of that name, or had one from its start or whose file is there.", "Choose another name, or remove that output first."),
        .wrongState: .init("The writer's `state` does not allow the request.", "Open a writer before chunks; one that has ended takes nothing more."),
        .chunkInProgress: .init("The stream is taking another chunk.", "Wait for its response, or take the stream over with Upload-Offset."),
        .chunkInterrupted: .init("Another request took the stream over, or the writer was ended, while the chunk came.", "Whole frames are kept: go on from `offset` if the writer is open."),
        .offsetMismatch: .init("Upload-Offset is not where the stream is.", "Go on from `expected-offset`."),
        .ptsTooEarly: .init("The chunk's pts lies before the stream's next time.", "Use `expected_pts` or a later time."),
        .partialFrame: .init("The body is not a whole number of frames.", "Send multiples of `bytes_per_frame`; go on from `offset`."),
        .idleTimeout: .init("The writer was never opened and had no request for `--idle-timeout`.", "Create it again; send something now and then."),
        .forbiddenDestination: .init("`dst` is a place that the operator does not allow.", "Use a path below the output directory, or have the URL allowed (`--allow-output`)."),
        .forbiddenOption: .init("The option or filter reaches files, devices or the network beside the destination.", "Leave it out."),
        .forbiddenCallback: .init("`callback_url` is a URL that the operator does not allow.", "Have it allowed (`--allow-callback`), or ask for the writer's state instead."),
        .destinationExists: .init("A file is at `dst` already.", "Choose another `dst`, or send `\"overwrite\": true`."),
        .destinationFailed: .init("The destination could not be opened or written: `detail` and `libav_error` say why.", "Look at the other end: address, key, whether it is there."),
        .destinationTimeout: .init("The destination did not respond within `--open-timeout`.", "Look at the address, port and firewall."),
        .outputReplaced: .init("Another program or writer has replaced or removed the output.", "Write to names that nothing else writes to."),
        .outputLimit: .init("The output is larger than `--max-output-bytes` or the token allows.", "Write less, or have the `limit` raised."),
        .outputDamaged: .init("The finished output, read back, is not what was written.", "Look at the disk; create the writer again."),
    ]

    private static let ofMedia: [ProblemCode: Guidance] = [
        .unknownEncoder: .init("libav has no encoder of this name here.", "Use one of `supported`, or of `/v1/audio-encoders` and `/v1/video-encoders`."),
        .unknownFormat: .init("libav has no muxer, or no sample or pixel format, of this name.", "Use one of `supported`, or of `/v1/muxers`."),
        .unsupportedValue: .init("The encoder or the muxer does not take this value.", "Use one of `supported`."),
        .unknownOption: .init("No encoder, muxer or protocol took the option.", "Look it up at `/v1/encoders/NAME` and `/v1/muxers/NAME`."),
        .invalidFilter: .init("The filter graph can't be built.", "Try the description with `ffmpeg -vf` or `-af`; `log` has libav's words."),
        .unsupportedHardware: .init("The hardware of `hw_accel` is not there, or not for this encoder.", "Leave `hw_accel` out, or give the server the device."),
        .invalidSamples: .init("The samples are none that the encoder or container can take, such as NaN.", "Correct the data at `frame` and `channel`."),
        .encodingFailed: .init("libav's encoder, filter or muxer failed.", "`libav_error` and `log` say why; other options or another encoder may do."),
        .memoryLimit: .init("The encoder's process has as much memory as `--max-encoder-memory` allows.", "Use smaller pictures, fewer threads or a lighter preset."),
        .encoderCrashed: .init("The writer's process died: `signal` or `exit_code` says how.", "Create the writer again; report a `signal` that comes again with the same input."),
        .encoderStalled: .init("A call of libav did not return (`--call-timeout`), or the process did not respond (`--encoder-timeout`).", "Use a faster setting; look whether the destination takes data."),
    ]
}

/// The problem codes, for docs and the command line.
public enum ProblemTable {
    /// The table of docs/reference/problems.md.
    public static var markdown: String {
        let rows = inOrder.map { code in
            let guidance = ProblemCode.guidance[code]
            return "| `\(code.rawValue)` | \(code.status) | \(code.title) | \(guidance?.cause ?? "") | \(guidance?.remedy ?? "") |\n"
        }
        return "| code | status | title | when | what to do |\n|---|---|---|---|---|\n" + rows.joined()
    }

    /// For a terminal: all of them, or one.
    public static func text(of code: ProblemCode? = nil) -> String {
        (code.map { [$0] } ?? inOrder).map { code in
            let guidance = ProblemCode.guidance[code]
            return "\(code.rawValue) (\(code.status)): \(code.title)\n    \(guidance?.cause ?? "")\n    \(guidance?.remedy ?? "")\n"
        }.joined()
    }

    /// By status and name.
    private static var inOrder: [ProblemCode] {
        ProblemCode.allCases.sorted { ($0.status, ByteKey($0.rawValue)) < ($1.status, ByteKey($1.rawValue)) }
    }
}
