import Glibc
import Testing
import WriterModel

@Suite struct NetworkAddressTests {
    private func address(_ text: String) -> NetworkAddress? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return NetworkAddress(bytes: Array(bytes[..<4])) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? NetworkAddress(bytes: bytes) : nil
    }

    /// The registries that RFC 6890 began: the first and last address of each block, and the ones beside it.
    @Test(arguments: [
        ("0.0.0.0", .unspecified), ("0.255.255.255", .unspecified), ("1.0.0.0", .global), ("9.255.255.255", .global),
        ("10.0.0.0", .privateUse), ("10.255.255.255", .privateUse), ("11.0.0.0", .global), ("100.63.255.255", .global),
        ("100.64.0.0", .privateUse), ("100.127.255.255", .privateUse), ("100.128.0.0", .global), ("126.255.255.255", .global),
        ("127.0.0.0", .loopback), ("127.255.255.255", .loopback), ("128.0.0.0", .global), ("169.253.255.255", .global),
        ("169.254.0.0", .linkLocal), ("169.254.169.254", .linkLocal), ("169.255.0.0", .global), ("172.15.255.255", .global),
        ("172.16.0.0", .privateUse), ("172.31.255.255", .privateUse), ("172.32.0.0", .global), ("192.0.0.8", .reserved),
        ("192.0.2.1", .reserved), ("192.167.255.255", .global), ("192.168.0.0", .privateUse), ("192.168.255.255", .privateUse),
        ("192.169.0.0", .global), ("198.17.255.255", .global), ("198.18.0.0", .reserved), ("198.19.255.255", .reserved),
        ("198.20.0.0", .global), ("198.51.100.1", .reserved), ("203.0.113.1", .reserved), ("223.255.255.255", .global),
        ("224.0.0.0", .multicast), ("239.255.255.255", .multicast), ("240.0.0.0", .reserved), ("255.255.255.255", .reserved),
    ] as [(String, NetworkAddress.Reach)])
    func reachOfIPv4(text: String, reach: NetworkAddress.Reach) { #expect(address(text)?.reach == reach) }

    @Test(arguments: [
        ("::", .unspecified), ("::1", .loopback), ("::2", .reserved), ("::127.0.0.1", .reserved), ("::ffff:127.0.0.1", .loopback),
        ("::ffff:10.1.2.3", .privateUse), ("::ffff:169.254.169.254", .linkLocal), ("::ffff:8.8.8.8", .global), ("::ffff:0.0.0.0", .unspecified),
        ("64:ff9b::127.0.0.1", .loopback), ("64:ff9b::192.168.0.1", .privateUse), ("64:ff9b::8.8.8.8", .global), ("64:ff9b:1::1", .reserved),
        ("2002:7f00:1::", .loopback), ("2002:a9fe:a9fe::1", .linkLocal), ("2002:808:808::1", .global), ("2001::1", .reserved),
        ("2001:db8::1", .reserved), ("2001:4860:4860::8888", .global), ("2a00:1450::1", .global), ("3fff:ffff::1", .global), ("4000::1", .reserved),
        ("100::1", .reserved), ("fc00::1", .privateUse), ("fdff::1", .privateUse), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
        ("fec0::1", .privateUse), ("ff02::1", .multicast), ("ff0e::1", .multicast),
    ] as [(String, NetworkAddress.Reach)])
    func reachOfIPv6(text: String, reach: NetworkAddress.Reach) { #expect(address(text)?.reach == reach) }

    @Test(arguments: [
        // A pattern with a * in its host reaches what the whole world can.
        ("udp://*:9", "8.8.8.8", true), ("udp://*:9", "127.0.0.1", false), ("udp://*:9", "::1", false), ("udp://*", "169.254.169.254", false),
        ("udp://*.example.com:9", "10.0.0.1", false), ("udp://*.example.com:9", "2a00:1450::1", true),
        // One that is written out means its host, wherever it is.
        ("udp://a.example.com:9", "10.0.0.1", true), ("udp://a.example.com:*", "::1", true),
        // One of digits means addresses, and no others.
        ("udp://10.0.0.*:9", "10.0.0.7", true), ("udp://10.0.0.*:9", "10.0.1.7", false), ("udp://10.0.0.*:9", "8.8.8.8", false),
        ("udp://10.0.0.*:9", "::ffff:10.0.0.7", true), ("udp://10.0.0.*:9", "fd00::1", false),
    ])
    func aPatternAllowsTheAddressesItNames(pattern: String, text: String, allowed: Bool) throws {
        let host = pattern.contains("10.0.0.*") ? "10.0.0.evil" : "a.example.com"
        let permit = try OutputPolicy(patterns: [pattern]).permit("udp://\(host):9").get()
        let parsed = try #require(address(text))
        #expect(permit.allows(parsed) == allowed)
    }

    @Test func whatAnyOfThePatternsAllowsIsAllowed() throws {
        let permit = try OutputPolicy(patterns: ["http://*", "http://10.*", "http://fd00.example"]).permit("http://10.0.0.1/x").get()
        for (text, allowed) in [("10.0.0.1", true), ("8.8.8.8", true), ("192.168.0.1", false)] {
            let parsed = try #require(address(text))
            #expect(permit.allows(parsed) == allowed, "\(text)")
        }
    }

    @Test(arguments: [
        ("rtmp://Host.Example/app/key", "host.example", 1935), ("rtmps://h/x", "h", 443), ("http://h/x", "h", 80), ("https://u:p@h/x", "h", 443),
        ("udp://[2001:db8::1]:7", "2001:db8::1", 7), ("udp://[::1]:7", "::1", 7), ("rtp://h:5004", "h", 5005), ("rtsp://h/x", "h", 6970),
        ("tcp://:7?listen=1", "", 7),
    ])
    func aPermitIsForTheURLsHostAndPorts(url: String, host: String, port: Int) throws {
        let permit = try OutputPolicy(patterns: ["\(url.prefix { $0 != ":" })://*"]).permit(url).get()
        #expect(permit.covers(host: host, port: port))
        for (other, otherPort) in [(host + "x", port), ("127.0.0.1", port), (host, 22)] { #expect(!permit.covers(host: other, port: otherPort)) }
    }
}
