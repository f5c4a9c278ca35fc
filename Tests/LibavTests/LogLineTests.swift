import Libav
import Testing

@Suite struct LogLineTests {
    @Test(arguments: [
        ("[aac @ 0x55d0c0a3f2b0] text", "[aac] text"),
        ("[aac @ 0x55d0c0a3f2b0] [Eval @ 0x7ffd1f2a3b40] Undefined constant", "[aac] [Eval] Undefined constant"),
        ("[AVFilterGraph @ 0x1c3] x @ 0x7F12", "[AVFilterGraph] x"), ("ctx=0x7f12a4001230, next", "ctx=0x…, next"),
        ("tag avc1 (0x31637661) is (0x1b)", "tag avc1 (0x31637661) is (0x1b)"), ("a 0x b 0xg 10x20 @ x", "a 0x b 0xg 10x20 @ x"),
        ("cut [hevc @ 0x55d", "cut [hevc"), ("cut ptr 0x55d0", "cut ptr 0x…"), ("", ""), ("é @0x55d0c0a3f2b0é", "éé"),
    ])
    func addressesAreInNoLine(line: String, shown: String) { #expect(LogLine.withoutAddresses(line) == shown) }
}
