/// Bytes to and from another process, in order. Sending and receiving may be done at the same time, by one thread each.
public protocol ByteLine: Sendable {
    /// Sends all of the pieces, in order, waiting while the other side takes none. False: it takes no more, or the line
    /// was ended.
    func send(_ pieces: [UnsafeRawBufferPointer]) -> Bool
    /// Waits for what comes next and puts it into the regions, in order; how many bytes. 0: no more comes, or the line
    /// was ended.
    func receive(into regions: [UnsafeMutableRawBufferPointer]) -> Int
    /// Has the calls under way come back, and all that follow; the other side sees the end. Any thread.
    func end()
}
