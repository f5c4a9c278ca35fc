import Testing
import WriterModel

@Suite struct RedactionTests {
    @Test(arguments: [
        ("rtmp://host/app/key", "rtmp://host/***"), ("rtmp://u:p@host:1935/app/key?token=x", "rtmp://***@host:1935/***"),
        ("rtmp://h/live/KEY/", "rtmp://h/***"), ("rtmp://h//live//KEY//", "rtmp://h/***"), ("rtmp://h/KEY/x", "rtmp://h/***"),
        ("srt://host:9000?passphrase=secret", "srt://host:9000/***"), ("udp://host:1", "udp://host:1"), ("udp://host:1/", "udp://host:1"),
        ("https://h/a/b/c.mp4?sig=1", "https://h/***"), ("https://h#KEY", "https://h/***"), ("srt://[::1]:9?streamid=KEY", "srt://[::1]:9/***"),
        // A "/" or "?" in a password: what stands before it is no host.
        ("rtmp://user:pa/ss@host/live", "rtmp://***"), ("rtmp://user:pa?ss@host/live", "rtmp://***"), ("rtmp://user:pa%2Fss%40host/live", "rtmp://***"),
        ("rtmp://user:KEY/x", "rtmp://***"), ("rtmp://h:1/a%40b", "rtmp://***"), ("rtmp://h/\u{338}KEY", "rtmp://h/***"),
    ])
    func aURLIsShownWithSchemeHostAndPortOnly(url: String, shown: String) { #expect(URLParts(url)?.redacted == shown) }

    @Test(arguments: [
        ("[f=flv]rtmp://h/live/KEY|[f=mpegts]srt://h:1?passphrase=KEY", "[f=flv]rtmp://h/***|[f=mpegts]srt://h:1/***"),
        ("rtmp:h/live/KEY", "rtmp:***"), ("rtmp:/h/live/KEY", "rtmp:***"), (" rtmp://h/live/KEY", " rtmp://h/***"),
        ("1rtmp://h/KEY", "1rtmp://h/***"), ("clips/a.mp4", "clips/a.mp4"), ("a b/c:d.mp4", "a b/c:d.mp4"), ("://KEY", "://KEY"),
    ])
    func aDestinationThatIsNoURLIsShownWithoutThoseInIt(destination: String, shown: String) {
        #expect(URLText.redacted(destination: destination) == shown)
    }

    private static let canary = "c4nary-0f-a-key"
    private static let schemes = [
        "ftp", "http", "https", "icecast", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts", "rtp", "rtsp", "rtsps", "srt",
        "srtp", "tcp", "tls", "udp", "udplite", "gopher", "RTMP",
    ]

    /// Every place of a URL; KEY is the canary in each of the ways that it can be written.
    private static let places = [
        "KEY:p@h:1/live/x", "u:KEY@h:1/live/x", "KEY@h:1/live", "u:a/KEY@h:1/live", "u:KEY/b@h/live", "u:KEY?b@h/live", "u:a@KEY@h/live",
        "h:1/KEY", "h:1/KEY/", "h:1/KEY//", "h:1//KEY", "h:1/live/KEY", "h:1/live/KEY/", "h:1/live//KEY//", "h:1/KEY/live/x", "h/a/KEY/b/c",
        "h:1/live/KEY;a=b", "h:1/live;KEY/x", "h:1/live/a;KEY", "h:1/live/mp4:KEY", "h:1/live/KEY.flv", "h:1/live/KEY.m3u8?x=1",
        "h:1/live/x?KEY", "h:1/live/x?KEY=", "h:1/live/x?a=KEY", "h:1/live/x?a=b&c=KEY&d", "h:1/live/x?a=b?c=KEY", "h:1?streamid=KEY", "h:1?passphrase=KEY",
        "h:1?streamid=#!::r=live/KEY,m=publish", "h:1?streamid=%23!::u=KEY,r=x", "h:1/live/x#KEY", "h:1#KEY", "h:1/live/x?#KEY",
        "h:1/live/x playpath=KEY", "h:1/live?doConnect=KEY/stream", "h:KEY/live", "KEY%40h:1/live", "h:1/x?redirect=rtmp://k/live/KEY/",
        "h:1/live/x?a=b+KEY", "h:1/live/x|[f=flv]rtmp://g/live/KEY",
    ]

    private static func encoded(_ text: String, lower: Bool = false) -> String {
        text.utf8.map { "%" + (lower ? String($0, radix: 16) : String($0, radix: 16).uppercased()) }.joined()
    }

    /// What libav's protocols log, and ours say, of a URL: in whole, and the parts that its parsers cut out.
    private static func texts(_ url: String, _ key: String) -> [String] {
        [
            url, "[rtmp @ 0x55d0c0a3f2b0] Cannot open \(url): refused", "Failed to open '\(url)'", "playpath \(key), app live",
            "Failed to resolve hostname \(key): Name or service not known", "Stream \(key) is already published.", "(\(key))",
            "Opening '\(url)0.ts' for writing", "Location: https://elsewhere/x/\(key)?a", "unexpected \(canary)", "\(canary)/", "live/\(canary)?x",
        ]
    }

    @Test(arguments: schemes)
    func aKeyAnywhereInAURLIsInNoTextAboutIt(scheme: String) {
        for place in Self.places {
            for written in [Self.canary, Self.encoded(Self.canary), Self.encoded(Self.canary, lower: true), "c4nary%2D0f-a-key"] {
                let url = "\(scheme)://" + place.replacing("KEY", with: written)
                let redaction = Redaction(destination: url)
                var shown = [URLText.redacted(destination: url)] + Self.texts(url, written).map { redaction.apply(to: $0) }
                shown += [redaction.apply(to: Problem(.destinationFailed, url, parameter: url, log: [url], extras: [("x", [.string(url)])])).json.description]
                for text in shown {
                    #expect(!text.contains(Self.canary) && !text.contains(written), "\(url): \(text)")
                }
            }
        }
    }

    @Test(arguments: [
        "rtmp_playpath", "rtmp_app", "rtmp_tcurl", "rtmp_conn", "rtmp_pageurl", "srt_streamid", "passphrase", "headers", "cookies", "password", "key",
    ])
    func aKeyAnywhereInASecretOptionIsInNoText(name: String) {
        for place in Self.places + ["KEY", "live/KEY/", "mp4:KEY", "O:1 NS:a:KEY", "X: Bearer KEY\r\n", "a=\"KEY\"; path=/"] {
            let value = place.replacing("KEY", with: Self.canary)
            let redaction = Redaction(destination: nil, options: [[name: value]])
            for text in Self.texts(value, Self.canary) { #expect(!redaction.apply(to: text).contains(Self.canary), "\(value): \(text)") }
            #expect(SecretOption.redacted([name: value]) == [name: "***"])
        }
    }

    /// Options within options: how `protocol_opts`, `http_opts` and encoders' parameters have them.
    @Test(arguments: [
        "method=PUT:headers='Authorization: Bearer KEY'", "a=b:passphrase=KEY:c=d", "[f=flv:rtmp_playpath=KEY]rtmp://h/live", "x|rtmp://h/live/KEY/|y",
        "http://h/KEY/seg%d.ts?method=PUT", "stats=1:password='KEY'", "token=\"KEY\"",
    ])
    func aKeyInAnOptionWithinAnOptionIsNotShown(value: String) {
        let value = value.replacing("KEY", with: Self.canary)
        let shown = SecretOption.redacted(["some_opts": value])["some_opts"] ?? Self.canary
        #expect(!shown.contains(Self.canary), "\(shown)")
        let redaction = Redaction(destination: nil, options: [["some_opts": value]])
        #expect(!redaction.apply(to: "bad value \(value) (\(Self.canary))").contains(Self.canary))
    }

    @Test func whatIsNoSecretStays() {
        let redaction = Redaction(destination: "rtmp://h:1935/live/s3cr3t/", options: [["preset": "fast", "x264-params": "keyint=50:bframes=2"]])
        let text = "[libx264] Error parsing option keyint = 50 of the stream at rtmp://h:1935/***: tag (0x31637661), live at https://example.com"
        #expect(redaction.apply(to: text) == text)
        #expect(SecretOption.redacted(["x264-params": "keyint=50:bframes=2"]) == ["x264-params": "keyint=50:bframes=2"])
        #expect(Redaction(destination: "clips/a.mp4").apply(to: "clips/a.mp4: no space") == "clips/a.mp4: no space")
    }

    @Test func secretsAreTakenOutOfTexts() {
        let redaction = Redaction(destination: "rtmp://user:pass@host/app/s3cr3t-key?auth=tok3n", options: [])
        let text = redaction.apply(
            to: "rtmp://user:pass@host/app/s3cr3t-key?auth=tok3n: refused; playpath s3cr3t-key; query auth=tok3n; user:pass@")
        for secret in ["user:pass", "s3cr3t-key", "tok3n"] { #expect(!text.contains(secret)) }
        #expect(text.contains("refused"))
        let problem = redaction.apply(
            to: Problem(.destinationFailed, "x s3cr3t-key", libavError: "s3cr3t-key", log: ["a", "b s3cr3t-key"]))
        #expect(!problem.json.description.contains("s3cr3t-key"))
    }

    @Test func secretsOfOptionsAreTakenOutOfTexts() {
        let redaction = Redaction(
            destination: "srt://h:1?passphrase=p%40ss%20phr4se",
            options: [["headers": "Authorization: Bearer b34rer-t0ken\r\nX-Api-Key: k3y-value\r\n", "preset": "fast", "hls_enc_key": "0123456789abcdef"],
                ["hls_segment_filename": "https://u:pw1234@h/x?sig=s1gn4ture"]])
        let text = redaction.apply(
            to: "p@ss phr4se; p%40ss%20phr4se; b34rer-t0ken; Authorization: k3y-value; 0123456789abcdef; s1gn4ture; pw1234; fast")
        for secret in ["phr4se", "b34rer", "k3y-value", "0123456789abcdef", "s1gn4ture", "pw1234"] { #expect(!text.contains(secret), "\(text)") }
        #expect(text.contains("Authorization: ") && text.hasSuffix("fast"))
    }
}
