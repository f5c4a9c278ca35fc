import StreamWriter
import Testing
import WriterAPI
import WriterModel

@Suite struct DestinationPlanTests {
    private func plan(_ dst: String?, format: String? = nil, _ policy: OutputPolicy = .init()) throws -> DestinationPlan {
        let muxer = try StreamWriter.resolveMuxer(format: format, name: dst ?? "")
        return try DestinationPlan(dst: dst, muxer: muxer, policy: policy)
    }

    private func refusal(_ dst: String?, format: String? = nil, _ policy: OutputPolicy = .init()) -> ProblemCode? {
        do {
            _ = try plan(dst, format: format, policy)
            return nil
        } catch {
            return (error as? Problem)?.code
        }
    }

    @Test func aDestinationFollowsFromDstAndFormat() throws {
        #expect(try plan(nil, format: "wav") == .managed)
        #expect(try plan("a/b.mp4") == .file("a/b.mp4"))
        #expect(try plan("a/b.m3u8") == .files("a/b.m3u8"))
        #expect(try plan("anything", format: "null") == .nowhere)
        let policy = OutputPolicy(patterns: ["rtmp://h/*"], allowsDevices: true)
        #expect(try plan("rtmp://h/a", policy) == .url("rtmp://h/a"))
        #expect(try plan(nil, format: "alsa", policy) == .device("default"))
    }

    @Test(arguments: [
        "/etc/x.mp4", "../x.mp4", "a/../x.mp4", "a/./x.mp4", "./x.mp4", "file:x.mp4", "concat:a.mp4", "subfile,,start,0:x.mp4",
        "rtmp://h/a.flv", "http://127.0.0.1/x.mp4", "unix:/tmp/x.mp4", "a:b.mp4", "../\u{301}x.mp4", "a/../\u{338}x.mp4", "/\u{301}x.mp4",
        "file:\u{301}x.mp4", "rtmp://\u{301}h/a.flv", "rtmp:/\u{301}/h.flv", ".penstock-x.mp4", "a/.Penstock-b/x.mp4",
    ])
    func whatLeadsElsewhereIsForbidden(dst: String) { #expect(refusal(dst, format: "mp4") == .forbiddenDestination) }

    /// Before anything is opened; libav takes the query as it stands.
    @Test(arguments: [(0, false), (9, false), (10, true), (79, true), (80, false)])
    func aPassphraseOfSRTHasFromTenTo79Bytes(count: Int, isGood: Bool) throws {
        let policy = OutputPolicy(patterns: ["srt://h:*"])
        let passphrase = String(repeating: "p", count: count)
        #expect((refusal("srt://h:1?latency=1000&passphrase=\(passphrase)", format: "mpegts", policy) == nil) == isGood)
        let judge = OutputNameJudge(
            muxer: "mpegts", gate: DestinationGuard(plan: .url("srt://h:1"), policy: policy, clientPolicy: .enforced, folder: nil))
        var found: Problem?
        do throws(Problem) { _ = try judge.resolve(["passphrase": passphrase], streams: 1) } catch { found = error }
        #expect((found == nil) == isGood)
        if let found { #expect(found.code == .invalidParameter && found.parameter == "option.passphrase" && found.detail.contains("from 10 to 79")) }
    }

    @Test(arguments: ["a//b.mp4", "a/", "", String(repeating: "x", count: 201) + ".mp4"])
    func whatIsNoFileNameIsInvalid(dst: String) { #expect(refusal(dst, format: "mp4") == .invalidParameter) }

    @Test func devicesAndURLsNeedTheOperatorsWord() {
        #expect(refusal("default", format: "alsa") == .forbiddenDestination)
        #expect(refusal("udp://h:1", format: "mpegts") == .forbiddenDestination)
        #expect(refusal("udp://other:1", format: "mpegts", OutputPolicy(patterns: ["udp://h:1"])) == .forbiddenDestination)
        #expect(refusal("[f=mp4]a.mp4", format: "tee", OutputPolicy(patterns: ["udp://h:1"], allowsDevices: true)) == .forbiddenDestination)
    }

    @Test func withoutAPolicyNothingIsRefused() throws {
        for dst in ["/etc/x.mp4", "../x.mp4", "file:x.mp4", "concat:a.mp4", "rtmp://h/x"] {
            let muxer = try StreamWriter.resolveMuxer(format: "mp4", name: dst)
            let plan = try DestinationPlan(dst: dst, muxer: muxer, policy: .init(), clientPolicy: .absent)
            #expect(plan == .url(dst))
        }
    }
}
