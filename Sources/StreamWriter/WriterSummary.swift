import Libav

/// What a finished writer made.
public struct WriterSummary: Sendable, Equatable {
    public struct Stream: Sendable, Equatable {
        public let frames: Int64
        public let framesEncoded: Int64
        public let packets: Int64
        package let kind: StreamDescription.Kind
        /// What the container was given.
        package let written: PacketTally
    }

    public let bytesWritten: Int64
    /// Seconds to the end of the longest stream.
    public let duration: Double
    public let streams: [Stream]
}
