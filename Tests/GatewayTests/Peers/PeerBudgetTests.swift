import APICore
import Gateway
import Testing
import WriterModel

@Suite struct PeerBudgetTests {
    private static func peers(_ count: Int) throws -> [PeerDirectory.Peer.Key] {
        let places = (2..<(2 + count)).map { "n\($0)=http://127.0.0.\($0):80" }
        return PeerDirectory(try PeerPlace.list(places.joined(separator: ",")), own: NodeName("n1")!).peers.map(\.key)
    }

    private static func hash(_ token: String) -> TokenHash { Array(token.utf8).withUnsafeBytes { BearerToken.hash($0, salt: []) } }

    /// How many requests are admitted before one is not.
    private static func admitted(_ take: () -> PeerBudget.Share?) -> [PeerBudget.Share] {
        var shares: [PeerBudget.Share] = []
        while shares.count < 1_000, let share = take() { shares.append(share) }
        return shares
    }

    @Test func whatRequestsHoldIsBoundedAndGivenBack() throws {
        let peers = try Self.peers(2)
        let budget = PeerBudget(maxRequests: 3, maxBytes: 100)
        var shares = [budget.share(of: peers[0], for: .name("a")), budget.share(of: peers[1], for: .name("b"))]
        #expect(shares.allSatisfy { $0 != nil } && budget.share(of: peers[1], for: .name("c")) == nil)
        #expect(shares[0]?.grow(to: 40) == true)
        #expect(shares[1]?.grow(to: 31) == false)
        #expect(shares[1]?.grow(to: 30) == true)
        #expect(shares[0]?.grow(to: 36) == true, "it has more already")
        shares[0] = nil
        #expect(shares[1]?.grow(to: 50) == true && shares[1]?.grow(to: 51) == false)
        #expect(budget.share(of: peers[0], for: .name("a")) != nil)
    }

    /// One that accepts and never responds had all of them.
    @Test func aSlowPeerLeavesAsMuchAsItHolds() throws {
        let peers = try Self.peers(4)
        let budget = PeerBudget(maxRequests: 8, maxBytes: 100)
        var clients = 0
        var held: [[PeerBudget.Share]] = []
        for peer in peers {
            held.append(Self.admitted {
                clients += 1
                return budget.share(of: peer, for: .address("\(clients)"))
            })
        }
        // 4 of 8, then 2 of the 4 that are left, and so on; the last would leave nothing.
        #expect(held.map(\.count) == [4, 2, 1, 0])
        held[0] = []
        #expect(budget.share(of: peers[3], for: nil) != nil)
    }

    @Test func aClientThatAsksForMuchLeavesAsMuch() throws {
        let peers = try Self.peers(20)
        let budget = PeerBudget(maxRequests: 8, maxBytes: 100)
        var next = peers.makeIterator()
        var held: [[PeerBudget.Share]] = []
        for name in ["a", "b", "c"] { held.append(Self.admitted { next.next().flatMap { budget.share(of: $0, for: .name(name)) } }) }
        try #require(held.map(\.count) == [4, 2, 1])
        #expect(held[0][0].grow(to: 30) && held[0][1].grow(to: 20) && !held[0][2].grow(to: 1))
        #expect(held[1][0].grow(to: 25) && !held[1][1].grow(to: 1))
        #expect(held[2][0].grow(to: 12))
    }

    /// By its name, else its token, else its address: of one name it is the same client with any token and from any place.
    @Test func aClientIsKnownByItsNameOrItsTokenOrItsAddress() {
        let (one, other) = (Self.hash("one"), Self.hash("other"))
        func client(_ name: String?, _ token: TokenHash?, _ address: String) -> PeerBudget.Client {
            PeerBudget.Client(Principal(name: name, scopes: .all, token: token), at: address)
        }
        #expect(client("a", one, "10.0.0.1") == client("a", other, "10.0.0.2"))
        #expect(client("a", one, "10.0.0.1") != client("b", one, "10.0.0.1"))
        #expect(client(nil, one, "10.0.0.1") == client(nil, one, "10.0.0.2") && client(nil, one, "10.0.0.1") != client(nil, other, "10.0.0.1"))
        #expect(client(nil, nil, "10.0.0.1") == client(nil, nil, "10.0.0.1") && client(nil, nil, "10.0.0.1") != client(nil, nil, "10.0.0.2"))
    }
}
