import HTTP1
import SystemIO

/// What a handler responds with.
public struct Response: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// The same ones for every client that asks, for as long as the process lives.
        case shared([UInt8])
        /// `range` of an open file; the server closes it.
        case file(OpenFile, Range<UInt64>)

        /// Those that are in memory.
        var bytes: [UInt8]? {
            switch self {
            case .bytes(let bytes), .shared(let bytes): bytes
            case .none, .file: nil
            }
        }
    }

    public var status: HTTPStatus
    public var fields: [(name: String, value: String)]
    public var body: Body
    /// What it tells of, where that is a problem: for the log and the counters.
    public var reason: ExchangeReport.Reason?

    public init(_ status: HTTPStatus, fields: [(name: String, value: String)] = [], body: Body = .none) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    var contentLength: UInt64 {
        switch body {
        case .none: 0
        case .bytes(let bytes), .shared(let bytes): UInt64(bytes.count)
        case .file(_, let range): range.upperBound - range.lowerBound
        }
    }
}

/// A file held open for reading.
public final class OpenFile: Sendable {
    public let descriptor: Int32

    public init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = Descriptor(owning: descriptor) }

    /// Reads what there is from `position`; 0 at the end or when it can't be read.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64) -> Int {
        File.read(descriptor, into: buffer, at: position)
    }

    public var size: UInt64 { File.size(descriptor) ?? 0 }
}
