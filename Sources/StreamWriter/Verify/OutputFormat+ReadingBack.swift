import Libav

/// How what a muxer has written can be read back.
struct ReadingBack: Equatable {
    enum Likeness: Equatable {
        /// Packets come back as they went in, each with its time.
        case packets
        /// As many packets come back; the container keeps less of their times than it was told.
        case packetCount
        /// The bytes of packets come back, cut into others.
        case bytes
        /// A stream that lasts as long comes back, cut into packets of the demuxer's.
        case duration
        /// And of as many bytes.
        case streamBytes
    }

    let likeness: Likeness
    /// By libav's name.
    let demuxer: String
    /// Packets are found in what the container holds, rather than told apart by it.
    var parses = false
    /// A video stream becomes the file's cover: pictures without times.
    var keepsVideoAsCover = false
    /// It has no head: by one or two packets it is not known.
    var needsPackets: Bool { demuxer == "apng" || demuxer == "mp3" }
}

// `VerificationTests` reads the output of every muxer back.
extension OutputFormat {
    /// With these of its options. Nil where libav can't read it back, or nothing in it tells what it holds.
    func readingBack(option: [String: String]) -> ReadingBack? {
        if name == "flac", let options = MuxerOptions(self, option), options.integer("write_header") == 0 { return nil }
        return Self.readingBack[name]
    }

    private static let readingBack: [String: ReadingBack] = {
        var table: [String: ReadingBack] = [:]
        func add(
            _ likeness: ReadingBack.Likeness, _ muxers: [String], _ demuxer: String? = nil, parses: Bool = false,
            keepsVideoAsCover: Bool = false
        ) {
            for muxer in muxers {
                table[muxer] = ReadingBack(
                    likeness: likeness, demuxer: demuxer ?? muxer, parses: parses || [.duration, .streamBytes].contains(likeness),
                    keepsVideoAsCover: keepsVideoAsCover)
            }
        }
        add(.packets, ["3g2", "3gp", "f4v", "ipod", "ismv", "mov", "mp4", "psp"], "mov")
        add(.packets, ["matroska", "webm"], "matroska")
        add(.packets, ["nut", "ivf"])
        add(.packetCount, ["avi", "flv", "asf"])
        add(.packetCount, ["ogg", "oga", "ogv", "opus", "spx"], "ogg", parses: true)
        add(.packetCount, ["adts"], "aac", parses: true)
        add(.bytes, ["wav", "w64", "au", "caf"])
        add(.bytes, ["aiff"], keepsVideoAsCover: true)
        add(.bytes, ["mxf", "dv"])
        add(.bytes, ["mxf_d10"], "mxf")
        add(.streamBytes, ["mp3", "flac"], keepsVideoAsCover: true)
        add(.streamBytes, ["mp2"], "mp3")
        add(.streamBytes, ["mpeg", "vob", "dvd", "svcd", "vcd"], "mpeg")
        add(.streamBytes, ["mpegts", "ac3", "eac3", "tta", "wv", "voc"])
        add(.duration, ["gif", "apng"])
        return table
    }()
}
