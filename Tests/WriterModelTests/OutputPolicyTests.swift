import Testing
import WriterModel

@Suite struct OutputPolicyTests {
    @Test(arguments: [
        ("rtmp://*.example.com/*", "rtmp://live.example.com/app/key", true),
        ("rtmp://*.example.com/*", "RTMP://Live.Example.Com/app/key", true),
        ("rtmp://*.example.com/*", "rtmp://example.com/app", false),
        ("rtmp://*.example.com/*", "rtmp://live.example.com:1935/app", false),
        ("rtmp://*.example.com:*/*", "rtmp://live.example.com:1935/app", true),
        ("rtmp://*.example.com/*", "rtmp://evil.com/.example.com/app", false),
        ("rtmp://*.example.com/*", "rtmp://evil.com?.example.com/app", false),
        ("rtmp://*.example.com/*", "rtmp://evil.com#.example.com/app", false),
        ("rtmp://*.example.com/*", "rtmp://live.example.com@evil.com/app", false),
        ("rtmp://*.example.com/*", "rtmp://user:pass@live.example.com/app", true),
        ("rtmp://*.example.com/*", "rtmps://live.example.com/app", false),
        ("rtmp://*.example.com/live/*", "rtmp://a.example.com/other/key", false),
        ("udp://127.0.0.1:*", "udp://127.0.0.1:5000?pkt_size=1316", true),
        ("udp://127.0.0.1:*", "udp://127.0.0.2:5000", false),
        ("srt://host:9000", "srt://host:9000?mode=caller", true),
        ("https://bucket/*.m3u8", "https://bucket/a/b.m3u8", true),
        ("https://bucket/*.m3u8", "https://bucket/a/b.ts", false),
        ("file:///*", "file:///etc/passwd", false),
        ("*://*/*", "rtmp://a/b", false),
        ("udp://a:1", "udp://a:1 ", false),
        ("udp://a:1", "udp://a:1\n", false),
    ])
    func aPatternAllowsWhatItNames(pattern: String, url: String, allowed: Bool) {
        #expect(OutputPolicy(patterns: [pattern]).allows(url) == allowed)
    }

    @Test func withoutPatternsNothingIsAllowed() { #expect(!OutputPolicy().allows("rtmp://a/b")) }

    @Test(arguments: OutputPolicy.deniedSchemes)
    func protocolsThatReachElsewhereAreNeverAllowed(scheme: String) {
        #expect(!OutputPolicy(patterns: ["\(scheme)://*"]).allows("\(scheme)://host/path"))
    }

    @Test(arguments: [
        ("rtmp://host/app/key", "rtmp://host/app/***"), ("rtmp://u:p@host:1935/app/key?token=x", "rtmp://***@host:1935/app/***"),
        ("srt://host:9000?passphrase=secret", "srt://host:9000/***"), ("udp://host:1", "udp://host:1"),
        ("https://h/a/b/c.mp4?sig=1", "https://h/a/b/***"),
    ])
    func aURLIsShownWithoutItsSecrets(url: String, shown: String) { #expect(URLParts(url)?.redacted == shown) }

    @Test func secretsAreTakenOutOfTexts() {
        let redaction = Redaction(destination: "rtmp://user:pass@host/app/s3cr3t-key?auth=tok3n")
        let text = redaction.apply(
            to: "rtmp://user:pass@host/app/s3cr3t-key?auth=tok3n: refused; playpath s3cr3t-key; query auth=tok3n; user:pass@")
        for secret in ["user:pass", "s3cr3t-key", "tok3n"] { #expect(!text.contains(secret)) }
        #expect(text.contains("refused"))
        #expect(Redaction(destination: "clips/a.mp4").apply(to: "clips/a.mp4: no space") == "clips/a.mp4: no space")
        let problem = redaction.apply(
            to: Problem(.destinationFailed, "x s3cr3t-key", libavError: "s3cr3t-key", log: ["a", "b s3cr3t-key"]))
        #expect(!problem.json.description.contains("s3cr3t-key"))
    }
}
