import Bytewise
import StreamWriter
import Uploads

// What is kept beside the bytes, as requests say it.
extension UploadFields {
    /// A store's headers; `type` is the file's own, where none was asked for.
    func objectFields(type: String?) throws(StreamWriterError) -> ObjectFields {
        do throws(UploadError) {
            return try ObjectFields(
                contentType: contentType ?? type, cacheControl: cacheControl,
                metadata: objectMetadata.sorted { ByteKey($0.key) < ByteKey($1.key) }.map { (name: $0.key, value: $0.value) }, storageClass: storageClass)
        } catch {
            // "metadata title" of that module is a member of the request's.
            let entry = error.doing.without(prefix: "metadata")
            let parameter = entry != nil ? "object_metadata" : error.doing.begins(with: "header") ? "content_type" : error.doing
            throw StreamWriterError(.invalidParameter, "\(parameter)\(entry ?? ""): \(error.reason)", parameter: parameter)
        }
    }

    /// The same for a server of HTTP, behind what the options say.
    func add(to options: inout UploadOptions, type: String?) throws(StreamWriterError) {
        if let contentType {
            try options.add("Content-Type", contentType, from: "content_type")
        } else if let type, !options.hasContentType {
            try options.add("Content-Type", type, from: "content_type")
        }
        if let cacheControl { try options.add("Cache-Control", cacheControl, from: "cache_control") }
    }
}
