import Libav

/// Brings packets into one container at one destination: in this process or in another. One call at a time, but for
/// what says otherwise.
package protocol Carrier: AnyObject, Sendable {
    /// Opens the destination and writes the container's head. Once.
    func open(_ opening: ContainerOpening) throws(StreamWriterError) -> OpenedContainer
    /// Takes a packet, its times in its encoder's time base. With `moreFollows` small writes may wait for the next one,
    /// or for `sendGathered`.
    func write(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError)
    /// Sends what small writes have gathered.
    func sendGathered() throws(StreamWriterError)
    /// Writes the packets that are held for interleaving, and what is buffered. Where packets must be in order they
    /// are held further.
    func flush() throws(StreamWriterError)
    /// Ends the container and closes the destination.
    func finish() throws(StreamWriterError) -> FinishedContainer
    /// Has the call under way give up, and all that follow. Any thread.
    func interrupt()
    /// Has `handler` called, on any thread, once it has failed by itself, with what every call throws from then on; at once
    /// where it has.
    func whenBroken(_ handler: @escaping @Sendable (StreamWriterError) -> Void)
    /// The size of the output so far. Any thread.
    var bytesWritten: Int64 { get }
    /// Of packets that wait for those of other streams. Any thread.
    var heldBytes: Int { get }
    /// Up to where packets are written whatever other streams have, where the container takes them only in order;
    /// seconds. Any thread.
    var forcedUpTo: Double? { get }
}

/// What a container is opened with.
package struct ContainerOpening: Sendable {
    package var streams: [StreamParameters]
    package var metadata: [String: String]
    /// For the protocol, the device and the muxer.
    package var option: [String: String]
    /// Seconds that a peer may take to respond; nil: as long as it takes. One that is to connect to this writer has
    /// them once it has.
    package var timeout: Double?
    /// That is the output's own time, rather than the writer's.
    package var hasOwnTimeout = false
    /// It goes on where another that broke has ended: times stay as they are.
    package var resumes = false

    package init(streams: [StreamParameters], metadata: [String: String], option: [String: String], timeout: Double?) {
        self.streams = streams
        self.metadata = metadata
        self.option = option
        self.timeout = timeout
    }

    /// Runs what opens it; an error of its time says whose that was.
    func locating<R>(_ body: () throws(StreamWriterError) -> R) throws(StreamWriterError) -> R {
        do throws(StreamWriterError) {
            return try body()
        } catch {
            guard error.code == .destinationTimedOut, hasOwnTimeout else { throw error }
            var error = error
            error.parameter = "open_timeout"
            throw error
        }
    }
}

/// What opening tells of a container.
package struct OpenedContainer: Sendable {
    /// What it takes of each stream's times.
    package var times: [KnownFaults.Times]
    /// The most bytes that it can tell of.
    package var mostBytes: Int64?

    package init(times: [KnownFaults.Times], mostBytes: Int64? = nil) {
        self.times = times
        self.mostBytes = mostBytes
    }
}

/// What was written into a container, by stream.
package struct FinishedContainer: Sendable {
    package var written: [PacketTally]
    /// How far its packets lie behind later ones of others, in seconds.
    package var secondsLate: [Double]

    package init(written: [PacketTally], secondsLate: [Double]) {
        self.written = written
        self.secondsLate = secondsLate
    }
}
