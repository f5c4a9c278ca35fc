import HTTP1
import StreamWriter
import Testing
import WriterAPI
import WriterModel

@Suite struct RequestTests {
    private func refusal(_ json: String) -> Problem? {
        do {
            _ = try CreateRequest(try JSONParser.parse(Array(json.utf8)))
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test func aWholeRequestIsRead() throws {
        let json = """
            {"dst": "a.mp4", "buffer_size": 4096, "overwrite": true, "metadata": {"title": "t"}, "open": {"option": {"movflags": "faststart", "x": 1}},
             "streams": [{"type": "video", "frame_rate": "30000/1001", "width": 64, "height": 48, "layout": "nchw",
              "field_order": "tt", "codec_tag": "avc3", "mastering_display": "G", "content_light_level": "1000,400",
              "codec_config": {"bit_rate": -1, "gop_size": 0, "qscale": 3}, "encoder_option": {"crf": 23}},
              {"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16", "channel_layout": "stereo", "codec_tag": "mp4a"}]}
            """
        let request = try CreateRequest(try JSONParser.parse(Array(json.utf8)))
        #expect(request.dst == "a.mp4" && request.bufferSize == 4096 && request.overwrite)
        #expect(request.open?.option == ["movflags": "faststart", "x": "1"])
        guard case .video(let video) = request.streams[0].config, case .audio(let audio) = request.streams[1].config else {
            Issue.record("the streams are of other kinds")
            return
        }
        #expect(video.frameRate == Rational(30000, 1001) && video.layout == .nchw && video.format == "rgb24")
        #expect(video.codecConfig == CodecConfig(qscale: 3, gopSize: 0))
        #expect(video.encoderOption == ["crf": "23"])
        #expect(video.fieldOrder == "tt" && video.codecTag == "avc3" && video.masteringDisplay == "G" && video.contentLightLevel == "1000,400")
        #expect(audio.format == .s16 && audio.numChannels == 2 && audio.channelLayout == "stereo" && audio.codecTag == "mp4a")
    }

    @Test(arguments: [
        (#"{"streams": []}"#, "/format"), (#"{"format": 5}"#, "/format"), (#"{"format": "wav", "open": true}"#, "/open"),
        (#"{"format": "wav", "streams": [{"type": "text"}]}"#, "/streams/0/type"),
        (#"{"format": "wav", "streams": [{"type": "audio", "num_channels": 1}]}"#, "/streams/0/sample_rate"),
        (#"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 1.5, "num_channels": 1}]}"#, "/streams/0/sample_rate"),
        (#"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 1, "num_channels": 1, "width": 3}]}"#, "/streams/0/width"),
        (#"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 1, "num_channels": 1, "codec_config": {"gop_size": 3}}]}"#, "/streams/0/codec_config/gop_size"),
        (#"{"format": "wav", "streams": [{"type": "video", "frame_rate": 0, "width": 1, "height": 1}]}"#, "/streams/0/frame_rate"),
        (#"{"format": "wav", "metadata": {"a": []}}"#, "/metadata/a"), (#"{"format": "wav", "colour": 1}"#, "/colour"), ("[]", ""),
    ])
    func whatIsWrongIsNamedByItsPlace(json: String, pointer: String) {
        let found = refusal(json)
        #expect(found?.code.status == 422)
        #expect(found?.extras.first { $0.name == "pointer" }?.value == .string(pointer))
    }

    @Test(arguments: [
        (#"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 1, "num_channels": 1, "codec_config": {"bit_rate": "x"}}]}"#, "codec_config.bit_rate"),
        (#"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 1, "num_channels": 1, "encoder_option": {"a/b": []}}]}"#, "encoder_option.a/b"),
        (#"{"format": "wav", "streams": [7]}"#, "streams.0"), (#"{"format": "wav", "open": {"option": {"b": []}}}"#, "option.b"),
        (#"{"format": "wav", "open": 7}"#, "open"), (#"{"format": "wav", "metadata": {"a": []}}"#, "metadata.a"),
    ])
    func aParameterHasItsWholeNameWhereverItsStreamStands(json: String, parameter: String) {
        #expect(refusal(json)?.parameter == parameter)
    }

    @Test(arguments: [
        ("sample_rate=8k&num_channels=1", "sample_rate", "sample_rate must be a whole number, and is \"8k\"."),
        ("sample_rate=8000&num_channels=1&codec_config.bit_rate=x", "codec_config.bit_rate", "codec_config.bit_rate must be a whole number such as 32000, \"32k\" or \"2.5M\", and is \"x\"."),
        ("num_channels=1", "sample_rate", "sample_rate is needed: a whole number."),
        ("sample_rate=8000&num_channels=1&sample_format=s7", "sample_format", "sample_format \"s7\" is no sample format."),
        ("sample_rate=8000&num_channels=1&sample_format=int16", "sample_format", "sample_format \"int16\" is no sample format. Did you mean s16?"),
        ("sample_rate=8000&channels=1", "channels", "There is no query parameter \"channels\" here. Did you mean num_channels?"),
        ("fps=25&width=2&height=2", "fps", "There is no query parameter \"fps\" here. Did you mean frame_rate?"),
        ("frame_rate=25&size=2x2", "size", "There is no query parameter \"size\" here. Did you mean width and height?"),
        ("frame_rate=25&width=2&height=2&pix_fmt=rgb24", "pix_fmt", "There is no query parameter \"pix_fmt\" here. Did you mean pixel_format?"),
        ("frame_rate=25&width=2&height=2&codec_config.crf=2", "codec_config.crf", "There is no query parameter \"codec_config.crf\" here. Did you mean encoder_option.crf?"),
        ("frame_rate=25&width=2&height=2&movflags=faststart", "movflags", "There is no query parameter \"movflags\" here. Did you mean option.movflags?"),
        ("frame_rate=25&width=2&height=2&layout=chw", "layout", "layout \"chw\" is no layout. Did you mean nchw?"),
        ("sample_rate=8000&num_channels=1&color=red", "color", "There is no query parameter \"color\" here."),
    ])
    func aProblemWithAQuerySpeaksOfTheQuery(query: String, parameter: String, says: String) throws {
        let bytes = Array("POST /v1/encode?format=mp3&\(query) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { return #expect(Bool(false)) }
        let found = #expect(throws: Problem.self) { try EncodeRequest(head.target) }
        #expect(found?.parameter == parameter)
        #expect(found?.detail.hasPrefix(says) == true, "\(found?.detail ?? "")")
        #expect(found?.extras.contains { $0.name == "pointer" } == false)
    }

    @Test func aQueryDescribesAnEncoding() throws {
        let query = "format=mp3&sample_rate=16000&num_channels=1&sample_format=s16&encoder_option.q=5&codec_config.bit_rate=64000"
            + "&metadata.title=a%20b&option.write_xing=0&filter_desc=12&channel_layout=5.1&codec_tag=1234"
        let bytes = Array("POST /v1/encode?\(query) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { return #expect(Bool(false)) }
        let request = try EncodeRequest(head.target)
        guard case .audio(let audio) = request.stream.config else { return #expect(Bool(false)) }
        #expect(request.format == "mp3" && request.metadata == ["title": "a b"] && request.option == ["write_xing": "0"])
        #expect(audio.sampleRate == 16000 && audio.format == .s16 && audio.filterDesc == "12")
        #expect(audio.channelLayout == "5.1" && audio.codecTag == "1234")
        #expect(audio.encoderOption == ["q": "5"] && audio.codecConfig.bitRate == 64000)
    }

    private func encoding(_ query: String) throws -> EncodeRequest {
        let bytes = Array("POST /v1/encode?\(query) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { throw Problem(.malformedRequest, "unfinished") }
        return try EncodeRequest(head.target)
    }

    @Test func flagsKeepTheirPlusesInAQueryAndOtherValuesHaveBlanks() throws {
        let request = try encoding(
            "format=mp4&width=2&height=2&frame_rate=25&encoder=mpeg4&encoder_option.flags=+mv4+qpel&disposition=default+forced"
                + "&option.movflags=frag_keyframe+empty_moov&option.brand=a+b&metadata.title=My+talk&metadata.comment=1%2B1&filter_desc=x=1%2B1")
        guard case .video(let video) = request.stream.config else { return #expect(Bool(false)) }
        #expect(request.option == ["movflags": "frag_keyframe+empty_moov", "brand": "a b"])
        #expect(request.metadata == ["title": "My talk", "comment": "1+1"] && video.filterDesc == "x=1+1")
        #expect(video.encoderOption == ["flags": "+mv4+qpel"] && video.disposition == ["default", "forced"])
    }

    @Test func flagsOfAFormatsOwnEncoderKeepTheirPluses() throws {
        let request = try encoding("format=mp4&sample_rate=8000&num_channels=2&channel_layout=FL+FR&encoder_option.flags=bitexact+low_delay")
        guard case .audio(let audio) = request.stream.config else { return #expect(Bool(false)) }
        #expect(audio.encoderOption == ["flags": "bitexact+low_delay"] && audio.channelLayout == "FL+FR")
    }

    @Test(arguments: [
        ("width=2&height=2&frame_rate=25", true), ("frame_rate=30000/1001&width=2&height=2&pixel_format=gray8", true),
        ("sample_rate=8000&num_channels=1", false), ("type=audio&sample_rate=8000&num_channels=1", false),
    ])
    func theKindOfAnEncodingFollowsFromItsParameters(query: String, isVideo: Bool) throws {
        let config = try encoding("format=mkv&" + query).stream.config
        if case .video = config { #expect(isVideo) } else { #expect(!isVideo) }
    }

    @Test(arguments: ["sample_rate", "format", "metadata.title", "option.x", "encoder_option.x"])
    func aParameterThatIsGivenTwiceIsRefused(name: String) {
        let found = problem { _ = try encoding("format=wav&sample_rate=8000&num_channels=1&\(name)=1&\(name)=2") }
        #expect(found?.code == .invalidParameter && found?.parameter == name)
    }

    /// As generated clients write OpenAPI's deepObject, percent-encoded.
    @Test func bracketsInAQuerySayWhatDotsDo() throws {
        let request = try encoding(
            "format=mp4&frame_rate=25&width=2&height=2&encoder_option%5Bcrf%5D=23&codec_config%5Bgop_size%5D=5&metadata%5Ba.b%5D=c&option%5Bmovflags%5D=faststart")
        guard case .video(let video) = request.stream.config else { return #expect(Bool(false)) }
        #expect(video.encoderOption == ["crf": "23"] && video.codecConfig.gopSize == 5)
        #expect(request.metadata == ["a.b": "c"] && request.option == ["movflags": "faststart"])
        let twice = problem { _ = try encoding("format=wav&sample_rate=8000&num_channels=1&encoder_option.x=1&encoder_option%5Bx%5D=2") }
        #expect(twice?.code == .invalidParameter && twice?.parameter == "encoder_option[x]")
    }

    @Test(arguments: [("sample_rate=8000&num_channels=1&pixel_format=s16", "pixel_format"), ("frame_rate=25&width=2&height=2&pixel_format=rgb24&sample_format=s16", "sample_format")])
    func theFormatOfTheOtherKindIsRefused(query: String, parameter: String) {
        let found = problem { _ = try encoding("format=mkv&" + query) }
        #expect(found?.code == .unknownParameter && found?.parameter == parameter)
    }

    @Test func whatIsUnknownIsSaidBeforeWhatIsMissing() {
        let requests = [
            #"{"format": "wav", "streams": [{"type": "audio", "channels": 1}]}"#: "channels", #"{"url": "a.wav"}"#: "url",
            #"{"url": "a.wav", "streams": [{"type": "audio"}]}"#: "url", #"{"format": "mkv", "streams": [{"fps": 3, "width": 4}]}"#: "fps",
        ]
        for (request, parameter) in requests { #expect(refusal(request)?.parameter == parameter, "\(request)") }
        #expect(problem { _ = try encoding("sr=8000") }?.parameter == "sr")
        #expect(refusal(#"{"url": "a.wav"}"#)?.extras.first { $0.name == "did_you_mean" }?.value == "dst")
    }

    @Test(arguments: [(#""32k""#, 32_000), (#""2.5M""#, 2_500_000), (#""64000""#, 64_000), ("64000", 64_000), (#""1Mi""#, 1_048_576), ("-1", nil)] as [(String, Int?)])
    func aBitRateMayHaveAPostfix(json: String, bitRate: Int?) throws {
        let body = #"{"format": "mp3", "buffer_size": "64Ki", "streams": [{"type": "audio", "sample_rate": 8000, "num_channels": 1, "codec_config": {"bit_rate": \#(json)}}]}"#
        let request = try CreateRequest(try JSONParser.parse(Array(body.utf8)))
        guard case .audio(let audio) = request.streams[0].config else { return #expect(Bool(false)) }
        #expect(audio.codecConfig.bitRate == bitRate && request.bufferSize == 65_536)
        let text = json.filter { $0 != "\"" }
        guard case .audio(let encoded) = try encoding("format=mp3&sample_rate=8000&num_channels=1&codec_config.bit_rate=\(text)").stream.config else {
            return #expect(Bool(false))
        }
        #expect(encoded.codecConfig.bitRate == bitRate)
    }

    @Test func anEncodingNeedsAFormat() {
        #expect(problem { _ = try encoding("sample_rate=8000&num_channels=1") }?.parameter == "format")
    }

    @Test(arguments: [
        (#"true"#, true), (#"false"#, false), (#"{}"#, true), (#"{"option": {}}"#, true),
    ])
    func aWriterIsOpenedAtOnceWhereItSaysSo(open: String, opens: Bool) throws {
        let json = #"{"format": "wav", "streams": [{"type": "audio", "sample_rate": 1, "num_channels": 1}], "open": \#(open)}"#
        #expect((try CreateRequest(try JSONParser.parse(Array(json.utf8))).open != nil) == opens)
    }
}
