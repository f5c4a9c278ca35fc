import Glibc
import HTTP1
import HTTPServer
import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// A body in memory, that comes in pieces and may end badly.
private final class MemorySource: ChunkSource {
    private let bytes: [UInt8]
    private let piece: Int
    private let failure: RequestBody.Failure?
    private let length: UInt64?
    private var position = 0
    private(set) var pace: (bytesPerSecond: Double, latency: Duration)?
    private(set) var hasEndedPace = false

    init(_ bytes: [UInt8], piece: Int = .max, failure: RequestBody.Failure? = nil, length: Int? = nil) {
        (self.bytes, self.piece, self.failure) = (bytes, piece, failure)
        self.length = length.map { UInt64($0) }
    }

    var framing: BodyFraming { length.map { .length($0) } ?? .chunked }
    var isFinished: Bool { failure == nil && position == bytes.count && length.map { $0 == UInt64(bytes.count) } ?? false }
    var bytesLeft: UInt64? { length.map { $0 - UInt64(position) } }
    var bytesAtHand: Int { bytes.count - position }
    func pace(bytesPerSecond: Double, latency: Duration) { pace = (bytesPerSecond, latency) }
    func endPace() { hasEndedPace = true }

    func firstBytes(atMost limit: Int, within wait: Duration) -> [UInt8] { Array(bytes.prefix(min(limit, piece))) }

    func read(into regions: [UnsafeMutableRawBufferPointer], limit: Int) throws(RequestBody.Failure) -> Int {
        if position == bytes.count, let failure { throw failure }
        var done = 0
        let most = min(limit, piece, bytes.count - position)
        for region in regions {
            let count = min(region.count, most - done)
            region.copyBytes(from: bytes[(position + done)..<(position + done + count)])
            done += count
        }
        position += done
        return done
    }
}

@Suite struct ChunkUploadTests {
    private static let config = StreamConfig.audio(AudioStreamConfig(sampleRate: 8_000, numChannels: 2, format: .s16))
    /// Ten frames of four bytes.
    private static let samples = (0..<40).map { UInt8($0) }

    /// A writer of raw samples, and the file they go to.
    private struct Target {
        let folder = TemporaryFolder()
        let writer: StreamWriter

        init() throws {
            folder.write("a", "")
            let descriptor = open(folder.path + "/a", O_RDWR)
            writer = try StreamWriter(destination: .file(descriptor: descriptor, name: "a"), format: "s16le")
            _ = try writer.addStream(ChunkUploadTests.config)
            try writer.open()
        }

        func take(_ source: MemorySource, type: String? = nil, pts: Double? = nil, query: String = "") throws -> ChunkReceipt {
            try ChunkUpload(ChunkUploadTests.head(type: type, query: query))
                .take(source, into: writer, stream: 0, ChunkUploadTests.config, pts: pts)
        }

        /// What the file holds in the end.
        func written() throws -> [UInt8] {
            _ = try writer.close()
            return folder.bytes("a") ?? []
        }
    }

