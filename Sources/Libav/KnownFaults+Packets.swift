internal import CLibav

// Packets that muxers of libav's abort, crash or give up at.
extension KnownFaults {
    private static let fragments: Set<String> = ["3g2", "3gp", "avif", "dash", "f4v", "ipod", "ismv", "mov", "mp4", "psp"]

    /// What a muxer takes of a stream's times.
    package struct Times: Sendable {
        /// Seconds between two packets, and before the first where `countsFromZero`.
        package var longestGap: Double?
        package var countsFromZero = false
        /// Seconds.
        package var latest: Double?
    }

    /// `timeBase` is the stream's in the file; `hasBlocks` says that its bytes tell the time, as those of PCM.
    static func times(of muxer: String, _ timeBase: Fraction, hasBlocks: Bool) -> Times {
        let tick = Double(timeBase.numerator) / Double(timeBase.denominator)
        switch muxer {
        // A packet's duration has 31 bits; fragments end in an assertion, others fail.
        case _ where fragments.contains(muxer): return Times(longestGap: Double(Int32.max) * tick)
        // Each frame that is missing is written as an empty one, up to so many.
        case "avi" where !hasBlocks: return Times(longestGap: 60_000 * tick, countsFromZero: true)
        // Its times are 32 bits of milliseconds, and it indexes every second.
        case "asf", "asf_stream": return Times(latest: Double(Int32.max) / 1000)
        default: return Times()
        }
    }

    /// Its packets end in an assertion unless their times ascend over all streams.
    package static func needsOrder(_ muxer: String) -> Bool { ["asf", "asf_stream"].contains(muxer) }

    /// Written while others lack, packets of a part of a frame's time are thrown away.
    package static func dropsHeldPackets(_ muxer: String) -> Bool { ["mxf", "mxf_d10", "mxf_opatom"].contains(muxer) }

    /// Takes decoding times before zero, and no times of presentation.
    static func shiftsByPresentation(_ muxer: String) -> Bool { ["matroska", "webm", "webm_chunk"].contains(muxer) }

    /// Fails at packets before its first.
    static func beginsWithFirstPacket(_ muxer: String) -> Bool { muxer == "flv" }

    /// They end without any packet, but not with a stream that has none beside one that has some.
    private static let needingAllOrNone: Set<String> = ["dv", "mxf", "mxf_d10", "mxf_opatom"]

    /// A stream without a packet with which the muxer can't end. dash's trailer divides by zero; mp3 keeps pictures
    /// until there is sound, and is no file without.
    package static func missingStream(in muxer: String, isSilent: [Bool], isAudio: [Bool]) -> Int? {
        let isEmpty = isSilent.allSatisfy { $0 }
        return isSilent.indices.first { index in
            guard isSilent[index] else { return false }
            switch muxer {
            case "dash": return true
            case "mp3": return !isEmpty && isAudio[index]
            default: return !isEmpty && needingAllOrNone.contains(muxer)
            }
        }
    }

    /// hls says that it can be flushed, and then reads the packet that is not there. Ogg marks its last page as
    /// the end, by which decoders know what to cut off; after a flush it may have none left to mark.
    static func mayBeFlushed(_ muxer: String) -> Bool { !["hls", "oga", "ogg", "ogv", "opus", "spx"].contains(muxer) }
}
