import Foundation
import StreamWriter
import Testing

/// Samples of 64 bits, made of floats.
@Suite struct WideSampleTests {
    let folder = TemporaryFolder()

    private static let values: [Double] = [
        0, 0.5, 1, 1.5, 0.999999, -0.5, -0.999999, -1, -1.5, 1e30, -1e30, 0x1p-63, -0x1p-62, 0.25, 1.nextDown, (-1.0).nextUp,
    ]

    /// What 64 bits have of it: 2^63 to a full scale, rounded to the nearest, and no more than there is.
    private static func expected(_ value: Double) -> Int64 {
        let scaled = Float80(value) * 0x1p63
        if scaled >= 0x1p63 { return .max }
        return scaled <= -0x1p63 ? .min : Int64(scaled.rounded(.toNearestOrEven))
    }

    private func encoded(_ encoder: String, _ format: SampleFormat, _ values: [Double], _ change: (inout AudioStreamConfig) -> Void = { _ in }) throws -> [Int64] {
        var config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: format, encoder: encoder)
        change(&config)
        let data = format == .dbl ? values.withUnsafeBytes { Data($0) } : values.map(Float.init).withUnsafeBytes { Data($0) }
        try encode(.audio(config), data, to: folder.destination("a.nut"))
        return try decodeAudio(folder.path("a.nut"), codec: "pcm_s64le").withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
    }

    /// 1 became -1.
    @Test(arguments: ["pcm_s64le", "pcm_s64be"], [nil, "volume=1", "aformat=dblp", "pan=stereo|c0=c0|c1=c1", "asetnsamples=n=7:p=0"])
    func floatsAtFullScaleAreClippedAndDoNotTurnOver(encoder: String, filter: String?) throws {
        let values = (0..<200).flatMap { _ in Self.values }
        for format in [SampleFormat.flt, .dbl] {
            // libav may take them through floats of 32 bits.
            let sent = format == .flt ? values.map { Double(Float($0)) } : values
            let found = try encoded(encoder, format, values) { $0.filterDesc = filter }
            try #require(found.count == sent.count)
            for (index, value) in sent.enumerated() {
                let most = Self.expected(value)
                if filter == nil || format == .flt {
                    #expect(found[index] == most, "\(value): \(found[index])")
                } else {
                    #expect(abs(Double(found[index]) - Double(most)) <= 0x1p40, "\(value): \(found[index])")
                }
            }
        }
    }

    @Test func mixedSoundIsClipped() throws {
        // Both speak at full scale, in the whole.
        let found = try encoded("pcm_s64le", .flt, [Double](repeating: 1, count: 2 * 4800)) {
            $0.filterDesc = "pan=mono|c0=c0+c1"
        }
        #expect(found.count == 4800 && found.allSatisfy { $0 == .max })
    }

    @Test func anotherRateOvershootsAndIsClipped() throws {
        let square = (0..<4800).flatMap { index -> [Double] in [Double](repeating: index / 50 % 2 == 0 ? 1 : -1, count: 2) }
        let found = try encoded("pcm_s64le", .flt, square) { $0.encoderSampleRate = 96_000 }
        // In the middle of each half wave, of 100 samples.
        var checked = 0
        for half in 2..<90 {
            let sample = found[2 * (half * 100 + 50)]
            #expect(half % 2 == 0 ? sample > 1 << 62 : sample < -1 << 62, "\(half): \(sample)")
            checked += 1
        }
        // Beside the edges it is beyond full scale.
        #expect(checked == 88 && found.contains(.max) && found.contains(.min))
    }

    @Test func wholeNumbersStayWhatTheyAreThroughFilters() throws {
        let values: [Int64] = [.max, .min, 1, -1, 0, 0x7fff_ffff_ffff_fff0, 0x1234_5678_9abc_def1, -2]
        let config = AudioStreamConfig(sampleRate: 48_000, numChannels: 2, format: .s64, encoder: "pcm_s64le", filterDesc: "asetnsamples=3")
        let data = values.withUnsafeBytes { Data($0) }
        try encode(.audio(config), data, to: folder.destination("a.nut"))
        #expect(try decodeAudio(folder.path("a.nut"), codec: "pcm_s64le").prefix(data.count) == data)
    }
}
