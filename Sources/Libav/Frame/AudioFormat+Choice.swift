internal import CLibav

extension AudioFormat {
    /// The one of `candidates` that keeps most of `source`: of integers as many bits as there are, of floats
    /// that they are floats; then the one with the fewest bits to spare.
    package static func best(of candidates: [AudioFormat], for source: AudioFormat) -> AudioFormat? {
        func rank(_ format: AudioFormat) -> [Int] {
            let lost = max(0, source.bits - format.bits)
            let isOther = format.isFloat == source.isFloat ? 0 : 1
            return (source.isFloat ? [isOther, lost] : [lost, isOther])
                + [max(0, format.bits - source.bits), format.isPlanar == source.isPlanar ? 0 : 1]
        }
        return candidates.min { rank($0).lexicographicallyPrecedes(rank($1)) }
    }

    package var isPlanar: Bool { av_sample_fmt_is_planar(id) != 0 }

    package var isFloat: Bool { [AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_DBL].contains(av_get_packed_sample_fmt(id)) }

    /// Of the largest integers it holds every one of: a float's are those of its fraction.
    package var bits: Int {
        switch av_get_packed_sample_fmt(id) {
        case AV_SAMPLE_FMT_FLT: 24
        case AV_SAMPLE_FMT_DBL: 53
        default: bytesPerSample * 8
        }
    }
}
