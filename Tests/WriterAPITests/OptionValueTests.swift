import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// Values that a muxer does not take are refused before it is made, whatever it would open.
@Suite struct OptionValueTests {
    private func problem(_ format: String, _ option: [String: String]) throws -> Problem? {
        do {
            try OptionPolicy(.enforced).check(option: option, for: StreamWriter.resolveMuxer(format: format, name: ""))
            return nil
        } catch let problem as Problem {
            return problem
        }
    }

    /// The words are those that `ffmpeg -f … -option value` prints.
    @Test(arguments: [
        ("dash", "seg_duration", "100000", "seg_duration"), ("dash", "window_size", "-1", "out of range"), ("hls", "start_number", "-3", "out of range"), ("hls", "hls_time", "-1", "hls_time"),
        ("image2", "start_number", "99999999999", "out of range"), ("segment", "segment_wrap", "-1", "out of range"), ("mp4", "movflags", "faststat", "faststat"), ("mpegts", "muxrate", "fast", "fast"),
    ])
    func valueThatAMuxerDoesNotTakeIsRefused(format: String, option: String, value: String, says: String) throws {
        let found = try #require(try problem(format, [option: value]))
        #expect(found.code == .unsupportedValue && found.parameter == "option.\(option)", "\(found.detail)")
        #expect(found.detail.contains(says), "\(found.detail)")
    }

    @Test func choicesAreNamed() throws {
        #expect(try problem("hls", ["hls_segment_type": "mp5"])?.supported == ["mpegts", "fmp4"])
    }

    @Test func valuesThatMuxersTakeAndOptionsOfOthersAreNotRefused() throws {
        for (format, option) in [
            ("dash", ["seg_duration": "4", "window_size": "5"]), ("hls", ["start_number": "0x10", "hls_time": "00:00:02", "hls_flags": "+independent_segments"]),
            ("mpegts", ["pbkeylen": "x", "latency": "200000"]), ("mp4", ["movflags": "+faststart", "brand": "isom"]), ("image2", ["start_number": "1000000000"]),
        ] { #expect(try problem(format, option) == nil) }
    }

    /// img2enc.c and segment.c count in an int, hlsenc.c in 64 bits.
    @Test(arguments: [
        ("image2", "start_number", "2147483640", "1073741823"), ("segment", "segment_start_number", "0x7fffffff", "1073741823"), ("hls", "start_number", "9223372036854775807", "4611686018427387904"),
        ("webm_chunk", "chunk_start_index", "2147483647", "1073741823"),
    ])
    func numberAfterWhichFilesWouldHaveNegativeOnesIsRefused(format: String, option: String, value: String, most: String) throws {
        let found = try #require(try problem(format, [option: value]))
        #expect(found.code == .invalidParameter && found.parameter == "option.\(option)" && found.detail.contains("at most \(most)"), "\(found.detail)")
        #expect(try problem(format, [option: most]) == nil)
    }

    /// wavenc.c: 2 is "only".
    @Test(arguments: ["only", "2", "1+1"]) func fileOfPeaksAloneIsRefused(value: String) throws {
        let found = try #require(try problem("wav", ["write_peak": value]))
        #expect(found.code == .unsupportedValue && found.parameter == "option.write_peak")
        for right in try #require(found.supported) { #expect(try problem("wav", ["write_peak": right]) == nil) }
    }
}
