import Gateway
import SystemIO
import Testing

@Suite struct PeerPatienceTests {
    private let began = ContinuousClock.now

    @Test func aSilentNodeIsWaitedForLessForAWhile() throws {
        let addresses = try (1...2).map { try #require(SocketAddress.all(of: "127.0.0.\($0)", port: 80, isNumeric: true)?.first) }
        let patience = PeerPatience()
        #expect(!patience.isShort(for: addresses[0], at: began) && !patience.isShort(for: nil, at: began))
        patience.note(isSilent: true, addresses[0], at: began)
        #expect(patience.isShort(for: addresses[0], at: began + .seconds(4)))
        #expect(!patience.isShort(for: addresses[1], at: began + .seconds(4)))
        #expect(!patience.isShort(for: addresses[0], at: began + .seconds(5)))
        patience.note(isSilent: false, addresses[0], at: began + .seconds(1))
        #expect(!patience.isShort(for: addresses[0], at: began + .seconds(2)))
    }
}
