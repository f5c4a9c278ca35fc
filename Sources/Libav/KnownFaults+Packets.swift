internal import CLibav

// Packets that muxers of libav's abort, crash or give up at.
extension KnownFaults {
    private static let fragments: Set<String> = ["3g2", "3gp", "avif", "dash", "f4v", "ipod", "ismv", "mov", "mp4", "psp"]

    private static let mpegSystems: Set<String> = ["mpegts", "hls", "rtp_mpegts"]

    /// Before a muxer is given the stream. MPEG-TS has names for 7 channels of Opus in the streams of RFC 7845, 5.1.1.2,
    /// and libopus's encoder makes others unless it is told to (`mapping_family`): what is written then can't be read.
    static func check(_ stream: StreamParameters, in muxer: String) throws(LibavError) {
        let codec = stream.codec.pointer.pointee
        guard mpegSystems.contains(muxer), codec.codec_id == AV_CODEC_ID_OPUS, codec.extradata_size > 20, let head = codec.extradata else { return }
        // RFC 7845, 5.1: the numbers of channels, of the family, and of streams that have two.
        guard head[9] == 7, head[18] == 1, head[20] != 3 else { return }
        var error = refusal(
            "\(muxer) can't say what 7 channels of Opus are as this encoder makes them: with encoder_option.mapping_family=1 it can, and with another encoder_num_channels; ogg and matroska take them as they are")
        error.parameter = "encoder_num_channels"
        throw error
    }

    /// What a muxer takes of a stream's times.
    package struct Times: Sendable {
        /// Seconds between two packets, and before the first where `countsFromZero`.
        package var longestGap: Double?
        package var countsFromZero = false
        /// Seconds.
        package var latest: Double?
        /// What it counts the times of pictures in, where libav gives up at two of one time.
        package var tick: Fraction?

        package init(longestGap: Double? = nil, countsFromZero: Bool = false, latest: Double? = nil, tick: Fraction? = nil) {
            self.longestGap = longestGap
            self.countsFromZero = countsFromZero
            self.latest = latest
            self.tick = tick
        }
    }

    /// `timeBase` is the stream's in the file; `hasBlocks` says that its bytes tell the time, as those of PCM.
    static func times(of muxer: String, _ timeBase: Fraction, hasBlocks: Bool, isMPEG4: Bool) -> Times {
        var times = times(of: muxer, timeBase, hasBlocks: hasBlocks)
        // Its encoder counts the seconds between two pictures one by one, and gives up at more.
        if isMPEG4 { times.longestGap = min(times.longestGap ?? .infinity, 3600) }
        return times
    }

    private static func times(of muxer: String, _ timeBase: Fraction, hasBlocks: Bool) -> Times {
        let tick = Double(timeBase.numerator) / Double(timeBase.denominator)
        switch muxer {
        // A packet's duration has 31 bits; fragments end in an assertion, others fail.
        case _ where fragments.contains(muxer): return Times(longestGap: Double(Int32.max) * tick)
        // Each frame that is missing is written as an empty one, up to so many.
        case "avi" where !hasBlocks: return Times(longestGap: 60_000 * tick, countsFromZero: true)
        // Its times are 32 bits of milliseconds, and it indexes every second.
        case "asf", "asf_stream": return Times(latest: Double(Int32.max) / 1000)
        // A picture's time is kept as what it is behind its decoding time, which is that of the pictures before
        // the gap: 24 bits of milliseconds.
        case "flv": return Times(longestGap: Double(1 << 23) / 1000, countsFromZero: true)
        // Times begin anew after 2^33 units of 1/90000 s, which readers know from those that go back by a half.
        case _ where mpegSystems.contains(muxer): return Times(longestGap: Double(Int64(1) << 32) / 90_000, countsFromZero: true)
        // How long a picture is shown has 16 bits of 1/100 s, and 24 of 1/1000.
        case "gif": return Times(longestGap: 655.35, countsFromZero: true)
        case "webp": return Times(longestGap: Double(1 << 24) / 1000, countsFromZero: true)
        // libav reads it back as 31 bits of 1/100000 s.
        case "apng": return Times(longestGap: Double(Int32.max) / 100_000, countsFromZero: true)
        default: return Times()
        }
    }

    /// How a muxer takes streams that end at different times.
    package enum Ending: Sendable {
        case apart
        /// What one has beyond another is left out.
        case together
        /// What sound has beyond the pictures is left out: it is written with them.
        case withPictures
    }

    package static func ending(of muxer: String) -> Ending {
        switch muxer {
        case "mxf", "mxf_d10", "dv": .together
        case "swf", "avm2": .withPictures
        default: .apart
        }
    }

    /// Its packets end in an assertion unless their times ascend over all streams.
    package static func needsOrder(_ muxer: String) -> Bool { ["asf", "asf_stream"].contains(muxer) }

    /// Written while others lack, packets of a part of a frame's time are thrown away.
    package static func dropsHeldPackets(_ muxer: String) -> Bool { ["mxf", "mxf_d10", "mxf_opatom"].contains(muxer) }

    /// Takes decoding times before zero, and no times of presentation.
    static func shiftsByPresentation(_ muxer: String) -> Bool { ["matroska", "webm", "webm_chunk"].contains(muxer) }

    /// Keeps a fragment or a segment in memory until it is whole, and does not look whether there was any.
    static func keepsFragments(_ muxer: String) -> Bool {
        ["3g2", "3gp", "dash", "f4v", "hls", "ipod", "ismv", "mov", "mp4", "psp", "smoothstreaming"].contains(muxer)
    }

    /// Fails at packets whose times are before that of its first.
    static func beginsWithFirstPacket(_ muxer: String) -> Bool { muxer == "flv" }

    /// A stream without a packet with which the muxer can't end. dash's trailer divides by zero; mp3 keeps pictures
    /// until there is sound, and is no file without.
    package static func missingStream(in muxer: String, isSilent: [Bool], isAudio: [Bool]) -> Int? {
        let isEmpty = isSilent.allSatisfy { $0 }
        return isSilent.indices.first { index in
            guard isSilent[index] else { return false }
            return muxer == "dash" || muxer == "mp3" && !isEmpty && isAudio[index]
        }
    }

    /// Leaves out packets without bytes, which are pictures of Theora that are as the one before: all of them since
    /// FFmpeg 7, before that those of a last page.
    static func losesEmptyPackets(_ muxer: String) -> Bool {
        ["oga", "ogg", "ogv", "segment", "stream_segment,ssegment"].contains(muxer)
    }

    /// The most bytes that the sizes in its headers, of 32 bits, can tell; they would begin anew.
    package static func mostBytes(of muxer: String) -> Int64? {
        let counting: Set<String> = [
            "aiff", "apm", "argo_asf", "argo_cvg", "ast", "au", "avm2", "film_cpk", "kvag", "mmf", "rm", "swf", "wav", "wsaud",
        ]
        return counting.contains(muxer) ? Int64(UInt32.max) : nil
    }

    /// hls says that it can be flushed, and then reads the packet that is not there. Ogg marks its last page as
    /// the end, by which decoders know what to cut off; after a flush it may have none left to mark.
    static func mayBeFlushed(_ muxer: String) -> Bool { !["hls", "oga", "ogg", "ogv", "opus", "spx"].contains(muxer) }
}
