import Libav

package typealias ByteSink = Libav.ByteSink
package typealias SinkFailure = Libav.SinkFailure

/// Where a container's files go that no protocol of libav's writes: makes a sink for each. The calls are the carrier's
/// own, in order; `abort` may come from any thread.
package protocol OutputSinks: AnyObject, Sendable {
    /// What a muxer that opens its files by itself takes for the destination's name.
    var muxerName: String { get }
    /// Takes what it understands out of `option`, and puts in what the muxer needs to be told. Finds out, as far as that goes
    /// before there is anything to send, whether what is sent will be taken. `timeout`: seconds for that.
    func prepare(_ option: inout [String: String], of opening: SinkOpening, timeout: Double?) throws(StreamWriterError)
    /// Of a file, by the options that the muxer opens it with.
    func sink(for name: String, _ options: [String: String]) throws(SinkFailure) -> any ByteSink
    /// A file for a container that goes back to what it has written; the caller closes it.
    func spoolDescriptor() throws(StreamWriterError) -> Int32
    /// Sends that file, which is finished.
    func sendSpool() throws(SinkFailure)
    /// Waits for what goes on behind the muxer.
    func finish() throws(SinkFailure)
    /// Ends whatever is under way, and takes it back.
    func abort()
}

/// How a container is written to sinks.
package enum SinkOpening: Sendable {
    /// One file, as it comes.
    case live
    /// One file, once it is finished.
    case spooled
    /// Files that the muxer opens by itself.
    case manyFiles(muxer: String)
}

/// What a server or a store keeps beside a file's bytes, of an output that is uploaded.
public struct UploadFields: Sendable, Equatable {
    public var contentType: String?
    public var cacheControl: String?
    public var storageClass: String?
    public var objectMetadata: [String: String] = [:]

    public init() {}

    public static let none = UploadFields()
}
