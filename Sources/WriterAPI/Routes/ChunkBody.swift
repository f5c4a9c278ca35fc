import Bytewise
import HTTP1
import HTTPServer
import StreamWriter
import WriterModel

/// What a chunk is read from.
package protocol ChunkSource {
    var framing: BodyFraming { get }
    var isFinished: Bool { get }
    /// nil: not known.
    var bytesLeft: UInt64? { get }
    /// How many are here, or known to follow at once.
    var bytesAtHand: Int { get }
    /// Has bytes without a known end read together that come within the latency, until `endPace`.
    func pace(bytesPerSecond: Double, latency: Duration)
    func endPace()
    /// What there is of an unread body's first bytes, or comes at once; they stay to be read.
    func firstBytes(atMost limit: Int, within wait: Duration) -> [UInt8]
    /// Fills a prefix of `regions`, in order, with at most `limit` bytes; 0 at the end.
    func read(into regions: [UnsafeMutableRawBufferPointer], limit: Int) throws(RequestBody.Failure) -> Int
}

extension RequestBody: ChunkSource {}

/// The body of a chunk: raw bytes, or a NumPy array whose head is taken off and checked.
struct ChunkBody {
    private let body: any ChunkSource
    /// What the array's head says will come, in bytes; nil for raw bytes.
    let promised: Int?
    /// Data that came with what was looked at first.
    private var early: ArraySlice<UInt8>
    /// What ended the body while it was looked at.
    private var failure: RequestBody.Failure?

    static let rawType = "application/octet-stream"
    static let arrayType = "application/x-npy"

    /// Raw bytes by any of the names that clients give them when they are told none.
    private static let rawTypes = [rawType, "application/x-www-form-urlencoded", ""]

    enum Kind { case raw, array }

    static func kind(_ head: RequestHead) throws(Problem) -> Kind {
        if head.field("Content-Type", equalsIgnoringCase: rawType) { return .raw }
        guard let type = head.field("Content-Type")?.until(";", " ").lowercasedASCII
        else { return .raw }
        if rawTypes.contains(type) { return .raw }
        if type == arrayType { return .array }
        throw Problem(
            .unsupportedMediaType,
            "A chunk is raw bytes, \(rawType), or a NumPy array, \(arrayType), and not \(type).",
            supported: [rawType, arrayType])
    }

    init(raw body: any ChunkSource) {
        self.body = body
        promised = nil
        early = []
    }

    /// The first raw bytes of a stream, which must not be the beginning of a file.
    init(firstRaw body: any ChunkSource, of config: StreamConfig) throws(Problem) {
        self.init(raw: body)
        var bytes: [UInt8] = []
        var match = FileSignature.Match.undecided
        while match == .undecided, !body.isFinished {
            switch Self.read(body, atMost: FileSignature.mostBytes - bytes.count) {
            case .success(let part):
                bytes += part
                match = part.isEmpty ? .none : FileSignature.match(bytes)
            case .failure(let error):
                failure = error
                match = .none
            }
        }
        if case .found(let signature) = match { throw .file(signature, config) }
        early = bytes[...]
    }

    /// Of a body whose length no stream takes: throws if it is a file, as far as that shows before it is read.
    static func refuseFile(_ body: any ChunkSource, of config: StreamConfig) throws(Problem) {
        let bytes = body.firstBytes(atMost: FileSignature.mostBytes, within: .milliseconds(20))
        if case .found(let signature) = FileSignature.match(bytes) { throw .file(signature, config) }
    }

    private static func read(_ body: any ChunkSource, atMost count: Int) -> Result<[UInt8], RequestBody.Failure> {
        var part = [UInt8](repeating: 0, count: count)
        let result: Result<Int, RequestBody.Failure> = part.withUnsafeMutableBytes { region in
            do throws(RequestBody.Failure) {
                return .success(try body.read(into: [region], limit: count))
            } catch {
                return .failure(error)
            }
        }
        return result.map { Array(part[..<$0]) }
    }

    /// Reads the array's head and holds it against the stream.
    init(array body: any ChunkSource, of config: StreamConfig, frameBytes: Int) throws(Problem) {
        let frames = ArrayLayout(config, frameBytes: frameBytes)
        self.body = body
        var bytes: [UInt8] = []
        var wanted = 12
        while true {
            if let cause = try Self.read(body, upTo: wanted, into: &bytes) {
                // Told when the data is read, as that of a raw body: an upload that ends here is an interrupted one, too.
                (promised, early, failure) = (nil, [], cause)
                return
            }
            let parsed: NPYHeader.Parsed
            do throws(NPYHeader.Malformed) {
                parsed = try NPYHeader.parse(bytes)
            } catch {
                throw Problem(.invalidParameter, "The array \(error.reason).", parameter: "body")
            }
            switch parsed {
            case .needsMore(let count): wanted = count
            case .complete(let header, let headBytes):
                early = bytes[headBytes...]
                promised = try header.dataBytes(of: frames, config, frameBytes: frameBytes)
                try checkLength(headBytes: headBytes)
                return
            }
        }
    }

