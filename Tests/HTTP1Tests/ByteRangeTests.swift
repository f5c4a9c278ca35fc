import HTTP1
import Testing

@Suite struct ByteRangeTests {
    // RFC 9110 §14.1.2 has the first six, for content of 10,000 bytes.
    @Test(arguments: [
        ("bytes=0-499", 0..<500),
        ("bytes=500-999", 500..<1000),
        ("bytes=-500", 9500..<10000),
        ("bytes=9500-", 9500..<10000),
        ("bytes=0-0", 0..<1),
        ("bytes=-1", 9999..<10000),
        ("Bytes=5-5", 5..<6),
        ("bytes=0-", 0..<10000),
        ("bytes=9999-9999", 9999..<10000),
        ("bytes=9999-10000", 9999..<10000),
        ("bytes=0-99999", 0..<10000),
        ("bytes=-20000", 0..<10000),
        ("bytes=000-001", 0..<2),
        ("bytes=1-18446744073709551615", 1..<10000),
        ("bytes=1-99999999999999999999999", 1..<10000),
        ("bytes=-99999999999999999999999", 0..<10000),
    ] as [(String, Range<UInt64>)])
    func rangeIsResolved(_ header: String, _ range: Range<UInt64>) {
        #expect(ByteRange.resolve(header, length: 10_000) == .range(range))
    }

    @Test(arguments: [
        "bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=18446744073709551615-",
        "bytes=99999999999999999999999-", "bytes=99999999999999999999998-99999999999999999999999",
    ])
    func rangePastTheEndIsUnsatisfiable(_ header: String) {
        #expect(ByteRange.resolve(header, length: 10_000) == .unsatisfiable)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=2-1", "bytes=+1-2", "bytes=1-+2",
        "bytes=1--2", "bytes=--1", "bytes= 1-2", "bytes=1-2 ", "bytes=1 -2", "bytes=0x1-2", "bytes =1-2", "items=1-2",
        "bytes=0-1,3-4", "bytes=0-1,", "bytes=-1,-2", "bytes:0-1", "bytes=١-٢",
    ])
    func otherRangesAreTreatedAsWhole(_ header: String) {
        #expect(ByteRange.resolve(header, length: 10_000) == .whole)
    }

    @Test func contentOfNothingHasNoRange() {
        #expect(ByteRange.resolve("bytes=0-", length: 0) == .unsatisfiable)
        #expect(ByteRange.resolve("bytes=0-0", length: 0) == .unsatisfiable)
        #expect(ByteRange.resolve("bytes=-1", length: 0) == .whole)
    }

    @Test func longestContentHasALastByte() {
        #expect(ByteRange.resolve("bytes=0-18446744073709551615", length: .max) == .range(0..<UInt64.max))
        #expect(ByteRange.resolve("bytes=-1", length: .max) == .range(UInt64.max - 1..<UInt64.max))
    }
}
