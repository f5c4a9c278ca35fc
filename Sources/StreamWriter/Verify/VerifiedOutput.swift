import Bytewise
import Libav

/// What a finished output was found to hold when it was read back.
public struct VerifiedOutput: Sendable, Equatable {
    public struct Stream: Sendable, Equatable {
        public let packets: Int64
        /// Seconds from the first packet to the end of the last one, as far as the container tells; nil where it
        /// has no times. Where it has no durations the last packet counts as long as it was written.
        public let duration: Double?
    }

    /// What the container says of a stream.
    struct Notes: Equatable {
        var metadata: [String: String] = [:]
        var codecTag: CodecTag?
    }

    /// In the order of the output's tracks; nil for one that the container keeps otherwise: a cover.
    public let streams: [Stream?]
    /// The pairs that the container has, of the file and of its streams.
    public let metadata: [String: String]
    /// Those of its keys that are the file's.
    private let fileKeys: [String]
    /// In the order of `streams`; nil where it is not known which of the container's a stream is, or the container
    /// holds it otherwise.
    private let notes: [Notes?]

    /// Reads a finished file back and holds it against what was written: the streams, their packets, how long they
    /// last, that no stream goes back in time. Borrows the descriptor, which must be open for reading. Nil where the
    /// format can't be read back, and for a writer that was sent nothing. Throws `outputDamaged` where the two
    /// disagree, and `wrongState` once `isCancelled`, which is asked between packets.
    public init?(
        of descriptor: Int32, format name: String, option: [String: String] = [:], against summary: WriterSummary,
        isCancelled: () -> Bool = { false }
    ) throws(StreamWriterError) {
        let tracks = summary.outputs.first??.tracks ?? []
        guard let way = OutputFormat(named: name)?.readingBack(option: option),
            tracks.contains(where: { $0.written.packets > 0 })
        else { return nil }
        let found: [Found]
        let hasCover: Bool
        do throws(LibavError) {
            (found, hasCover, fileKeys, metadata) = try Self.read(descriptor, way, isCancelled)
        } catch {
            if error.kind == .interrupted { throw StreamWriterError(.wrongState, "the writer is aborted") }
            if way.needsPackets, tracks.allSatisfy({ $0.written.packets <= 2 }) { return nil }
            throw StreamWriterError(
                .outputDamaged, "the finished output can't be read back: \(error.doing): \(error.text)",
                libavError: error.text, log: error.log)
        }
        var streams: [Stream?] = []
        var notes: [Int: Notes] = [:]
        for kind in [Codec.Media.audio, .video] where !(kind == .video && way.keepsVideoAsCover) {
            let written = tracks.count { $0.media == kind }
            let there = found.count { $0.media == kind && $0.tally.packets > 0 }
            guard there <= written else {
                throw StreamWriterError(
                    .outputDamaged, "the finished output has \(there) streams of \(kind), and \(written) were written")
            }
        }
        for (index, stream) in tracks.enumerated() {
            if stream.media == .video && way.keepsVideoAsCover {
                streams.append(nil)
                continue
            }
            // Some containers order streams otherwise, or leave out those without packets.
            let place = tracks[..<index].count { $0.media == stream.media && $0.written.packets > 0 }
            let alike = found.filter { $0.media == stream.media && $0.tally.packets > 0 }
            if stream.media == .video, alike.isEmpty, hasCover {
                streams.append(nil)
                continue
            }
            let own = stream.written.packets == 0 ? nil : alike.dropFirst(place).first
            let tally = own?.tally ?? PacketTally()
            if [.duration, .streamBytes].contains(way.likeness), alike.count > 1 {
                // By their first packet: which is which is not known.
                streams.append(Stream(tally, as: stream.written))
                continue
            }
            try Self.compare(stream.written, tally, way.likeness, stream: stream.stream)
            streams.append(Stream(tally, as: stream.written))
            notes[index] = own?.notes
        }
        self.streams = streams
        self.notes = streams.indices.map { notes[$0] }
    }

    /// A stream of the container's.
    private struct Found {
        let media: Codec.Media
        let tally: PacketTally
        let notes: Notes
    }

    private static func read(
        _ descriptor: Int32, _ way: ReadingBack, _ isCancelled: () -> Bool
    ) throws(LibavError) -> ([Found], hasCover: Bool, [String], [String: String]) {
        let demuxer = try Demuxer(
            descriptor: descriptor, format: way.demuxer, parses: way.parses,
            fillsIn: way.likeness != .packets)
        var tallies: [PacketTally] = []
        try demuxer.readAll { packet, timeBase throws(LibavError) in
            if isCancelled() { throw LibavError(interrupted: "reading the output back") }
            while packet.stream >= tallies.count { tallies.append(PacketTally()) }
            tallies[packet.stream].add(packet, timeBase)
        }
        let media = demuxer.media
        while tallies.count < media.count { tallies.append(PacketTally()) }
        let notes = zip(demuxer.streamMetadata, demuxer.codecTags).map { Notes(metadata: $0, codecTag: $1) }
        let found = zip(media, zip(tallies, notes)).map { Found(media: $0, tally: $1.0, notes: $1.1) }
        return (found, demuxer.hasCover, demuxer.fileKeys, demuxer.metadata)
    }

