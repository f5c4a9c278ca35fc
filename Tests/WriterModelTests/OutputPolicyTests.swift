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

    @Test(arguments: [
        (OutputPolicy(), "--allow-output"), (OutputPolicy(patterns: ["udp://a:1"]), "--allow-output"),
        (OutputPolicy(isOfToken: true), "this token's allow-output="), (OutputPolicy(patterns: ["udp://a:1"], isOfToken: true), "this token's allow-output="),
    ])
    func aRefusalNamesWhosePatternsTheyAre(policy: OutputPolicy, whose: String) throws {
        guard case .failure(let refusal) = policy.permit("udp://b:1") else { return #expect(Bool(false), "allowed") }
        #expect(refusal.reason.contains(whose), "\(refusal.reason)")
    }

    /// Servers take what is before ".." back: the pattern would not hold.
    @Test(arguments: [
        "/ok/../no/f.ts", "/ok/./f.ts", "/ok/..", "/ok/%2e%2e/no", "/ok/.%2E/no", "/ok/%252e%252e/no", "/ok/..%2fno", "/ok/a%2f..%2f..%2fno", "/ok/\\..\\no",
        "/ok/..%5cno", "/ok/..;x=y/no", "/ok/..%3bx/no", "/ok/..%00/no", "/ok/#/../no", "/ok/%23/../no", "/ok/../ok/f.ts",
    ])
    func pathThatLeadsElsewhereIsRefused(path: String) {
        for scheme in ["http", "https", "rtmp", "ftp", "rtsp"] {
            guard case .failure(let refusal) = OutputPolicy(patterns: ["\(scheme)://h/*", "\(scheme)://h/ok/*"]).permit("\(scheme)://h\(path)") else {
                Issue.record("allowed \(scheme) \(path)")
                continue
            }
            #expect(refusal.reason.contains("%2e"))
        }
        #expect(CallbackPolicy.flaw(ofURL: "https://h\(path)") != nil)
        #expect(OutputPolicy.flaw(ofPattern: "http://h\(path)*/..") != nil && CallbackPolicy.flaw(ofPattern: "http://h\(path)/../*") != nil)
    }

    @Test(arguments: ["/ok/..a/f.ts", "/ok/...", "/ok/a..b", "/ok/.hidden", "/ok//f.ts", "/ok/f.ts?x=../..", "/ok/a+b%20c", "/ok/100%/%zz", "/ok/a%2fb"])
    func dotsThatAreNoSegmentStay(path: String) {
        #expect(OutputPolicy(patterns: ["http://h/ok/*"]).allows("http://h\(path)"))
        #expect(CallbackPolicy.flaw(ofURL: "https://h\(path)") == nil)
    }

    @Test func withoutPatternsNothingIsAllowed() { #expect(!OutputPolicy().allows("rtmp://a/b")) }

    /// Files, memory, other protocols, for reading only, or looked up by a library of its own.
    static let otherSchemes = [
        "file", "concat", "concatf", "subfile", "pipe", "fd", "unix", "data", "crypto", "async", "cache", "tee", "md5", "bluray",
        "saf", "link", "ipns", "ipfs", "gopher", "gophers", "libsmbclient", "smb", "rist", "sftp", "amqp", "zmq",
        "sap", "httpproxy", "sctp", "ffrtmphttp", "prompeg", "nosuch",
    ]

    @Test(arguments: otherSchemes)
    func protocolsThatReachElsewhereAreNeverAllowed(scheme: String) {
        guard case .failure(let refusal) = OutputPolicy(patterns: ["\(scheme)://*"]).permit("\(scheme)://host:1/path") else {
            Issue.record("allowed")
            return
        }
        #expect(refusal.reason == "\(scheme) is no protocol it writes by")
        #expect(refusal.supported == URLScheme.names)
    }

    @Test func noProtocolOfAURLReachesAFile() throws {
        for name in URLScheme.names {
            let protocols = try #require(URLScheme.named(name)).protocols
            #expect(Set(protocols).isDisjoint(with: Self.otherSchemes.filter { !["ffrtmphttp", "prompeg"].contains($0) }), "\(name)")
        }
    }

    @Test(arguments: [
        ("udp://h:1?ttl=3&pkt_size=1316", true), ("udp://h:1?localaddr=10.0.0.1", false), ("udp://h:1?localport=53", false),
        ("udp://h:1?ttl=3&sources=10.0.0.1", false), ("udp://h:1?block=1.2.3.4", false), ("udp://h:1/x?localaddr=1", false),
        ("udp://h:1#?localaddr=1", false), ("udp://h:1?ttl=1?localaddr=1", false), ("udp://h:1?ttl=1&", false),
        ("tls://h:1?verify=1", true), ("tls://h:1?cafile=/etc/passwd", false), ("tls://h:1?cert=x&key=y", false),
        ("tcp://h:1?listen=1", true), ("rtp://h:2?rtcpport=80", false), ("rtp://h:2?localrtpport=80", false),
        ("rtp://h:2?write_to_source=1", false), ("srt://h:1?passphrase=0123456789&mode=caller", true), ("srt://h:1?adapter=10.0.0.1", false),
        ("https://h/x?localaddr=1&cafile=/etc/passwd", true), ("rtmp://h/x?a=b?c", true),
    ])
    func aQueryThatTheProtocolReadsNamesNothingElse(url: String, allowed: Bool) {
        #expect(OutputPolicy(patterns: ["\(url.prefix { $0 != ":" })://*"]).allows(url) == allowed)
    }

    @Test(arguments: [
        ("udp://h", false), ("udp://h:0", false), ("udp://h:65536", false), ("udp://h:1x", false), ("udp://h:", false),
        ("udp://h:+1", false), ("udp://h:65535", true), ("http://h/x", true), ("rtmp://h/x", true), ("rtsp://h/x", true),
    ])
    func aPortIsANumber(url: String, allowed: Bool) {
        #expect(OutputPolicy(patterns: ["\(url.prefix { $0 != ":" })://*"]).allows(url) == allowed)
    }

    @Test(arguments: [
        ("passphrase", true), ("srt_streamid", true), ("headers", true), ("cookies", true), ("auth_type", true), ("rtmp_tcurl", true),
        ("hls_enc_key", true), ("encryption_key", true), ("key", true), ("password", true), ("srtp_out_params", true), ("access-token", true),
        ("preset", false), ("crf", false), ("keyint", false), ("hls_time", false), ("movflags", false), ("key_frame", false), ("g", false),
    ])
    func anOptionsNameTellsWhetherItIsSecret(name: String, isSecret: Bool) {
        #expect(SecretOption.isSecret(name) == isSecret)
        #expect(SecretOption.redacted([name: "value"]) == [name: isSecret ? "***" : "value"])
    }

    @Test(arguments: [
        "HTTP://Host/a/k.wav", "http://host:80/a/k.wav", "http://host./a/%6b.wav", "http://u:p@host/a/./k.wav", "http://host/b/../a/k.wav#x",
        "http://host:/a/k.wav?", "http://host:080/a/k%2Ewav",
    ])
    func spellingsOfOneURLAreOnePlace(url: String) {
        #expect(URLParts(url)?.place == "http://host:80/a/k.wav")
    }

    @Test func whatIsNotOnePlaceIsNotTakenForOne() {
        let urls = [
            "http://h/a", "http://h/A", "http://h/a/", "http://h/a?x=1", "http://h/a%2Fb", "http://h/a/b", "https://h/a", "http://h:8080/a", "rtmp://h/a", "rtmp://h/b",
            "srt://h:9?streamid=a", "srt://h:9?streamid=b", "udp://h:9", "udp://h:10",
        ]
        #expect(Set(urls.compactMap { URLParts($0)?.place }).count == urls.count)
        #expect(URLParts("udp://h:9?ttl=3")?.place == URLParts("udp://h:9")?.place)
        #expect(URLParts("srt://h:9?latency=3&streamid=a")?.place == URLParts("srt://h:9?streamid=a")?.place)
        // Each connection is one of its own.
        #expect(URLParts("tcp://h:9")?.place == nil && URLParts("tls://h:9")?.place == nil)
    }

    @Test func storesOfOtherNamesMayBeOnePlace() throws {
        func store(_ name: String, _ endpoint: String, bucket: String = "b", prefix: String = "") -> StoreSettings {
            StoreSettings(name: name, fields: ["endpoint": endpoint, "bucket": bucket, "prefix": prefix, "secret_key": "hidden"], endpoint: endpoint)
        }
        let stores = [
            store("a", "http://h:80"), store("b", "http://H/"), store("c", "http://h", bucket: "c"), store("d", "http://h", prefix: "x/"), store("e", "http://h"),
        ]
        var policy = OutputPolicy(stores: ["a", "b", "c", "d"])
        policy.locate(stores)
        let places = policy.storePlaces
        #expect(places["a"] == places["b"] && places["a"] != places["c"] && places["a"].map { $0 + "x/" } == places["d"])
        #expect(places["e"] == nil && !"\(policy)".contains("hidden"))
    }
}
