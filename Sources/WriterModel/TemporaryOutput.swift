import Bytewise

/// The name of an output that is to replace a file, until its writer opens: beside the file, so that it can
/// take its place at once, with the writer's id, so that it can be found, and of the names that no client may
/// use.
public enum TemporaryOutput {
    /// `output`: which of the writer's outputs it is, from 0. No id holds a "+".
    public static func path(beside destination: RelativePath, for writer: WriterID, output: Int = 0) -> RelativePath {
        destination.parent + .reserved(output == 0 ? "\(writer.key).new" : "\(writer.key)+\(output).new")
    }
}
