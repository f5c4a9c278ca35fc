import HTTP1
import StreamWriter
import Testing
import WriterAPI
import WriterModel

@Suite struct WriterPlanTests {
    private static let audio = #"{"type": "audio", "sample_rate": 48000, "num_channels": 2}"#
    private static let video = #"{"type": "video", "frame_rate": 25, "width": 16, "height": 16}"#

    private func plan(
        _ json: String, _ policy: OutputPolicy = OutputPolicy(), others: [String] = [], _ clientPolicy: ClientPolicy = .enforced
    ) throws -> WriterPlan {
        try WriterPlan(
            try CreateRequest(try JSONParser.parse(Array(json.utf8))), policy: policy, others: OthersFolders(others),
            clientPolicy: clientPolicy)
    }

    @Test func aPlanSaysWhichMuxerWritesToWhat() throws {
        let allowed = OutputPolicy(patterns: ["rtmp://h/*", "srt://h:9"], allowsDevices: true)
        for (json, muxer, destination) in [
            (#"{"format": "wav"}"#, "wav", DestinationPlan.managed), (#"{"dst": "a/b.mp4"}"#, "mp4", .file("a/b.mp4")),
            (#"{"dst": "a/b.bin", "format": "adts"}"#, "adts", .file("a/b.bin")), (#"{"dst": "a/b.m3u8"}"#, "hls", .files("a/b.m3u8")),
            (#"{"dst": "stills/%d.png"}"#, "image2", .files("stills/%d.png")), (#"{"dst": "rtmp://h/live"}"#, "flv", .url("rtmp://h/live")),
            (#"{"dst": "srt://h:9"}"#, "mpegts", .url("srt://h:9")), (#"{"format": "null"}"#, "null", .nowhere),
            (#"{"format": "alsa"}"#, "alsa", .device("default")),
        ] {
            let plan = try plan(json, allowed)
            #expect(plan.muxer.name == muxer && plan.destination == destination, "\(json)")
        }
        let matroska = try plan(#"{"format": "matroska"}"#)
        #expect(matroska.fileExtension == "mkv")
    }

    @Test(arguments: [
        (#"{"dst": "../a.wav"}"#, ProblemCode.forbiddenDestination, "dst"), (#"{"dst": "/a.wav"}"#, .forbiddenDestination, "dst"),
        (#"{"dst": "a"}"#, .unknownFormat, "format"), (#"{"format": "nosuch"}"#, .unknownFormat, "format"),
        (#"{"dst": "rtmp://h/a"}"#, .forbiddenDestination, "dst"), (#"{"format": "alsa"}"#, .forbiddenDestination, "format"),
        (#"{"format": "hls"}"#, .invalidParameter, "dst"), (#"{"dst": "theirs/a.wav"}"#, .forbiddenDestination, "dst"),
        (#"{"dst": "theirs/deep/a.m3u8"}"#, .forbiddenDestination, "dst"),
        (#"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 8000, "num_channels": 1, "filter_desc": "amovie=/etc/passwd"}]}"#, .forbiddenOption, "filter_desc"),
        (#"{"dst": "a.m3u8", "streams": [\#(video)], "open": {"option": {"hls_segment_filename": "/tmp/%d.ts"}}}"#, .forbiddenOption, "option.hls_segment_filename"),
    ])
    func whatMayNotBeIsRefusedBeforeAnythingIsMade(json: String, code: ProblemCode, parameter: String) throws {
        let found = problem { _ = try plan(json, others: ["theirs"]) }
        #expect(found?.code == code && found?.parameter == parameter, "\(found?.detail ?? "")")
    }

    // MARK: Several outputs

    private static let places: OutputPolicy = {
        var policy = OutputPolicy(patterns: ["http://h:*/*", "http://h/*", "rtmp://h/*", "rtmp://h:*/*", "tcp://h:*"], stores: ["a", "b"])
        policy.locate(["a", "b"].map { StoreSettings(name: $0, fields: ["endpoint": "http://s3", "bucket": "k"], endpoint: "http://s3:80") })
        return policy
    }()

    private func two(_ one: String, _ other: String) -> String { #"{"streams": [\#(Self.video)], "outputs": [{"name": "a", \#(one)}, {"name": "b", \#(other)}]}"# }

    @Test(arguments: [
        (#""dst": "s3://a/k.mkv""#, #""dst": "s3://a/k.mkv""#), (#""dst": "s3://a/k.mkv""#, #""dst": "s3://b/k.mkv""#),
        (#""dst": "http://h/k.mkv""#, #""dst": "HTTP://H:80/%6b.mkv""#), (#""dst": "rtmp://h/app/key""#, #""dst": "rtmp://h:1935/app/key""#),
        (#""dst": "x/a0.ts", "format": "mpegts""#, #""dst": "x/a.m3u8""#),
        (#""dst": "x/a.m3u8", "option": {"hls_segment_filename": "s%d.ts"}"#, #""dst": "x/b.m3u8", "option": {"hls_segment_filename": "x/s%03d.ts"}"#),
        (#""dst": "x/a.mpd""#, #""dst": "x/b.mpd""#), (#""dst": "http://h/x/a.mpd""#, #""dst": "HTTP://h/x/b.mpd""#),
        (#""dst": "x/a.m3u8", "option": {"hls_segment_type": "fmp4"}"#, #""dst": "x/b.m3u8", "option": {"hls_segment_type": "fmp4"}"#),
        (#""dst": "x/%d.png""#, #""dst": "x/7.png", "option": {"update": 1}"#),
    ])
    func outputsThatWouldReplaceEachOtherAreRefused(one: String, other: String) {
        for (first, second) in [(one, other), (other, one)] {
            let found = problem { _ = try plan(two(first, second), Self.places) }
            #expect(found?.code == .invalidParameter && found?.parameter == "outputs.1.dst", "\(found?.detail ?? "none") \(first) \(second)")
            #expect(found?.detail.contains("the output a") == true)
        }
    }

    @Test(arguments: [
        (#""dst": "s3://a/k.mkv""#, #""dst": "s3://a/l.mkv""#), (#""dst": "http://h/k.mkv""#, #""dst": "http://h/k.mkv?n=2", "format": "matroska""#),
        (#""dst": "tcp://h:9", "format": "mpegts""#, #""dst": "tcp://h:9", "format": "mpegts""#),
        (#""dst": "x/a.m3u8""#, #""dst": "x/b.m3u8""#), (#""dst": "x/a.mpd""#, #""dst": "x/b.m3u8""#), (#""dst": "x/a.mpd""#, #""dst": "y/a.mpd""#),
        (#""dst": "x/a.mp4""#, #""dst": "x/a.m3u8""#), (#""format": "mp4""#, #""format": "mp4""#),
        (#""dst": "rtmp://h/", "option": {"rtmp_playpath": "a"}"#, #""dst": "rtmp://h/", "option": {"rtmp_playpath": "b"}"#),
    ])
    func outputsBesideEachOtherAreTaken(one: String, other: String) throws {
        let found = problem { _ = try plan(two(one, other), Self.places) }
        #expect(found == nil, "\(found?.detail ?? "") \(one) \(other)")
    }

    @Test func whatIsWrongWithAnOutputSaysWithWhich() {
        for (outputs, parameter) in [
            (two(#""dst": "../a.mp4""#, #""dst": "b.mp4""#), "outputs.0.dst"), (two(#""dst": "a.mp4""#, #""dst": "./b.mp4""#), "outputs.1.dst"),
            (two(#""dst": "rtmp://no/a""#, #""dst": "b.mp4""#), "outputs.0.dst"), (two(#""dst": "a.mp4""#, #""format": "nosuch""#), "outputs.1.format"),
            (two(#""dst": "http://h/a.mp4", "content_type": "\u00e9""#, #""dst": "b.mp4""#), "outputs.0.content_type"),
            (two(#""dst": "a.mp4""#, #""dst": "s3://a/b.mp4", "object_metadata": {"": "x"}"#), "outputs.1.object_metadata"),
        ] {
            let found = problem { _ = try plan(outputs, Self.places) }
            #expect(found?.parameter == parameter, "\(found?.detail ?? "none")")
            #expect(found?.extras.contains { $0.name == "pointer" } == true)
        }
        let long = String(repeating: "x", count: 2_049)
        for (field, detail) in [
            (#""object_metadata": {"k": "\#(long)"}"#, "object_metadata: it has 2050 bytes"), (#""object_metadata": {"a b": "x"}"#, "object_metadata \"a b\": a name is letters"),
            (#""content_type": "\u00e9""#, "content_type: it is printable ASCII"),
        ] {
            let found = problem { _ = try plan(#"{"dst": "s3://a/k.wav", \#(field)}"#, Self.places) }
            #expect(found?.detail.lowercased().contains(detail.lowercased()) == true, "\(found?.detail ?? "none")")
        }
    }

    @Test func withoutAPolicyOnlyWhatCanNotBeIsRefused() throws {
        #expect(try plan(#"{"dst": "/etc/a.wav"}"#, .init(), .absent).destination == .url("/etc/a.wav"))
        #expect(problem { _ = try plan(#"{"dst": "a"}"#, .init(), .absent) }?.code == .unknownFormat)
    }

    // MARK: Dry runs

    @Test func aDryRunOpensWhatCreatingWouldOpen() throws {
        let file = try plan(#"{"dst": "a.mp4", "streams": [\#(Self.video)]}"#).forDryRun()
        #expect(file.request.open == nil, "more streams may come")
        let given = try plan(#"{"dst": "a.mp4", "streams": [\#(Self.video)], "open": {"option": {"movflags": "faststart"}}}"#).forDryRun()
        #expect(given.request.open?.option == ["movflags": "faststart"])
    }

    @Test func aDryRunOfAURLLeavesItsProtocolsOptionsOut() throws {
        let policy = OutputPolicy(patterns: ["srt://h:9"])
        let url = try plan(
            #"{"dst": "srt://h:9", "streams": [\#(Self.audio)], "open": {"option": {"latency": "200000", "mpegts_flags": "resend_headers"}}}"#, policy
        ).forDryRun()
        #expect(url.request.open?.option == ["mpegts_flags": "resend_headers"])
    }

    @Test func aDryRunOfAMuxerOfManyFilesOpensNothingAndKnowsItsOptions() throws {
        let hls = #"{"dst": "a.m3u8", "streams": [\#(Self.video)], "open": {"option": {"hls_time": "2"OPTION}}}"#
        #expect(try plan(hls.replacing("OPTION", with: "")).forDryRun().request.open == nil)
        let found = problem { _ = try plan(hls.replacing("OPTION", with: #", "hls_tame": "2""#), .init(), .absent).forDryRun() }
        #expect(found?.code == .unknownOption && found?.parameter == "option.hls_tame")
    }

    // MARK: Encodings

    private func encoding(_ query: String) throws -> WriterPlan {
        let bytes = Array("POST /v1/encode?\(query) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { throw Problem(.malformedRequest, "unfinished") }
        return try WriterPlan(try EncodeRequest(head.target), policy: OutputPolicy(), clientPolicy: .enforced)
    }

    @Test func anEncodingIsPlannedLikeAWriterOfOneStream() throws {
        let plan = try encoding("format=mp3&sample_rate=16000&num_channels=1&metadata.title=t&option.write_xing=0")
        #expect(plan.muxer.name == "mp3" && plan.destination == .managed)
        #expect(plan.request.metadata == ["title": "t"] && plan.request.open?.option == ["write_xing": "0"])
        #expect(plan.request.streams.count == 1 && plan.request.format == "mp3" && plan.request.dst == nil)
    }

    @Test(arguments: [
        ("format=hls", ProblemCode.invalidParameter, "format"), ("format=image2", .invalidParameter, "format"), ("format=nosuch", .unknownFormat, "format"),
        ("format=mp3&filter_desc=amovie%3Dx", .forbiddenOption, "filter_desc"),
    ])
    func anEncodingThatCanNotBeOneFileOrReachesOutIsRefused(query: String, code: ProblemCode, parameter: String) {
        let found = problem { _ = try encoding(query + "&sample_rate=16000&num_channels=1") }
        #expect(found?.code == code && found?.parameter == parameter, "\(found?.detail ?? "")")
    }
}
