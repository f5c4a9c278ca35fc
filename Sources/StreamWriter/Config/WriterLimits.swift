import Libav

/// What one writer may cost, as far as its owner decides. What the library can't do at all is in
/// `Limits`, and memory is the system's to bound.
public struct WriterLimits: Sendable, Equatable {
    /// Of one picture, wherever on its way: sent, within the filters, encoded.
    public var pixels = 8_192 * 8_192
    /// Of an audio stream, wherever on its way.
    public var channels = 64
    public var streams = 16
    /// Of one stream.
    public var renditions = 8
    /// Of one encoder, and of one filter. An encoder that would choose the number itself gets one for
    /// each processor, as far as it may.
    public var threads = Encoder.mostThreads
    /// Of a video encoder whose options say nothing of threads, within `threads`; 0: one for each processor.
    public var defaultThreads = 1

    public init() {}

    /// Which of them was passed.
    public enum Kind: String, Sendable, CaseIterable {
        case pixels, channels, streams, threads
    }

    public struct Bound: Sendable, Equatable {
        public let kind: Kind
        public let value: Int

        public init(kind: Kind, value: Int) {
            self.kind = kind
            self.value = value
        }
    }

    func check(
        width: Int, height: Int, _ parameter: String, in filter: String? = nil
    ) throws(StreamWriterError) {
        // Two numbers of 32 bits: no overflow.
        let count = width * height
        try check(count, .pixels, pixels, parameter, filter, "the \(count) pixels of a picture of \(width)x\(height)")
    }

    func check(channels count: Int, _ parameter: String, in filter: String? = nil) throws(StreamWriterError) {
        try check(count, .channels, channels, parameter, filter, "\(count) channels")
    }

    func check(threads count: Int, _ parameter: String, in filter: String? = nil) throws(StreamWriterError) {
        try check(count, .threads, threads, parameter, filter, "\(count) threads")
    }

    func check(streams count: Int) throws(StreamWriterError) {
        try check(count, .streams, streams, "streams", nil, "\(count) streams")
    }

    func check(renditions count: Int) throws(StreamWriterError) {
        guard count > renditions else { return }
        throw StreamWriterError(
            .invalidParameter, "renditions: a stream has at most \(renditions), and \(count) are given", parameter: "renditions")
    }

    private func check(
        _ value: Int, _ kind: Kind, _ limit: Int, _ parameter: String, _ filter: String?, _ given: String
    ) throws(StreamWriterError) {
        guard value > limit else { return }
        let subject = parameter + ": " + (filter.map { "\($0): " } ?? "")
        throw StreamWriterError(
            .beyondLimit, "\(subject)\(given) are more than the \(limit) \(kind.rawValue) a writer may have",
            parameter: parameter, limit: Bound(kind: kind, value: limit))
    }
}
