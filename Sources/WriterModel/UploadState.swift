extension JSONObject {
    /// What of a stream's uploads a writer's resource says; so much JSON at most.
    public static let uploadBytes = 176

    /// In the resource of a writer that has ended: what was being received comes to no end.
    public mutating func breakOffUploads(at moment: Timestamp) {
        guard let streams = self["streams"]?.arrayValue else { return }
        self["streams"] = .array(
            streams.map { told in
                guard var stream = told.objectValue, stream["upload"] == .string(UploadState.receiving.rawValue) else { return told }
                stream["upload"] = .string(UploadState.interrupted.rawValue)
                stream["interruption"] = ["at": .string(moment.description), "offset": stream["offset"] ?? 0]
                return .object(stream)
            })
        if self["upload"] == .string(UploadState.receiving.rawValue) { self["upload"] = .string(UploadState.interrupted.rawValue) }
    }
}

/// What is known of the uploads of a stream, or of all of a writer.
public enum UploadState: String, Sendable {
    /// None is under way, and the last one came whole.
    case none
    case receiving
    /// The last one ended before its body did, and nothing has come since.
    case interrupted
}
