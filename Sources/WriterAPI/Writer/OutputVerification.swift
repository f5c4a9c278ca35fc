import APICore
import HTTPServer
import StreamWriter
import WriterModel

/// What is found when a finished output is read back: once, before the writer is `closed`.
struct OutputVerification {
    private let digest: String
    /// nil: of this format there is nothing to hold against what was written.
    private let content: VerifiedOutput?

    /// nil where there is no file that can be read back. Throws where it is not what was written.
    init?(
        of place: WriterOutput, option: [String: String], _ summary: WriterSummary, isCancelled: () -> Bool
    ) throws(Problem) {
        guard place.canBeRead else { return nil }
        let file = try place.openForReading()
        let ended = Problem(.wrongState, "The writer was ended while its output was read back.")
        guard let (digest, bytes) = FileDigest.sha256(of: file, isCancelled: isCancelled) else { throw ended }
        guard bytes == UInt64(summary.bytesWritten) else {
            throw Problem(
                .outputDamaged, "The finished output has \(bytes) bytes, and \(summary.bytesWritten) were written.")
        }
        self.digest = digest
        content = try asProblem { () throws(StreamWriterError) in
            try VerifiedOutput(
                of: file.descriptor, format: place.muxer.name, option: option, against: summary, isCancelled: isCancelled)
        }
    }

    var json: JSONValue {
        var object: JSONObject = ["sha256": .string(digest)]
        object["streams"] = content.map { .array($0.streams.map(Self.json)) }
        return .object(object)
    }

    private static func json(_ stream: VerifiedOutput.Stream?) -> JSONValue {
        guard let stream else { return .null }
        var object: JSONObject = ["packets": .integer(stream.packets)]
        object["duration"] = stream.duration.map { .number($0) }
        return .object(object)
    }

    /// Keys of the file that the container has not kept; nil where that is not known.
    func droppedKeys(of metadata: [String: String]) -> [String]? { content?.dropped(of: metadata) }

    /// What the container has not kept of what was said of a stream. `track`: of the output.
    func warnings(track: Int, _ config: StreamConfig, format: String) -> [Warning] {
        content?.warnings(track: track, config, format: format) ?? []
    }
}
