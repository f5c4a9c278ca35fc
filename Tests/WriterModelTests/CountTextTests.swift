import Testing
import WriterModel

@Suite struct CountTextTests {
    // As `ffmpeg -b` has them (av_strtod of libavutil/eval.c).
    @Test(arguments: [
        ("32k", 32_000), ("32K", 32_000), ("2M", 2_000_000), ("2.5M", 2_500_000), ("1Mi", 1_048_576), ("16kB", 128_000), ("0.3M", 300_000),
        ("128000", 128_000), ("1.000k", 1_000), ("64Ki", 65_536), ("-1", -1), ("1G", 1_000_000_000),
    ])
    func aCountMayHaveAPostfix(text: String, count: Int) { #expect(CountText.value(of: text) == count) }

    @Test(arguments: ["", "k", "1.5", "32kk", "32 k", "0.0001k", "1e3", "0x10", "32m", "99999999999999999999", "9999999T", "--1", "1.2.3", "3i", "٣k"])
    func whatIsNoWholeNumberIsNoCount(text: String) { #expect(CountText.value(of: text) == nil) }
}
