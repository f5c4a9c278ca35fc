import Bytewise
import Stores

// Where its objects are.
extension Store {
    /// The key of what a client calls so.
    package func key(_ text: String) throws(UploadError) -> ObjectKey { try ObjectKey(text, prefix: prefix) }

    /// Of an object, or of the bucket, encoded.
    package func path(_ key: ObjectKey?) -> String {
        let base = endpoint.path.without(suffix: "/") ?? endpoint.path
        let bucketPath = base + (pathStyle ? "/" + bucket : "")
        return bucketPath + "/" + (key?.text.percentEncoded(keepingSlash: true) ?? "")
    }
}
