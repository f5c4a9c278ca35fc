import StreamWriter
import WriterModel

/// What came of one output of a writer that is closed.
struct OutputEnd: Sendable {
    /// nil: it was not to be read back, or can't be.
    var verification: OutputVerification?
    let written: WriterOutput.Written
    /// Why it is not what was to be, found after its container had ended; of one that the writer goes on without.
    var failure: Problem?

    /// Its files, where the muxer has named them.
    var filesJSON: JSONValue? { written.muxersFiles.map { .array($0.map { .string($0) }) } }
}
