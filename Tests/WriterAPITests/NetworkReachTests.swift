import SystemIO
import Testing
import WriterAPI
import WriterModel

@Suite struct NetworkReachTests {
    private func reach(_ patterns: String...) -> NetworkReach { NetworkReach(OutputPolicy(patterns: patterns)) }

    @Test func withoutPatternsThereAreNoSockets() {
        #expect(reach().sockets == [])
        #expect(reach().tcpPorts == .none)
    }

    @Test(arguments: [
        ("tcp://10.0.0.1:9000", 9_000), ("rtmp://10.0.0.1/live/*", 1_935), ("rtmps://10.0.0.1/*", 443),
        ("http://10.0.0.1/*", 80), ("https://10.0.0.1:8443/*", 8_443), ("http://[::1]/*", 80), ("http://[::1]:81/*", 81),
        ("icecast://user@10.0.0.1:8000/*", 8_000),
    ] as [(String, UInt16)])
    func patternWithOnePortOpensThatPort(pattern: String, port: UInt16) {
        #expect(reach(pattern).tcpPorts == .these(connecting: [port], listening: [port]))
        #expect(reach(pattern).sockets == .tcp)
    }

    @Test(arguments: ["tcp://10.0.0.1:*", "rtmp://10.0.0.*", "http://*/upload", "ftp://10.0.0.1/*", "icecast://10.0.0.1/*", "unheard://10.0.0.1/"])
    func patternWithoutOnePortOpensAll(pattern: String) {
        #expect(reach(pattern).tcpPorts == .all)
        #expect(reach(pattern).sockets.contains(.tcp))
    }

    @Test func nameIsLookedUpByDatagramsAndOnPort53() {
        let named = reach("rtmp://*.example.com/*", "http://10.0.0.1/*")
        #expect(named.tcpPorts == .these(connecting: [53, 80, 1_935], listening: [80, 1_935]))
        #expect(named.sockets == [.tcp, .datagrams])
    }

    @Test(arguments: ["udp://10.0.0.1:5000", "srt://*:*", "rtp://10.0.0.1:*", "rist://10.0.0.1:1968"])
    func datagramsNeedNoTCP(pattern: String) {
        #expect(reach(pattern).sockets == .datagrams)
        #expect(reach(pattern).tcpPorts == .none)
    }

    @Test func rtspNeedsBoth() {
        #expect(reach("rtsp://10.0.0.1/*").sockets == [.tcp, .datagrams])
        #expect(reach("rtsp://10.0.0.1/*").tcpPorts == .these(connecting: [554], listening: [554]))
    }
}
