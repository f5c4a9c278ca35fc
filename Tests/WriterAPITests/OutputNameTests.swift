import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// Names of files in a muxer's options, before the muxer opens them.
@Suite struct OutputNameTests {
    private func resolved(_ dst: String, _ option: [String: String], format: String? = nil, streams: Int = 1) throws -> [String: String] {
        let policy = OutputPolicy(patterns: ["https://h/*"])
        let muxer = try StreamWriter.resolveMuxer(format: format, name: dst)
        let plan = try DestinationPlan(dst: dst, muxer: muxer, policy: policy)
        let gate = DestinationGuard(plan: plan, policy: policy, clientPolicy: .enforced, folder: nil)
        return try OutputNameJudge(muxer: muxer.name, gate: gate).resolve(option, streams: streams)
    }

    private func problem(_ dst: String, _ option: [String: String], format: String? = nil, streams: Int = 1) throws -> Problem? {
        do {
            _ = try resolved(dst, option, format: format, streams: streams)
            return nil
        } catch let problem as Problem {
            return problem
        }
    }

    // Where hlsenc.c, segment.c and dashenc.c put them: as they stand, or behind dst's folder.
    @Test(arguments: [
        ("e/b.m3u8", "hls_segment_filename", "e/x%d.ts"), ("e/b.m3u8", "hls_segment_filename", "e/sub/x%d.ts"),
        ("b.m3u8", "hls_segment_filename", "sub/x%d.ts"), ("e/v%v/b.m3u8", "hls_segment_filename", "e/v%v/x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "https://h/x%d.ts"), ("https://h/b.m3u8", "hls_segment_filename", "https://h/x%d.ts"),
        ("e/b.m3u8", "hls_fmp4_init_filename", "init.mp4"), ("e/b.m3u8", "master_pl_name", "sub/master.m3u8"),
        ("e/b.mpd", "media_seg_name", "sub/$Number$.m4s"), ("e/b.mpd", "init_seg_name", "init-$RepresentationID$.m4s"),
        ("e/b.m3u8", "hls_time", "../2"),
    ])
    func aNameInTheFolderOfDstIsTaken(dst: String, option: String, value: String) throws {
        #expect(try problem(dst, [option: value]) == nil)
    }

    // A name is beside dst, unless it says the whole path that libav is to open.
    @Test(arguments: [
        ("e/b.m3u8", "hls_segment_filename", "x%d.ts", "e/x%d.ts"), ("e/b.m3u8", "hls_segment_filename", "sub/x%d.ts", "e/sub/x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "e/x%d.ts", "e/x%d.ts"), ("e/b.m3u8", "hls_segment_filename", "ex/x%d.ts", "e/ex/x%d.ts"),
        ("b.m3u8", "hls_segment_filename", "x%d.ts", "x%d.ts"), ("e/v%v/b.m3u8", "hls_segment_filename", "x%d.ts", "e/v%v/x%d.ts"),
        ("%v/b.m3u8", "hls_segment_filename", "x%d.ts", "%v/x%d.ts"), ("é/ü.m3u8", "hls_segment_filename", "ö%d.ts", "é/ö%d.ts"),
        ("https://h/a/b.m3u8?k=/s", "hls_segment_filename", "x%d.ts", "https://h/a/x%d.ts"),
        ("https://h/b.m3u8", "hls_segment_filename", "https://h/c/x%d.ts", "https://h/c/x%d.ts"),
        ("e/b.m3u8", "hls_fmp4_init_filename", "init.mp4", "init.mp4"), ("e/b.mpd", "media_seg_name", "$Number$.m4s", "$Number$.m4s"),
    ])
    func aNameIsOneBesideDst(dst: String, option: String, value: String, opened: String) throws {
        // libav knows no ending before a query.
        #expect(try resolved(dst, [option: value], format: dst.contains("?") ? "hls" : nil)[option] == opened)
    }

    /// hls leaves the folder out of the playlist, and has an option for it.
    @Test func segmentsInAFolderAreFoundFromThePlaylist() throws {
        func base(_ dst: String, _ name: String, _ more: [String: String] = [:]) throws -> String? {
            try resolved(dst, more.merging(["hls_segment_filename": name]) { $1 }, format: "hls")["hls_base_url"]
        }
        #expect(try base("e/b.m3u8", "x%d.ts") == nil)
        #expect(try base("e/b.m3u8", "e/sub/x%d.ts") == "sub/")
        #expect(try base("e/b.m3u8", "a/b/x%d.ts") == "a/b/")
        #expect(try base("b.m3u8", "sub/x%d.ts") == "sub/")
        #expect(try base("https://h/a/b.m3u8", "sub/x%d.ts") == "sub/")
        #expect(try base("e/b.m3u8", "sub/x%d.ts", ["hls_base_url": "https://cdn/"]) == "https://cdn/")
        #expect(try problem("e/b.m3u8", ["hls_segment_filename": "a%d/x%d.ts"])?.parameter == "option.hls_segment_filename")
    }

    @Test(arguments: [("b.m3u8", "x%d.m4s"), ("x07.m4s", "x%02d.m4s"), ("x7.m4s", "x%d.m4s")])
    func theHeadOfFragmentsHasANameOfItsOwn(head: String, segments: String) throws {
        let option = ["hls_segment_type": "fmp4", "hls_fmp4_init_filename": head, "hls_segment_filename": segments]
        let found = try #require(try problem("e/b.m3u8", option))
        #expect(found.parameter == "option.hls_fmp4_init_filename" && found.detail.contains("\"other-\(head)\""), "\(found.detail)")
        #expect(try problem("e/b.m3u8", option.merging(["hls_fmp4_init_filename": "other-" + head]) { $1 }) == nil)
    }

    /// libav would leave what is said aside, and write in the clear; or cut a key.
    @Test(arguments: [
        ("e/b.m3u8", ["hls_enc_key": "0123456789abcdef"], "hls_enc_key"), ("e/b.m3u8", ["hls_enc": "0", "hls_enc_iv": "0123456789abcdef"], "hls_enc_iv"),
        ("e/b.m3u8", ["hls_enc": "1", "hls_enc_key": "00112233445566778899aabbccddeeff"], "hls_enc_key"), ("e/b.m3u8", ["hls_enc": "1", "hls_enc_key": "k"], "hls_enc_key"),
        ("b.mp4", ["encryption_key": "00112233445566778899aabbccddeeff"], "encryption_key"),
    ])
    func encryptionThatWouldNotBeIsRefused(dst: String, option: [String: String], named: String) throws {
        let found = try #require(try problem(dst, option))
        #expect(found.parameter == "option.\(named)", "\(found.detail)")
        #expect(!found.detail.contains("0123456789abcdef"), "a key is told to nobody")
    }

    @Test(arguments: [
        ("e/l0.ts", ["hls_segment_filename": "l%d.ts"], "hls_segment_filename"), ("e/b.m3u8", ["hls_segment_filename": "l%d.ts", "master_pl_name": "l0.ts"], "master_pl_name"),
        ("e/b.m3u8", ["hls_flags": "single_file", "hls_segment_filename": "b.m3u8"], "hls_segment_filename"),
        ("e/b.m3u8", ["hls_segment_filename": "s%0200d.ts"], "hls_segment_filename"), ("e/b.mpd", ["init_seg_name": "b.mpd"], "init_seg_name"),
        ("e/b.mpd", ["media_seg_name": "$Number%010d$.m4s"], "media_seg_name"),
    ])
    func filesThatWouldHaveOneNameAreRefused(dst: String, option: [String: String], named: String) throws {
        let found = try #require(try problem(dst, option, format: dst.hasSuffix(".ts") ? "hls" : nil))
        #expect(found.parameter == "option.\(named)", "\(found.detail)")
    }

    /// dashenc.c and segment.c open each by the name that comes of it.
    @Test(arguments: [
        ("e/b.mpd", ["init_seg_name": "1.m4s", "media_seg_name": "$Number$.m4s"], "init_seg_name"), ("e/b.mpd", ["init_seg_name": "chunk-stream0-00001.m4s"], "init_seg_name"),
        ("e/b.mpd", ["init_seg_name": "chunk-stream$RepresentationID$-00001.$ext$"], "init_seg_name"), ("e/1.mpd", ["media_seg_name": "$Number$.mpd"], "media_seg_name"),
        ("e/b.mpd", ["init_seg_name": "123.m4s", "media_seg_name": "$Time%03d$.m4s"], "init_seg_name"), ("e/b.mpd", ["media_seg_name": "init-stream0$Number$", "init_seg_name": "init-stream01"], "init_seg_name"),
        ("e/b.mpd", ["hls_playlist": "1", "hls_master_name": "b.mpd"], "hls_master_name"), ("e/b.mpd", ["hls_playlist": "1", "hls_master_name": "media_0.m3u8"], "hls_master_name"),
        ("e/%d.mkv", ["segment_list": "0.mkv"], "segment_list"), ("e/%03d.mkv", ["segment_header_filename": "e/0012.mkv"], "segment_header_filename"),
        ("e/%d.mkv", ["segment_list": "l.csv", "segment_header_filename": "l.csv"], "segment_header_filename"),
    ])
    func aFileThatGetsTheNameOfAnotherIsRefusedWithAnother(dst: String, option: [String: String], named: String) throws {
        let format = dst.hasSuffix(".mkv") ? "segment" : nil
        let found = try #require(try problem(dst, option, format: format))
        #expect(found.code == .invalidParameter && found.parameter == "option.\(named)", "\(found.detail)")
        let right = try #require(found.supported?.first)
        #expect(try problem(dst, option.merging([named: right]) { $1 }, format: format) == nil, "\(right)")
    }

    @Test(arguments: [
        ("e/b.mpd", ["init_seg_name": "1.m4s", "media_seg_name": "$Number%02d$.m4s"]), ("e/b.mpd", ["init_seg_name": "x1.m4s", "media_seg_name": "$Number$.m4s"]),
        ("e/b.mpd", ["init_seg_name": "1.m4s", "media_seg_name": "s/$Number$.m4s"]), ("e/b.mpd", ["hls_playlist": "0", "hls_master_name": "b.mpd"]),
        ("e/%03d.mkv", ["segment_list": "12.mkv"]), ("e/%d.mkv", ["segment_list": "0x.mkv", "segment_header_filename": "h.mkv"]), ("e/%d.mkv", ["segment_list": "s/0.mkv"]),
    ])
    func filesOfNamesOfTheirOwnAreTaken(dst: String, option: [String: String]) throws {
        #expect(try problem(dst, option, format: dst.hasSuffix(".mkv") ? "segment" : nil) == nil)
    }

    /// img2 and segment put the number into 20 bytes.
    @Test func aNumberThatIsCutIsRefused() throws {
        #expect(try problem("e/i%020d.png", [:])?.parameter == "dst")
        #expect(try problem("e/i%019d.png", [:]) == nil)
    }

    @Test func aListIsBesideItsSegments() throws {
        let names = try resolved("e/p%d.mkv", ["segment_list": "list.csv", "segment_time": "2"], format: "segment")
        #expect(names == ["segment_list": "e/list.csv", "segment_time": "2"])
    }

    @Test(arguments: [
        ("e/b.m3u8", "hls_segment_filename", "e/.penstock-x%d.ts"), ("e/b.m3u8", "hls_segment_filename", "/tmp/x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "../e/x%d.ts"), ("b.m3u8", "hls_segment_filename", "file:e/x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "e//x%d.ts"), ("b.m3u8", "hls_segment_filename", "./x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "https://other/x%d.ts"), 
        ("e/b.m3u8", "hls_enc_key_url", "b.key"), ("e/b.mpd", "media_seg_name", "https://h/$Number$.m4s"),
        ("e/b.m3u8", "master_pl_name", ".penstock-x"),
    ])
    func aNameElsewhereIsRefusedWithWhatItMustBe(dst: String, option: String, value: String) throws {
        let found = try #require(try problem(dst, [option: value]))
        #expect(found.code == .forbiddenOption && found.parameter == "option.\(option)")
        #expect(found.detail.contains("The option \(option) is not allowed"), "\(found.detail)")
    }

    /// Each says what to write, and that is taken.
    @Test(arguments: [
        ("e/b.m3u8", "hls_segment_filename", "s.ts", "s%d.ts"), ("e/b.m3u8", "hls_segment_filename", "s%%d.ts", "s%%d%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "s%x", "s%x%d"), ("e/v%v/b.m3u8", "hls_segment_filename", "e/s%d.ts", "s%d.ts"),
        ("e/b.mpd", "media_seg_name", "a.m4s", "a-$Number$.m4s"), ("e/b.mpd", "media_seg_name", "$Number%d.m4s", "$Number%d-$Number$.m4s"),
        ("e/b.mpd", "media_seg_name", "$Number%d$.m4s", "$Number%d$-$Number$.m4s"),
    ])
    func anOptionThatNamesOneFileForAllIsRefusedWithOneThatDoesNot(dst: String, option: String, value: String, right: String) throws {
        let found = try #require(try problem(dst, [option: value]))
        #expect(found.code == .invalidParameter && found.parameter == "option.\(option)" && found.supported == [right], "\(found)")
        #expect(found.detail.contains(right))
        #expect(try problem(dst, [option: right]) == nil)
    }

    @Test func streamsOfDASHHaveFilesOfTheirOwn() throws {
        for option in ["media_seg_name": "$Number$.m4s", "init_seg_name": "init.m4s"] {
            let option = [option.key: option.value]
            #expect(try problem("e/b.mpd", option) == nil)
            let found = try #require(try problem("e/b.mpd", option, streams: 2))
            let right = try #require(found.supported?.first)
            #expect(right.contains("$RepresentationID$"))
            #expect(try problem("e/b.mpd", [option.keys.first!: right], streams: 2) == nil)
        }
    }

    // av_get_frame_filename takes %d and %% and fails at any other percent sign.
    @Test(arguments: [
        ("50%/img%03d.png", nil, "50%%/img%03d.png"), ("100% %d%.png", nil, "100%% %d%%.png"), ("e/%x.png", nil, "e/%%x.png"),
        ("50%/p%d.mkv", "segment", "50%%/p%d.mkv"), ("e/p.mkv", "segment", "e/p%d.mkv"), ("e/50%", "segment", "e/50%%"),
        ("e/50%%", "segment", "e/50%%%d"), ("50%-%d.chk", "webm_chunk", "50%%-%d.chk"),
    ])
    func aPercentSignThatIsNoNumberIsRefusedWithWhatIsOne(dst: String, format: String?, right: String) throws {
        let found = try #require(try problem(dst, [:], format: format))
        #expect(found.code == .invalidParameter && found.parameter == "dst" && found.supported == [right], "\(found)")
        #expect(found.detail.contains("\"\(right)\""))
    }

    @Test func namesThatMuxersTakeAsTheyAreAreTaken() throws {
        #expect(try problem("e/50%.png", ["update": "1"]) == nil)
        #expect(try problem("e/%H-50%.png", ["strftime": "1"]) == nil)
        #expect(try problem("e/cover.png", [:]) == nil, "one picture")
        #expect(try problem("e/%03d/%d.png", [:]) == nil)
        #expect(try problem("50%/b.m3u8", [:]) == nil && problem("50%/b.mpd", [:]) == nil)
        #expect(try problem("e/b.m3u8", ["hls_segment_filename": "%H%M%S.ts", "strftime": "1"]) == nil)
        #expect(try problem("e/b.m3u8", ["hls_segment_filename": "all.ts", "hls_flags": "single_file+temp_file"]) == nil)
        #expect(try problem("e/p%d%d.mkv", [:], format: "segment")?.parameter == "dst", "it takes one number")
        #expect(try problem("e/50%.m3u8", [:])?.detail.contains("hls_segment_filename") == true)
        #expect(try problem("e/50%.m3u8", ["hls_segment_filename": "segment%d.ts"]) == nil)
        #expect(try problem("e/v%v/b.m3u8", ["hls_segment_filename": "e/s%d.ts", "hls_base_url": "https://h/"]) == nil)
    }
}
