import StreamWriter
import Testing
import WriterAPI

/// Everything of libav's that clients may ask for, over input that few send: none of it gives away what
/// was never written, ends its process, or does not end.
@Suite(.serialized) struct FaultRunTests {
    private static let advice: Comment =
        "Refuse what it can't take in Sources/Libav/KnownFaults….swift, as narrowly as can be, with a reason."
    private static let untriedAdvice: Comment =
        "Give them what they need in Tests/FaultRun/FilterDescriptions.swift, or say here why they can't be tried."

    private static func allowed(_ names: [String], _ table: JudgementTable) -> [String] {
        names.filter { name in table[name].map { $0.refusal == nil } ?? false }
    }

    /// They are for a GPU, and are refused without one.
    private static func isForHardware(_ name: String) -> Bool {
        ["_opencl", "_vulkan", "_vaapi", "_qsv", "_cuda", "_nvenc", "_v4l2m2m", "_amf", "_omx"].contains { name.hasSuffix($0) || name.contains($0 + "_") }
            || ["hwmap", "hwupload", "hwdownload", "libplacebo"].contains(name)
    }

    // MARK: Filters

    /// By name: why none of them gives output here.
    private static let untriedFilters: [String: String] = [:]

    @Test(.timeLimit(.minutes(45)))
    func noFilterGivesAwayWhatWasNeverWritten() async throws {
        let names = Self.allowed(Capabilities.filters().map(\.name), .filters).filter { !Self.isForHardware($0) }
        let comparison = try await FaultRun.compare(names.map { "filter\t\($0)" })
        #expect(comparison.findings == [], Self.advice)
        let untried = Set(comparison.withoutOutput.map { String($0.dropFirst("filter ".count)) })
        #expect(untried.sorted() == Self.untriedFilters.keys.sorted(), Self.untriedAdvice)
        #expect(comparison.lines.count > 20_000)
    }

    // MARK: Encoders

    private static func encoders(_ kind: String) throws -> [String] {
        let names = Capabilities.encoders(kind == "audio" ? .audio : .video).map(\.name)
        let muxer = try StreamWriter.resolveMuxer(format: "framemd5", name: "")
        return allowed(names, .encoders).filter { name in
            let config: StreamConfig =
                kind == "audio"
                ? .audio(.init(sampleRate: 48_000, numChannels: 2, encoder: name))
                : .video(.init(frameRate: Rational(25, 1)!, width: 16, height: 16, encoder: name))
            let isAllowed = (try? OptionPolicy(.enforced).check(config, for: muxer, destination: "")) != nil
            return isAllowed && !isForHardware(name)
        }
    }

    /// By name: why none of them gives output here.
    private static let untriedEncoders: [String: String] = [:]

    @Test(.timeLimit(.minutes(45)), arguments: ["audio", "video"])
    func noEncoderGivesAwayWhatWasNeverWritten(kind: String) async throws {
        let comparison = try await FaultRun.compare(try Self.encoders(kind).map { "\(kind)-encoder\t\($0)" })
        #expect(comparison.findings == [], Self.advice)
        let untried = Set(comparison.withoutOutput.map { String($0.dropFirst("\(kind)-encoder ".count)) })
        let expected = Self.untriedEncoders.keys.filter { Capabilities.encoder(named: $0)?.kind.rawValue == kind }
        #expect(untried.sorted() == expected.sorted(), Self.untriedAdvice)
        #expect(comparison.lines.count > 3_000)
    }

    @Test(.timeLimit(.minutes(45)), arguments: ["audio", "video"])
    func noEncoderDiesOfLittleOrFarOrStrangeInput(kind: String) async throws {
        let outcome = try await FaultRun.run(try Self.encoders(kind).map { "\(kind)-extremes\t\($0)" })
        #expect(outcome.findings == [], Self.advice)
        #expect(outcome.lines.count > 500)
    }

    // MARK: Muxers

    @Test(.timeLimit(.minutes(45)))
    func noMuxerDiesOfStreamsFarApartOrOfFarTimes() async throws {
        let names = Self.allowed(Capabilities.muxers().map(\.name), .muxers)
        let outcome = try await FaultRun.run(names.map { "muxer\t\($0)" })
        #expect(outcome.findings == [], Self.advice)
        #expect(outcome.lines.count > 1_000)
    }
}
