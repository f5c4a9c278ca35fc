/// What a request sends. The client's thread reads, others may add to it.
protocol RequestBody: AnyObject, Sendable {
    /// Of all of it; nil while that is not known.
    var size: Int? { get }
    /// What has been read since the last `rewind`.
    var position: Int { get }
    var isAtEnd: Bool { get }

    /// Never waits.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> BodyRead
    /// Begins at its first byte again; false: that is no longer here.
    func rewind() -> Bool
}

enum BodyRead {
    case bytes(Int)
    case end
    /// None now: the client is told when there are more.
    case notYet
    case failed(UploadError)
}
