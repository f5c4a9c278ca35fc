/// The bytes of one file or URL on their way to where no protocol of libav's writes. One thread writes and finishes;
/// `abort` may come from any.
package protocol ByteSink: AnyObject, Sendable {
    /// Takes all of the bytes, copying them; waits where it has no room. An error is final.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SinkFailure)
    /// Says that there are no more, and waits until it is known what became of them. Only a return without an error means
    /// that all of them have arrived.
    func finish() throws(SinkFailure)
    /// Ends it at once. What has arrived is taken back where it can be.
    func abort()
}

/// Why bytes have not arrived.
package struct SinkFailure: Error, Sendable, Equatable {
    /// The rules of this server's operator forbid it, rather than that it went wrong.
    package let isForbidden: Bool
    /// A sentence without its full stop.
    package let reason: String

    /// It is more than one file may have.
    package private(set) var isTooLarge = false

    package init(_ reason: String, isForbidden: Bool = false) { (self.reason, self.isForbidden) = (reason, isForbidden) }

    package static func tooLarge(_ reason: String) -> SinkFailure {
        var failure = SinkFailure(reason)
        failure.isTooLarge = true
        return failure
    }
}
