/// Bytes on their way to where they are kept.
///
/// One thread writes and finishes; `abort` may come from any other, at any time, and ends what that one waits for.
package protocol UploadSink: AnyObject, Sendable {
    /// Takes all of the bytes, copying them; waits while the receiver is slower than the source. An error is final: the
    /// receiver's status where it has answered before the end, and each further call throws it again.
    func write(_ bytes: UnsafeRawBufferPointer) throws(UploadError)

    /// Says that there are no more bytes and waits for the receiver's final status. Only a return without an error means
    /// that everything has arrived.
    func finish() throws(UploadError)

    /// Ends it at once. What the receiver has of it is taken back where it can be. Does nothing after `finish` has returned.
    func abort()
}
