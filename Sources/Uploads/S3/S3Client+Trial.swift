/// Whether an object may be written, found out before there are bytes of it.
extension S3Client {
    /// Begins an object and takes it back: throws what the store has against its bucket, its keys, or the fields. Needs no
    /// rights but those that writing it needs.
    package func tryOut(_ key: ObjectKey, _ fields: ObjectFields, retry: RetryRule) throws(UploadError) {
        let response = try http.send(create(key, fields, retry: retry))
        guard let id = S3Answer(response.body).element("UploadId") else { return }
        _ = try? http.send(abort(key, id, retry: retry))
    }
}
