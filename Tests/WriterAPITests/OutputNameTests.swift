import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// Names of files in a muxer's options, before the muxer opens them.
@Suite struct OutputNameTests {
    private func problem(_ dst: String, _ option: [String: String], format: String? = nil) throws -> Problem? {
        let policy = OutputPolicy(patterns: ["https://h/*"])
        let muxer = try StreamWriter.resolveMuxer(format: format, name: dst)
        let plan = try DestinationPlan(dst: dst, muxer: muxer, policy: policy)
        let gate = DestinationGuard(plan: plan, policy: policy, clientPolicy: .enforced, folder: nil)
        do throws(Problem) {
            try OutputNameJudge(muxer: muxer.name, gate: gate).check(option)
            return nil
        } catch {
            return error
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

    @Test(arguments: [
        ("e/b.m3u8", "hls_segment_filename", "sub/x%d.ts"), ("e/b.m3u8", "hls_segment_filename", "x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "ex/x%d.ts"), ("e/b.m3u8", "hls_segment_filename", "e/.penstock-x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "e//x%d.ts"), ("b.m3u8", "hls_segment_filename", "./x%d.ts"),
        ("e/b.m3u8", "hls_segment_filename", "https://other/x%d.ts"), ("https://h/b.m3u8", "hls_segment_filename", "x%d.ts"),
        ("e/b.m3u8", "hls_enc_key_url", "b.key"), ("e/b.mpd", "media_seg_name", "https://h/$Number$.m4s"),
        ("e/b.m3u8", "master_pl_name", ".penstock-x"),
    ])
    func aNameElsewhereIsRefusedWithWhatItMustBe(dst: String, option: String, value: String) throws {
        let found = try #require(try problem(dst, [option: value]))
        #expect(found.code == .forbiddenOption && found.parameter == "option.\(option)")
        #expect(found.detail.contains("The option \(option) is not allowed"), "\(found.detail)")
    }

    @Test func aRefusalSaysHowToBegin() throws {
        let segments = try #require(try problem("a/e/b.m3u8", ["hls_segment_filename": "sub/x%d.ts"]))
        #expect(segments.detail.contains("begin it with \"a/e/\""))
        let list = try #require(try problem("e/p%d.mkv", ["segment_list": "list.csv"], format: "segment"))
        #expect(list.detail.contains("begin it with \"e/\""))
        #expect(try problem("e/p%d.mkv", ["segment_list": "e/list.csv"], format: "segment") == nil)
    }
}
