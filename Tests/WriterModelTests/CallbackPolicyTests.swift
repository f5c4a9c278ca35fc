import Testing
import WriterModel

/// Where the ends of writers may be told.
@Suite struct CallbackPolicyTests {
    private func refusal(_ url: String, _ patterns: [String], isOfToken: Bool = false, canSign: Bool = true) -> String? {
        guard case .failure(let refusal) = CallbackPolicy(patterns: patterns, isOfToken: isOfToken, canSign: canSign).permit(url) else { return nil }
        return refusal.reason
    }

    @Test(arguments: [
        ("https://hooks.example.com/a?b=c", ["https://hooks.example.com/*"]), ("https://u:p@a.example.com/x", ["https://*.example.com/*"]),
        ("HTTPS://A.Example.com", ["https://*.example.com"]), ("http://127.0.0.1:8000/x", ["http://127.0.0.1:*/*"]),
        ("http://10.1.2.3/", ["http://10.*"]), ("http://[::1]:80/", ["http://[::1]:80"]), ("https://8.8.8.8/", ["https://*"]),
    ])
    func whatAPatternNamesIsAllowed(url: String, patterns: [String]) {
        #expect(CallbackPolicy.flaw(ofURL: url) == nil)
        #expect(refusal(url, patterns) == nil)
        #expect(CallbackPolicy(patterns: patterns + ["https://other.example.com"]).patterns(naming: url) == patterns)
    }

    @Test(arguments: [
        ("https://hooks.example.com/", "http://*"), ("https://hooks.example.org/", "https://*.example.com/*"), ("https://a.example.com:444/", "https://a.example.com/*"),
        ("https://a.example.com/b", "https://a.example.com/a*"), ("http://127.0.0.1/", "http://*"), ("http://169.254.169.254/", "http://*"), ("http://192.168.0.1/", "http://*.0.1"),
    ])
    func whatNoneNamesIsNot(url: String, pattern: String) {
        // Digits and stars name addresses themselves.
        if pattern == "http://*.0.1" { #expect(refusal(url, [pattern]) == nil) } else { #expect(refusal(url, [pattern]) != nil) }
    }

    @Test func theReasonSaysWhatIsMissing() {
        let url = "https://a.example.com/"
        #expect(refusal(url, []) == "it runs without --allow-callback")
        #expect(refusal(url, ["https://b.example.com"]) == "none of its --allow-callback patterns names it")
        #expect(refusal(url, [], isOfToken: true) == "this token's allow-callback= allows none")
        #expect(refusal(url, ["https://*"], canSign: false) == "it runs without --webhook-secret-file")
        #expect(refusal("http://10.0.0.1/", ["http://*"])?.contains("private") == true)
    }

    @Test(arguments: [
        "", "x", "ftp://a/", "file:///etc/passwd", "http://", "http:///a", "http://a b/", "http://a\\b/", "http://a@b@c/", "http://a:0/", "http://a:65536/", "http://a:x/",
        "http://a/#b", "http://ä/", "http://a%2eb/", "http://a/\n", "http://[a]:1]/", "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/", "http://1.2.3.4.5/", "http://a.0x1/", "http://a/\(String(repeating: "x", count: 2_048))", "http://a/?u=b@c",
    ])
    func whatIsNoURLOfOneHostHasAFlaw(url: String) {
        // An "@" behind the host is a matter of the receiver's.
        if url == "http://a/?u=b@c" { #expect(CallbackPolicy.flaw(ofURL: url) == nil) } else { #expect(CallbackPolicy.flaw(ofURL: url) != nil, "\(url)") }
    }

    @Test func patternsAreOfHTTPAlone() {
        #expect(CallbackPolicy.flaw(ofPattern: "https://*.example.com/*") == nil)
        for pattern in ["rtmp://*", "*", "https", "https://a b"] { #expect(CallbackPolicy.flaw(ofPattern: pattern) != nil, "\(pattern)") }
    }

    @Test func messagesOfTheSenderAreReadAsTheyWereWritten() {
        let request = WebhookRequest(
            number: .max, url: "https://a/?\"", patterns: ["https://*"], headers: [.init("webhook-id", "msg_1")], body: "{\"a\": \"\\u0000\"}")
        var operators = request
        operators.patterns = nil
        for message in [
            WebhookMessage.send(request), .send(operators), .start(.init(serverPorts: [1, 65_535], requiresSandbox: true, logLevel: "debug")),
            .sent(number: 7, .answered(status: 503, retryAfter: 2.5)), .sent(number: 8, .answered(status: 204, retryAfter: nil)), .sent(number: 9, .failed(reason: "no route")),
        ] {
            #expect(WebhookMessage(message.encoded) == message)
        }
        for text in ["", "{}", "[]", #"{"sent": 1}"#, #"{"send": {}}"#, #"{"sent": "1", "result": {}}"#] { #expect(WebhookMessage(Array(text.utf8)) == nil, "\(text)") }
    }
}