    /// What ended the body, where that was not its end.
    private static func read(_ body: any ChunkSource, upTo wanted: Int, into bytes: inout [UInt8]) throws(Problem) -> RequestBody.Failure? {
        while bytes.count < wanted {
            switch read(body, atMost: wanted - bytes.count) {
            case .success(let part):
                if part.isEmpty { throw Problem(.invalidParameter, "The array ends within its head.", parameter: "body") }
                bytes += part
            case .failure(let failure): return failure
            }
        }
        return nil
    }

    private func checkLength(headBytes: Int) throws(Problem) {
        guard case .length(let length) = body.framing, let promised, Int(clamping: length) != headBytes + promised
        else { return }
        throw Problem(
            .partialFrame,
            "The array's head promises \(promised) bytes of data and the body has \(Int(clamping: length) - headBytes). Nothing of it was taken.",
            extras: [("frames", 0)])
    }

    /// Puts the data into the stream. Throws what the body or the stream throws.
    mutating func fill(_ chunk: Chunk) throws {
        defer { body.endPace() }
        if !early.isEmpty {
            try early.withUnsafeBytes { try chunk.write($0) }
            early = []
        }
        if let failure { throw failure }
        let body = body
        while !body.isFinished {
            let limit = body.bytesLeft.map { max(1, Int(clamping: $0)) } ?? .max
            if try chunk.fill(upTo: limit, atHand: { body.bytesAtHand }, { try body.read(into: $0, limit: .max) }) == 0 { return }
        }
    }
}

extension NPYHeader {
    /// The bytes of data behind the head, if the array is one of the stream's frames.
    fileprivate func dataBytes(of wanted: ArrayLayout, _ config: StreamConfig, frameBytes: Int) throws(Problem) -> Int {
        if fortranOrder {
            throw Problem(
                .unsupportedValue, "The array is in Fortran order: its frames do not lie one behind the other. Send numpy.ascontiguousarray(array).",
                parameter: "body")
        }
        if dtype != wanted.dtype {
            throw Problem(
                .unsupportedValue, "The array's dtype is \(dtype) and the stream takes \(wanted.dtype). \(ArrayAdvice.conversion(of: dtype, to: wanted.dtype, config))",
                parameter: "body", supported: [wanted.dtype])
        }
        guard shape.count > 0, wanted.frameShapes.contains(Array(shape.dropFirst())) else {
            let shapes = wanted.frameShapes.map { "(N," + $0.map { " \($0)" }.joined(separator: ",") + ")" }
            throw Problem(
                .unsupportedValue,
                "The array's shape is (\(shape.map(String.init).joined(separator: ", "))) and the stream takes \(shapes.joined(separator: " or ")), N frames."
                    + ArrayAdvice.reshaping(shape, to: wanted.frameShapes, config),
                parameter: "body", supported: shapes)
        }
        let (bytes, overflow) = shape[0].multipliedReportingOverflow(by: frameBytes)
        if overflow { throw Problem(.payloadTooLarge, "The array's shape is larger than any array.", parameter: "body") }
        return bytes
    }
}

extension Problem {
    /// A file where raw bytes belong.
    fileprivate static func file(_ signature: FileSignature, _ config: StreamConfig) -> Problem {
        let way =
            signature.isArray ? "Send it with the header Content-Type: \(ChunkBody.arrayType)."
            : signature.isArchive
                ? "Of an .npz file, send one array, \(NPYHeader.ofArchive), with the header Content-Type: \(ChunkBody.arrayType)."
                : "Send what it holds alone: \(rawCommand(config)) makes it of the file."
        return Problem(
            .unsupportedMediaType,
            "The body begins as \(signature.name), and the stream takes raw \(rawKind(config)). \(way) Nothing was taken. If these are raw bytes all the same, say raw=true in the query.",
            supported: signature.isArray || signature.isArchive ? [ChunkBody.arrayType] : nil)
    }

    private static func rawKind(_ config: StreamConfig) -> String {
        switch config {
        case .audio(let audio): "samples: \(audio.format.rawValue), \(audio.numChannels) channel\(audio.numChannels == 1 ? "" : "s"), \(audio.sampleRate) a second"
        case .video(let video): "pictures: \(video.format), \(video.width)x\(video.height), \(video.frameRate) a second"
        }
    }

    private static func rawCommand(_ config: StreamConfig) -> String {
        switch config {
        case .audio(let audio):
            let muxer = switch audio.format {
            case .u8: "u8"
            case .s16, .s32: "\(audio.format.rawValue)le"
            // There is no muxer of these.
            case .s64: "data -map 0:a -c:a pcm_s64le"
            case .flt: "f32le"
            case .dbl: "f64le"
            }
            return "ffmpeg -i FILE -f \(muxer) -ar \(audio.sampleRate) -ac \(audio.numChannels) -"
        case .video(let video):
            let format = video.layout == .nchw ? "rgb24" : video.format == "gray8" ? "gray" : video.format
            return "ffmpeg -i FILE -f rawvideo -pix_fmt \(format) -s \(video.width)x\(video.height) -r \(video.frameRate) -"
                + (video.layout == .nchw ? " (for a stream of the format rgb24 and the layout packed)" : "")
        }
    }
}
