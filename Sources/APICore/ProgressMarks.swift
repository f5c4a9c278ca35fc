import SystemIO
import WriterModel

/// How far a writer's streams are, in the memory that its encoder shares with the gateway: written before a client
/// is told, so that the gateway knows of it when the encoder has died right after.
public struct ProgressMarks: Sendable {
    public struct Stream: Sendable, Equatable {
        public var frames: Int64
        public var framesEncoded: Int64
        /// Bytes.
        public var offset: Int64
        /// Seconds.
        public var nextPTS: Double

        public init(frames: Int64, framesEncoded: Int64, offset: Int64, nextPTS: Double) {
            self.frames = frames
            self.framesEncoded = framesEncoded
            self.offset = offset
            self.nextPTS = nextPTS
        }
    }

    // The bytes written, and for each stream which of its two copies counts (0: none), then both: a process that
    // dies while it writes one leaves the other whole.
    private static let wordsOfCopy = 4
    private static let wordsOfStream = 1 + 2 * wordsOfCopy
    private let marks: SharedMarks

    public init(_ marks: SharedMarks) { self.marks = marks }

    private static func place(of stream: Int) -> Int? {
        guard (0..<(SharedMarks.words - 1) / wordsOfStream).contains(stream) else { return nil }
        return 1 + stream * wordsOfStream
    }

    /// One thread at a time for each stream.
    public func note(_ stream: Stream, of index: Int) {
        guard let place = Self.place(of: index) else { return }
        let copy: UInt64 = marks[word: place] == 1 ? 2 : 1
        let first = place + 1 + Int(copy - 1) * Self.wordsOfCopy
        marks[word: first] = UInt64(bitPattern: stream.frames)
        marks[word: first + 1] = UInt64(bitPattern: stream.framesEncoded)
        marks[word: first + 2] = UInt64(bitPattern: stream.offset)
        marks[word: first + 3] = stream.nextPTS.bitPattern
        marks[word: place] = copy
    }

    /// nil: nothing was noted of it. What is there may be anything.
    public func stream(_ index: Int) -> Stream? {
        guard let place = Self.place(of: index) else { return nil }
        let copy = marks[word: place]
        guard copy == 1 || copy == 2 else { return nil }
        let first = place + 1 + Int(copy - 1) * Self.wordsOfCopy
        return Stream(
            frames: Int64(bitPattern: marks[word: first]), framesEncoded: Int64(bitPattern: marks[word: first + 1]),
            offset: Int64(bitPattern: marks[word: first + 2]), nextPTS: Double(bitPattern: marks[word: first + 3]))
    }

    /// Of the output. What is read may be anything.
    public var bytesWritten: Int64 {
        get { Int64(bitPattern: marks[word: 0]) }
        nonmutating set { marks[word: 0] = UInt64(bitPattern: newValue) }
    }
}

extension WriterRecord {
    /// With what the encoder has noted since it told of this. Counters only go on: of what is less, or no number,
    /// nothing is taken.
    public func advanced(to marks: ProgressMarks) -> WriterRecord {
        var record = self
        record.resource.advance("bytes_written", to: marks.bytesWritten)
        guard let streams = resource["streams"]?.arrayValue else { return record }
        record.resource["streams"] = .array(
            streams.enumerated().map { index, told in
                guard var stream = told.objectValue, let noted = marks.stream(index) else { return told }
                stream.advance("frames", to: noted.frames)
                stream.advance("frames_encoded", to: noted.framesEncoded)
                stream.advance("offset", to: noted.offset)
                if noted.nextPTS.isFinite, noted.nextPTS >= stream["next_pts"]?.numberValue ?? 0 {
                    stream["next_pts"] = .number(noted.nextPTS)
                }
                return .object(stream)
            })
        return record
    }
}

extension JSONObject {
    fileprivate mutating func advance(_ name: String, to count: Int64) {
        if count > self[name]?.integerValue ?? 0 { self[name] = .integer(count) }
    }
}
