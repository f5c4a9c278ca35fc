import Libav

/// Brings an output's packets to its carrier: at once, or by a queue.
protocol PacketQueueing: Sendable {
    /// Takes a packet with its times in its encoder's time base.
    func submit(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError)
    func sendGathered() throws(StreamWriterError)
    /// Brings what was submitted, and what is held for interleaving, to the destination.
    func flush() throws(StreamWriterError)
    /// No packet follows: the container is to be ended. `finish` waits for that.
    func beginFinish()
    /// Ends the container, everything before it written.
    func finish() throws(StreamWriterError) -> FinishedContainer
    /// Has every call under way come back, and all that follow. Any thread.
    func interrupt()
    /// Frees the carrier, once no thread is using it.
    func shutDown()
    var progress: OutputProgress { get }
    var heldBytes: Int { get }
    var forcedUpTo: Double? { get }
}
