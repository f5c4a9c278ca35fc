import Bytewise
import StreamWriter
import WriterModel

/// Judges what a request says of an output that is uploaded, before anything is made of it.
enum UploadRules {
    /// The options of `open`, for a URL that is uploaded to.
    static func check(_ option: [String: String], muxer: String, _ plan: DestinationPlan) throws(Problem) {
        guard case .url(let url) = plan, let target = UploadTarget(url, option: option) else { return }
        var option = option
        try asProblem { () throws(StreamWriterError) in _ = try UploadOptions(taking: &option, muxer: muxer, target) }
    }

    /// An object that is begun anew would be one without its beginning.
    static func checkReconnecting(_ outputs: [OutputRequest]) throws(Problem) {
        for (index, output) in outputs.enumerated() where output.reconnect && output.dst.flatMap(ObjectPlace.init) != nil {
            throw Problem(
                .invalidParameter,
                "reconnect is for live destinations: an object in a store that was begun anew would lack its beginning. What passes is tried again by itself (--upload-retry-time).",
                parameter: "reconnect").located(at: "/outputs/\(index)")
        }
    }

    /// What the server is to keep beside the bytes.
    static func check(_ fields: UploadFields, muxer: MuxerInfo, _ plan: DestinationPlan) throws(Problem) {
        let given = fields.names
        guard let first = given.first else { return }
        guard case .url(let url) = plan, let target = UploadTarget(url, option: [:]) else {
            throw Problem(.invalidParameter, "\(first) is for an output that is uploaded: one whose dst is http://, https:// or s3://.", parameter: first)
        }
        if case .http = target, let name = given.first(where: { ["storage_class", "object_metadata"].contains($0) }) {
            throw Problem(
                .invalidParameter, "\(name) is for an object in a store (s3://STORE/KEY). What a server of HTTP is to be told goes into headers.",
                parameter: name)
        }
        if fields.contentType != nil && !muxer.needsFile {
            throw Problem(
                .invalidParameter, "content_type is of one file, and \(muxer.name) makes several; each has the type of its kind.", parameter: "content_type")
        }
        try asProblem { () throws(StreamWriterError) in _ = try fields.objectFields(type: nil) }
    }
}

extension UploadFields {
    /// As requests have them.
    static let members = ["content_type", "cache_control", "storage_class", "object_metadata"]

    /// Of those that are given.
    var names: [String] {
        var names: [String] = []
        if contentType != nil { names.append("content_type") }
        if cacheControl != nil { names.append("cache_control") }
        if storageClass != nil { names.append("storage_class") }
        if !objectMetadata.isEmpty { names.append("object_metadata") }
        return names
    }

    package init(_ fields: inout FieldReader) throws(Problem) {
        self.init()
        contentType = try fields.string("content_type")
        cacheControl = try fields.string("cache_control")
        storageClass = try fields.string("storage_class")
        objectMetadata = try fields.map("object_metadata") ?? [:]
    }
}
