import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// What clients may ask of libav, through the JSON they ask with.
@Suite struct OptionPolicyTests {
    private static let video: [(String, JSONValue)] = [
        ("type", "video"), ("frame_rate", .integer(25)), ("width", .integer(64)), ("height", .integer(48)),
    ]
    private static let audio: [(String, JSONValue)] = [
        ("type", "audio"), ("sample_rate", .integer(48_000)), ("num_channels", .integer(2)),
    ]

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        var object = JSONObject()
        for (name, value) in members { object[name] = value }
        return .object(object)
    }

    private static func request(
        dst: String = "a.mkv", format: String? = nil, stream: [(String, JSONValue)] = video, option: [String: String] = [:]
    ) throws -> CreateRequest {
        var members: [(String, JSONValue)] = [
            ("dst", .string(dst)), ("streams", .array([object(stream)])), ("open", object([("option", .map(option))])),
        ]
        if let format { members.append(("format", .string(format))) }
        // Over the wire and back: names and values as a client's bytes have them.
        return try CreateRequest(try JSONParser.parse(object(members).encoded))
    }

    /// What is wrong with it; nil when it may go on to libav.
    private static func problem(_ request: CreateRequest, _ policy: ClientPolicy = .enforced) throws -> Problem? {
        let muxer = try StreamWriter.resolveMuxer(format: request.format, name: request.dst ?? "")
        do throws(Problem) {
            try OptionPolicy(policy).check(request, for: muxer)
            return nil
        } catch {
            return error
        }
    }

    private func expectForbidden(_ request: CreateRequest, _ parameter: String, _ what: Comment) throws {
        let problem = try #require(try Self.problem(request), what)
        #expect(problem.code == .forbiddenOption, what)
        #expect(problem.code.status == 403)
        #expect(problem.parameter?.hasPrefix(parameter) == true, "\(what): \(problem.parameter ?? "")")
        #expect(problem.detail.contains("not allowed"), what)
        #expect(try Self.problem(request, .absent) == nil, what)
    }

    // MARK: Attacks

    /// What one of the releases has not got is libav's to name there.
    private static func isUnknown(_ name: String, _ component: OptionInspection.Component) -> Bool {
        Attacks.ofOneRelease.contains(name) && OptionInspection.options(of: component) == nil
    }

    @Test(arguments: Attacks.videoFilters)
    func videoFilterThatReachesOutIsRefused(filter: String) throws {
        let name = String(filter.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
        if Self.isUnknown(name, .filter(name)) { return }
        let request = try Self.request(stream: Self.video + [("filter_desc", .string(filter))])
        try expectForbidden(request, "filter_desc", "\(filter)")
        #expect(try Self.problem(request)?.extras.first?.value == "/streams/0/filter_desc")
    }

    @Test(arguments: Attacks.audioFilters)
    func audioFilterThatReachesOutIsRefused(filter: String) throws {
        try expectForbidden(try Self.request(stream: Self.audio + [("filter_desc", .string(filter))]), "filter_desc", "\(filter)")
    }

    @Test(arguments: Attacks.encoderOptions.indices)
    func encoderOptionThatReachesOutIsRefused(index: Int) throws {
        let (encoder, option) = Attacks.encoderOptions[index]
        if Self.isUnknown(encoder, .encoder(encoder)) { return }
        let stream = Self.video + [("encoder", .string(encoder)), ("encoder_option", .map(option))]
        try expectForbidden(
            try Self.request(stream: stream), option.keys.first.map { "encoder_option.\($0)" } ?? "encoder", "\(encoder) \(option)")
    }

    @Test(arguments: Attacks.unknownParameters.indices)
    func parameterThatIsInNoListIsRefusedByName(index: Int) throws {
        let (encoder, option) = Attacks.unknownParameters[index]
        let stream = Self.video + [("encoder", .string(encoder)), ("encoder_option", .map(option))]
        let problem = try #require(try Self.problem(try Self.request(stream: stream)))
        #expect(problem.code == .unknownOption)
        #expect(problem.parameter == "encoder_option.\(option.keys.first!)")
        #expect((problem.supported?.count ?? 0) > 3)
    }

    @Test(arguments: Attacks.muxerOptions.indices)
    func muxerAndProtocolOptionThatReachesOutIsRefused(index: Int) throws {
        let (dst, format, option) = Attacks.muxerOptions[index]
        let hasGone = option.keys.contains { Attacks.ofOneRelease.contains($0) && OptionInspection.options(of: .muxer("hls"))?[$0] == nil }
        if hasGone { return }
        let request = try Self.request(dst: dst, format: format ?? (dst.hasPrefix("sap:") ? "sap" : nil), option: option)
        let parameter = ["sap", "hds", "smoothstreaming", "tee", "fifo"].contains(request.format) ? "format" : "option."
        try expectForbidden(request, parameter, "\(dst) \(option)")
    }

    @Test(arguments: Attacks.hardware)
    func deviceThatIsNoGPUIsRefused(device: String) throws {
        let stream = Self.video + [("hw_accel", .string(device)), ("encoder", "h264_vaapi")]
        try expectForbidden(try Self.request(stream: stream), "hw_accel", "\(device)")
    }

    @Test func thereAreMoreThanAHundredAndTwentyOfThem() {
        let counts = [
            Attacks.videoFilters.count, Attacks.audioFilters.count, Attacks.encoderOptions.count, Attacks.unknownParameters.count,
            Attacks.muxerOptions.count, Attacks.hardware.count,
        ]
        #expect(counts.reduce(0, +) > 250)
    }

    // MARK: Everyday use

    @Test(arguments: Ordinary.videoFilters)
    func everydayVideoFilterIsAllowed(filter: String) throws {
        #expect(try Self.problem(try Self.request(stream: Self.video + [("filter_desc", .string(filter))])) == nil)
    }

    @Test(arguments: Ordinary.audioFilters)
    func everydayAudioFilterIsAllowed(filter: String) throws {
        #expect(try Self.problem(try Self.request(stream: Self.audio + [("filter_desc", .string(filter))])) == nil)
    }

    @Test(arguments: Ordinary.encoderOptions.indices)
    func everydayEncoderOptionIsAllowed(index: Int) throws {
        let (encoder, option) = Ordinary.encoderOptions[index]
        let stream = Self.video + [("encoder", .string(encoder)), ("encoder_option", .map(option))]
        #expect(try Self.problem(try Self.request(stream: stream)) == nil)
    }

    @Test(arguments: Ordinary.muxerOptions.indices)
    func everydayMuxerAndProtocolOptionIsAllowed(index: Int) throws {
        let (dst, format, option) = Ordinary.muxerOptions[index]
        #expect(try Self.problem(try Self.request(dst: dst, format: format, option: option)) == nil)
    }

    @Test(arguments: Ordinary.hardware)
    func everydayDeviceIsAllowed(device: String) throws {
        #expect(try Self.problem(try Self.request(stream: Self.video + [("hw_accel", .string(device)), ("encoder", "h264_vaapi")])) == nil)
    }

    @Test func framesAsAddressesAreForMuxersThatWantThem() throws {
        let stream = Self.video + [("encoder", "wrapped_avframe")]
        #expect(try Self.problem(try Self.request(dst: "a.y4m", stream: stream)) == nil)
        #expect(try Self.problem(try Self.request(dst: "a.nut", stream: stream))?.parameter == "encoder")
    }

    // MARK: What can't be read

    @Test(arguments: ["hflip=1,movie=/etc/passwd", "movie=/etc/passwd[a]b", "psnr=stats_version=2:/tmp/x", "movie=/etc/passwd,[a", "sws_flags=movie=/etc/passwd", "hflip,drawbox=enable=1:1:1:1:1:1:1:1:1:1:1:1:1:1"])
    func descriptionThatCantBeReadNeverReachesLibav(filter: String) throws {
        let problem = try #require(try Self.problem(try Self.request(stream: Self.video + [("filter_desc", .string(filter))])))
        #expect(problem.code == .invalidFilter)
        #expect(problem.parameter == "filter_desc")
    }

    @Test(arguments: ["nosuch=1", "hflip,nosuch", "scale=nosuch=1", "scale=w=32:hh=24"])
    func whatLibavDoesNotKnowIsItsToName(filter: String) throws {
        #expect(try Self.problem(try Self.request(stream: Self.video + [("filter_desc", .string(filter))])) == nil)
    }
}
