import Bytewise
import StreamWriter
import WriterModel

/// Values of a muxer's options that could only fail once it is opened, where the destination would seem to be at
/// fault, or whose file would not be what was sent.
enum OptionValueJudge {
    static func check(_ option: [String: String], for muxer: String) throws(Problem) {
        try asProblem { () throws(StreamWriterError) in try OptionInspection.checkValues(option, ofMuxer: muxer) }
        for counter in counters where counter.muxers.contains(muxer) && option[counter.option] != nil {
            guard let value = OptionInspection.integer(counter.option, in: option, ofMuxer: muxer), value > counter.most else { continue }
            throw Problem(
                .invalidParameter,
                "The option \(counter.option) can't be used for \(muxer): beyond \(counter.last) the numbers of its files would be negative. It may be at most \(counter.most).",
                parameter: "option.\(counter.option)")
        }
        if muxer.isSame(as: "wav"), OptionInspection.integer("write_peak", in: option, ofMuxer: muxer) == peaksAlone {
            throw Problem(
                .unsupportedValue, "The option write_peak can't be used so for wav: the file would hold peaks, and none of the samples. \"on\" writes both.",
                parameter: "option.write_peak", supported: ["off", "on"])
        }
    }

    /// "only", in FFmpeg's wavenc.c.
    private static let peaksAlone: Int64 = 2

    /// Numbers that a muxer's files begin with: as far again there is room for more.
    private static let counters: [(muxers: Set<String>, option: String, last: Int64, most: Int64)] = [
        (["image2"], "start_number", Int64(Int32.max), Int64(Int32.max) / 2),
        (["segment", "stream_segment,ssegment"], "segment_start_number", Int64(Int32.max), Int64(Int32.max) / 2),
        (["webm_chunk"], "chunk_start_index", Int64(Int32.max), Int64(Int32.max) / 2),
        (["hls"], "start_number", Int64.max, 1 << 62),
    ]
}