    private static func head(type: String?, query: String = "") throws -> RequestHead {
        let field = type.map { "Content-Type: \($0)\r\n" } ?? ""
        let bytes = Array("POST /v1/writers/w/streams/0/chunks\(query) HTTP/1.1\r\nHost: a\r\n\(field)\r\n".utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { throw HeadIsUnfinished() }
        return head
    }

    private func failure(_ work: () throws -> ChunkReceipt) -> ChunkUpload.Failure? {
        do {
            _ = try work()
            return nil
        } catch {
            return error as? ChunkUpload.Failure
        }
    }

    @Test(arguments: [1, 2, 3, 4, 7, 39, 40, 64])
    func howABodyIsCutNeverChangesWhatIsWritten(piece: Int) throws {
        for length in [40, nil] {
            let target = try Target()
            let receipt = try target.take(MemorySource(Self.samples, piece: piece, length: length))
            #expect(receipt.frames == 10 && receipt.offset == 40 && receipt.droppedBytes == 0)
            #expect(try target.written() == Self.samples)
        }
    }

    @Test func aBodyThatIsCutAnywhereKeepsItsWholeFramesAndGoesOnFromThere() throws {
        for cut in 0...40 {
            let target = try Target()
            let found = try #require(
                failure { try target.take(MemorySource(Array(Self.samples[..<cut]), piece: 3, failure: .cut, length: 40)) })
            guard case .body(.cut) = found.cause else { return #expect(Bool(false), "\(found)") }
            #expect(found.receipt?.frames == Int64(cut / 4) && found.receipt?.droppedBytes == cut % 4)
            let offset = Int(try #require(found.receipt).offset)
            #expect(offset == cut / 4 * 4)
            let rest = try target.take(MemorySource(Array(Self.samples[offset...])))
            #expect(rest.offset == 40)
            #expect(try target.written() == Self.samples)
        }
    }

    @Test(arguments: [RequestBody.Failure.timedOut, .interrupted])
    func whateverEndedTheBodyIsTold(failure ended: RequestBody.Failure) throws {
        let target = try Target()
        let found = failure { try target.take(MemorySource(Array(Self.samples[..<9]), failure: ended)) }
        guard case .body(ended)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
        #expect(found?.receipt?.frames == 2)
    }

    @Test func aBodyThatEndsWithinAFrameSaysHowFar() throws {
        let target = try Target()
        let found = failure { try target.take(MemorySource(Array(Self.samples[..<11]))) }
        guard case .partialFrame? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
        #expect(found?.receipt?.droppedBytes == 3 && found?.receipt?.frames == 2)
    }

    @Test func whatTheWriterRefusesIsAProblemWithNothingTaken() throws {
        let target = try Target()
        _ = try target.take(MemorySource(Self.samples), pts: 0)
        let found = failure { try target.take(MemorySource(Self.samples), pts: 0) }
        guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
        #expect(problem.code == .ptsTooEarly && found?.receipt == nil)
        // Ten frames of 8,000 a second.
        #expect(problem.extras == [.init("expected_pts", .number(0.00125))])
    }

    @Test func aLengthThatIsNoWholeNumberOfFramesIsRefusedUnread() throws {
        let raw = try ChunkUpload(Self.head(type: nil))
        func check(_ upload: ChunkUpload, length: Int?, extras: [(String, JSONValue)] = []) throws {
            try upload.check(MemorySource(Self.samples, length: length), Self.config, bytesPerFrame: 4, isFirst: true, extras: extras)
        }
        for length in [40, 0, nil] { try check(raw, length: length) }
        let found = problem { try check(raw, length: 41, extras: [("offset", 8)]) }
        #expect(found?.code == .partialFrame)
        #expect(found?.extras == [.init("bytes_per_frame", 4), .init("frames", 0), .init("offset", 8)])
        // An array has a head before its frames.
        try check(ChunkUpload(Self.head(type: "application/x-npy")), length: 41)
    }

    @Test(arguments: [
        "application/octet-stream", "Application/Octet-Stream", "application/octet-stream; charset=binary", "application/x-www-form-urlencoded", "application/x-npy",
    ])
    func aTypeOfRawBytesOrOfAnArrayIsTaken(type: String) throws { _ = try ChunkUpload(Self.head(type: type)) }

    @Test(arguments: ["text/plain", "application/json", "audio/wav", "application/x-npyz"])
    func anyOtherTypeIsRefused(type: String) {
        let found = problem { _ = try ChunkUpload(Self.head(type: type)) }
        #expect(found?.code == .unsupportedMediaType && found?.supported == ["application/octet-stream", "application/x-npy"])
    }

    @Test func aBodyIsReadInItsStreamsTime() throws {
        let target = try Target()
        let source = MemorySource(Self.samples)
        _ = try target.take(source)
        // 8,000 samples a second of 2 channels of 2 bytes.
        #expect(source.pace?.bytesPerSecond == 32_000 && source.pace?.latency == .milliseconds(20) && source.hasEndedPace)
        let file = MemorySource(Self.wave)
        let other = try Target()
        _ = failure { try other.take(file) }
        #expect(file.hasEndedPace, "what is refused is not waited for any more")
    }

    // MARK: Files

    private static let wave = Array("RIFF".utf8) + [0x44, 0, 0, 0] + Array("WAVEfmt ".utf8) + samples[..<24]

    @Test(arguments: [1, 3, 40], [nil, "application/octet-stream", "application/x-www-form-urlencoded"])
    func aFileThatIsSentAsRawBytesIsRefusedAndTheStreamGoesOn(piece: Int, type: String?) throws {
        for file in [Self.wave, Self.array(Self.samples)] {
            let target = try Target()
            let found = failure { try target.take(MemorySource(file, piece: piece, length: file.count), type: type) }
            guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
            let way = file == Self.wave ? "ffmpeg -i FILE -f s16le -ar 8000 -ac 2 -" : "Content-Type: application/x-npy"
            #expect(problem.code == .unsupportedMediaType && problem.detail.contains(way), "\(problem.detail)")
            #expect(target.writer.progress(of: 0).offset == 0)
            #expect(try target.take(MemorySource(Self.samples)).frames == 10)
            // Later it is no mistake.
            #expect(try target.take(MemorySource(Self.wave)).frames == 10)
            #expect(try target.written() == Self.samples + Self.wave)
        }
    }

    @Test func aFileIsNamedWhereItsLengthIsNoWholeNumberOfFramesToo() throws {
        let array = Self.array(Self.samples + [0])
        func refusal(_ source: MemorySource, isFirst: Bool = true, query: String = "") throws -> ProblemCode? {
            let upload = try ChunkUpload(Self.head(type: nil, query: query))
            return problem { try upload.check(source, Self.config, bytesPerFrame: 4, isFirst: isFirst) }?.code
        }
        let file = MemorySource(array, length: array.count)
        #expect(try refusal(file) == .unsupportedMediaType)
        #expect(try refusal(file, isFirst: false) == .partialFrame)
        #expect(try refusal(file, query: "?raw=true") == .partialFrame)
        // No more than this has come.
        #expect(try refusal(MemorySource(array, piece: 3, length: array.count)) == .partialFrame)
    }

    @Test func anArchiveOfArraysIsToBeTakenApart() throws {
        // What numpy.savez begins with.
        let archive: [UInt8] = Array("PK".utf8) + [3, 4, 45, 0, 0, 0, 0, 0, 0, 0, 0x21, 0] + [UInt8](repeating: 0, count: 26)
        for type in [nil, Self.npy] {
            let target = try Target()
            let found = failure { try target.take(MemorySource(archive, length: archive.count), type: type) }
            guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
            #expect(problem.detail.contains("numpy.load(FILE)[NAME]"), "\(problem.detail)")
        }
    }

    @Test(arguments: [1, 3, 40]) func whoSaysThatItIsRawHasItTaken(piece: Int) throws {
        let target = try Target()
        #expect(try target.take(MemorySource(Self.wave, piece: piece), query: "?raw=true").frames == 10)
        #expect(try target.written() == Self.wave)
        #expect(problem { _ = try ChunkUpload(Self.head(type: nil, query: "?raw=yes")) }?.parameter == "raw")
    }

    // MARK: Arrays

    /// numpy.lib.format, version 1.
    private static func array(_ data: [UInt8], dtype: String = "<i2", shape: String = "(10, 2)", fortran: Bool = false) -> [UInt8] {
        var head = "{'descr': '\(dtype)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
        head += String(repeating: " ", count: 127 - 10 - head.utf8.count) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(head.utf8.count), 0] + Array(head.utf8) + data
    }

    private static let npy = "application/x-npy"

    @Test(arguments: [1, 5, 127, 128, 129, 1_000])
    func anArrayIsTakenLikeItsBytes(piece: Int) throws {
        let file = Self.array(Self.samples)
        for length in [file.count, nil] {
            let target = try Target()
            let receipt = try target.take(MemorySource(file, piece: piece, length: length), type: Self.npy)
            #expect(receipt.frames == 10)
            #expect(try target.written() == Self.samples)
        }
    }

    @Test func anArrayThatEndsBeforeItsPromiseKeepsWhatCame() throws {
        for cut in stride(from: 0, to: 40, by: 4) {
            let target = try Target()
            let found = failure { try target.take(MemorySource(Self.array(Array(Self.samples[..<cut]))), type: Self.npy) }
            guard case .shortArray(promised: 40, came: cut)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
            #expect(found?.receipt?.frames == Int64(cut / 4))
            #expect(try target.written() == Array(Self.samples[..<cut]))
        }
    }

    @Test func anArrayThatEndsWithinItsHeadIsNone() throws {
        let file = Self.array(Self.samples)
        for cut in [0, 1, 6, 7, 9, 10, 11, 50, 127] {
            let target = try Target()
            let found = failure { try target.take(MemorySource(Array(file[..<cut])), type: Self.npy) }
            guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(cut)") }
            #expect(problem.code == .invalidParameter && problem.parameter == "body", "\(cut): \(problem.detail)")
            #expect(try target.take(MemorySource(Self.samples)).frames == 10, "the stream is as it was")
        }
    }

    @Test(arguments: [
        (array(samples, dtype: "<f4"), ProblemCode.unsupportedValue, "<i2"), (array(samples, shape: "(2, 10)"), .unsupportedValue, "(N, 2)"),
        (array(samples, dtype: "<f8"), .unsupportedValue, "(array.clip(-1, 1) * 32767).round().astype(\"<i2\")"), (array(samples, dtype: "<i4"), .unsupportedValue, "(array >> 16)"),
        (array(samples, dtype: "<f4"), .unsupportedValue, "\"format\": \"flt\""), (array(samples, shape: "(2, 10)"), .unsupportedValue, "numpy.ascontiguousarray(array.T)"),
        (array(samples, shape: "(20,)"), .unsupportedValue, "array.reshape(-1, 2)"),
        (array(samples, fortran: true), .unsupportedValue, "ascontiguousarray"), (Array("This is no array.".utf8), .invalidParameter, "does not begin"),
        (array(samples, shape: "(4611686018427387904, 2)"), .payloadTooLarge, "larger than any"),
    ])
    func anArrayOfSomethingElseIsRefusedByWhatItShouldBe(file: [UInt8], code: ProblemCode, says: String) throws {
        let target = try Target()
        let found = failure { try target.take(MemorySource(file), type: Self.npy) }
        guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
        #expect(problem.code == code)
        #expect("\(problem.detail) \(problem.supported ?? [])".contains(says), "\(problem.detail)")
    }

    @Test func picturesOfTruthValuesBecomeBlackAndWhite() throws {
        let folder = TemporaryFolder()
        folder.write("a", "")
        let config = StreamConfig.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 2, height: 2, format: "gray8"))
        let writer = try StreamWriter(destination: .file(descriptor: open(folder.path + "/a", O_RDWR), name: "a"), format: "rawvideo")
        _ = try writer.addStream(config)
        try writer.open()
        let array = Self.array([0, 1, 1, 0], dtype: "|b1", shape: "(1, 2, 2)")
        let found = failure { try ChunkUpload(Self.head(type: Self.npy)).take(MemorySource(array), into: writer, stream: 0, config) }
        guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
        #expect(problem.detail.contains("array.astype(\"u1\") * 255"), "\(problem.detail)")
    }

    @Test func anArrayOfAnotherLengthThanItsBodyIsRefusedBeforeItIsTaken() throws {
        let target = try Target()
        let file = Self.array(Self.samples)
        let found = failure { try target.take(MemorySource(file, length: file.count + 4), type: Self.npy) }
        guard case .problem(let problem)? = found?.cause else { return #expect(Bool(false), "\(String(describing: found))") }
        #expect(problem.code == .partialFrame && problem.extras == [.init("frames", 0)])
        #expect(try target.written() == [])
    }
}

private struct HeadIsUnfinished: Error {}
