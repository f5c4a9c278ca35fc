import Libav

/// What an encoder and the carrier of one of its outputs say to each other, in records of the packet log. Parameters of
/// streams come before `open`, packets after it.
enum CarrierMessage {
    // The encoder's.
    case open(CarrierOrder)
    case flush
    case finish
    // The carrier's.
    /// There is one: the first that it says.
    case begun
    case opened(OpenedContainer)
    case progress(CarrierProgress)
    /// The peer that opening waits for has connected.
    case peerConnected
    case flushed
    case finished(FinishedContainer)
    /// It does no more.
    case failed(StreamWriterError)

    private enum Kind: UInt8 {
        case open = 16, flush, finish, opened, progress, peerConnected, flushed, finished, failed, begun
    }

    private var kind: Kind {
        switch self {
        case .open: .open
        case .flush: .flush
        case .finish: .finish
        case .opened: .opened
        case .progress: .progress
        case .peerConnected: .peerConnected
        case .flushed: .flushed
        case .finished: .finished
        case .failed: .failed
        case .begun: .begun
        }
    }

    func record(in framing: PacketLogFraming) throws(PacketLogError) -> [UInt8] {
        var writer = FieldWriter()
        switch self {
        case .open(let order): order.encode(into: &writer)
        case .opened(let container): container.encode(into: &writer)
        case .progress(let progress): progress.encode(into: &writer)
        case .finished(let container): container.encode(into: &writer)
        case .failed(let error): error.encode(into: &writer)
        case .flush, .finish, .begun, .peerConnected, .flushed: break
        }
        return try framing.record(kind.rawValue, writer.bytes)
    }

    init(kind number: UInt8, payload: [UInt8]) throws(PacketLogError) {
        guard let kind = Kind(rawValue: number) else { throw PacketLogError(.malformed, "a record is of kind \(number), which a carrier does not know") }
        var reader = FieldReader(payload)
        switch kind {
        case .open: self = .open(try CarrierOrder(decoding: &reader))
        case .flush: self = .flush
        case .finish: self = .finish
        case .opened: self = .opened(try OpenedContainer(decoding: &reader))
        case .progress: self = .progress(try CarrierProgress(decoding: &reader))
        case .peerConnected: self = .peerConnected
        case .flushed: self = .flushed
        case .finished: self = .finished(try FinishedContainer(decoding: &reader))
        case .failed: self = .failed(try StreamWriterError(decoding: &reader))
        case .begun: self = .begun
        }
        try reader.end("a message of an output's")
    }
}

/// What a carrier is to write to, and how.
public struct CarrierOrder: Sendable, Equatable {
    /// A URL, or a device's name.
    public var name: String
    public var isDevice: Bool
    /// The muxer's name.
    public var format: String
    public var bufferBytes: Int
    public var metadata: [String: String]
    public var option: [String: String]
    /// Seconds.
    public var timeout: Double?
    /// It goes on where another that broke has ended.
    public var resumes: Bool
    /// Of a muxer that makes its own files.
    public var files: CarriedFiles?
    /// Of a URL that is uploaded to.
    public var uploadFields = UploadFields.none
    /// Which of the writer's outputs it is, by its name.
    public var output = ""
}

/// How the files are made of an output whose muxer makes them itself.
public struct CarriedFiles: Sendable, Equatable {
    /// The folder of the ledger that says which they are.
    public var ledger: String
    /// Of the names that the ledger may hold.
    public var mostNameBytes: Int
    /// Files that are there may be replaced.
    public var overwrites: Bool

    public init(ledger: String, mostNameBytes: Int, overwrites: Bool) {
        self.ledger = ledger
        self.mostNameBytes = mostNameBytes
        self.overwrites = overwrites
    }
}

/// How far a carrier is.
struct CarrierProgress: Sendable, Equatable {
    var bytesWritten: Int64 = 0
    var heldBytes: Int64 = 0
    var forcedUpTo: Double?
    /// How long it has waited for a server to take what is finished.
    var secondsSending: Int64 = 0
}
