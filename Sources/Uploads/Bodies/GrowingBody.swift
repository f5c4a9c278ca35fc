/// A body that is written while it is sent.
protocol GrowingBody: RequestBody {
    /// Whether each byte is kept to the end, so that it can be sent again at any time.
    var keepsAll: Bool { get }

    /// Takes all of the bytes; waits while there is no room. Throws what `fail` was told. Calls what `onMore` says when
    /// a reader had found nothing before.
    func append(_ bytes: UnsafeRawBufferPointer) throws(UploadError)
    func end()
    /// Ends waits for room, now and from now on.
    func fail(_ error: UploadError)
    /// Waits until a reader has asked for bytes, or it has failed.
    func awaitReader()
    /// Once, before anything is read.
    func onMore(_ call: @escaping @Sendable () -> Void)
}
