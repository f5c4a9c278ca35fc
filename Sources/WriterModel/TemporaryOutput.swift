/// The name of an output that is to replace a file, until its writer opens: beside the file,
/// so that it can take its place at once, and with the writer's id, so that it can be found.
public enum TemporaryOutput {
    public static func path(beside destination: String, for writer: WriterID) -> String {
        let parent = destination.split(separator: "/").dropLast().joined(separator: "/")
        return (parent.isEmpty ? "" : parent + "/") + ".\(writer).new"
    }
}