    private static func compare(
        _ written: PacketTally, _ found: PacketTally, _ likeness: ReadingBack.Likeness, stream: Int
    ) throws(StreamWriterError) {
        guard written.packets > 0 else { return }
        func damaged(_ what: String) -> StreamWriterError {
            StreamWriterError(.outputDamaged, "stream \(stream) of the finished output \(what)")
        }
        guard found.packets > 0 else { throw damaged("has no packets, and \(written.packets) were written") }
        switch likeness {
        case .packets, .packetCount:
            // Samples that need no packets (PCM) come back in others.
            guard found.packets >= written.packets || found.bytes >= written.bytes else {
                throw damaged("has \(found.packets) packets, and \(written.packets) were written")
            }
        case .bytes:
            guard found.bytes >= written.bytes else {
                throw damaged("has \(found.bytes) bytes, and \(written.bytes) were written")
            }
        case .streamBytes:
            // The last may be no whole packet for a reader.
            guard found.bytes >= written.bytes - written.largest else {
                throw damaged("has \(found.bytes) bytes, and \(written.bytes) were written")
            }
        case .duration: break
        }
        switch likeness {
        case .packets:
            guard found.isInOrder else { throw damaged("goes back in time") }
            guard found.packets == written.packets, written.knowsTimes, found.knowsTimes, let told = written.span,
                let kept = found.span
            else { return }
            // It may be longer: without edit lists a first packet lasts until streams are side by side.
            guard kept >= told - roundedTime else {
                throw damaged("lasts \(kept) s up to its last packet, and \(told) s were written")
            }
        case .packetCount, .bytes: break
        case .duration, .streamBytes:
            // MPEG's streams have not the time of every picture, and pictures are found all the same.
            if !found.knowsTimes && found.packets >= written.packets { return }
            // Times of 33 bits begin anew.
            guard let told = written.duration, let kept = found.duration, told < wrappingTime else { return }
            guard kept >= told - max(written.longest, found.longest) - cutTime else {
                throw damaged("lasts \(kept) s, and \(told) s were written")
            }
        }
    }

    /// Seconds by which a container may round a time: matroska and flv count milliseconds.
    private static let roundedTime = 0.002
    /// Seconds after which MPEG's times begin anew, less an hour.
    private static let wrappingTime = 92_000.0
    /// Seconds by which a stream may seem shorter that is cut into other packets, beside one of them.
    private static let cutTime = 0.1

    /// The keys of `wanted` of which the container has kept neither the key nor the value.
    public func dropped(of wanted: [String: String]) -> [String] {
        // Where a stream has the key (ogg keeps all there), it may be with a value of the stream's own.
        Self.dropped(of: wanted, keeping: metadata, keys: fileKeys)
    }

    /// What the container has not kept of what was said of a stream. `index`: of the output's track.
    public func warnings(track index: Int, _ config: StreamConfig, format: String) -> [Warning] {
        guard let notes = notes[index] else { return [] }
        let (metadata, tag, kind) = switch config {
        case .audio(let audio): (audio.metadata, audio.codecTag, StreamDescription.Kind.audio)
        case .video(let video): (video.metadata, video.codecTag, StreamDescription.Kind.video)
        }
        var found = Self.dropped(of: metadata, keeping: notes.metadata, keys: Array(notes.metadata.keys)).map { key in
            StorageCheck.droppedMetadata("metadata.\(key)", of: kind, in: format)
        }
        if let tag, notes.codecTag?.text.isSame(as: tag) != true {
            let there = notes.codecTag.map { "it is \($0.text) there" } ?? "\(format) has none there"
            found.append(Warning(.notStored, parameter: "codec_tag", "codec_tag \(tag) is not found in the file: \(there)"))
        }
        return found
    }

    private static func dropped(of wanted: [String: String], keeping metadata: [String: String], keys: [String]) -> [String] {
        let keys = Set(keys.map(\.lowercasedASCII))
        let values = Set(metadata.values)
        // An empty value asks for none.
        return wanted.filter { !$0.value.isEmpty && !keys.contains($0.key.lowercasedASCII) && !values.contains($0.value) }.keys.sorted()
    }
}

extension VerifiedOutput.Stream {
    fileprivate init(_ found: PacketTally, as written: PacketTally) {
        packets = found.packets
        let isUntold = found.longest == 0
        duration = found.duration.map { $0 + (isUntold ? written.lastDuration : 0) }
    }
}

extension WriterSummary.Track {
    fileprivate var media: Codec.Media { kind == .audio ? .audio : .video }
}
