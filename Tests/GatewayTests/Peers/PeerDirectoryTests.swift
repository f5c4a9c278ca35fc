import Gateway
import SystemIO
import Testing
import WriterModel

@Suite struct PeerDirectoryTests {
    private static let own = NodeName("n1")!

    private static func directory(_ text: String) throws -> PeerDirectory { PeerDirectory(try PeerPlace.list(text), own: own) }

    private static func shown(_ directory: PeerDirectory) -> [String] {
        directory.peers.map { "\($0.name?.text ?? "?") \($0.addresses.map(\.description).joined(separator: " "))" }.sorted()
    }

    private static func id(_ node: String) -> WriterID { WriterID("\(node)-w_0123456789abcdefghijklmn")! }

    @Test func aNodeIsNotAmongItsPeers() throws {
        let directory = try Self.directory("n1=http://127.0.0.1:1,n2=http://127.0.0.1:2,n3=http://[::1]:3")
        #expect(Self.shown(directory) == ["n2 127.0.0.1:2", "n3 [::1]:3"])
        #expect(!directory.needsRefreshing)
        #expect(directory.node(of: Self.id("n2")) == NodeName("n2"))
        #expect(directory.node(of: Self.id("n1")) == nil)
        #expect(directory.node(of: Self.id("n4")) == nil)
        #expect(directory.node(of: WriterID("n2-talk")!) == nil)
    }

    @Test func addressesOfANameSayThemselvesWhichNodeTheyAre() throws {
        let directory = try Self.directory("dns:127.0.0.2:8080,dns:127.0.0.3:8080,dns:127.0.0.4:8080")
        #expect(directory.needsRefreshing)
        #expect(Self.shown(directory) == ["? 127.0.0.2:8080", "? 127.0.0.3:8080", "? 127.0.0.4:8080"])
        #expect(directory.node(of: Self.id("n2")) == nil)
        for (peer, name) in zip(directory.addressesOfNames, ["n2", "n1", "n2"]) {
            directory.learn(peer.addresses[0], of: peer.place, is: NodeName(name)!)
        }
        // Of n2's two places the first counts; n1 is this node.
        #expect(Self.shown(directory) == ["n2 127.0.0.2:8080"])
        #expect(directory.node(of: Self.id("n2")) == NodeName("n2"))
    }

    @Test func aNodeWhoseNameIsGoneFromDNSIsStillMissing() throws {
        let directory = try Self.directory("dns:127.0.0.2:8080")
        let peer = directory.addressesOfNames[0]
        directory.learn(peer.addresses[0], of: peer.place, is: NodeName("n2")!)
        // The address is a new node's now.
        directory.learn(peer.addresses[0], of: peer.place, is: NodeName("n3")!)
        #expect(Self.shown(directory) == ["n2 ", "n3 127.0.0.2:8080"])
    }

    /// A peer that had a new name each time filled the memory, and every list's `partial`.
    @Test func thereAreNoMoreNodesOfANameThanAreRemembered() throws {
        let directory = try Self.directory("dns:127.0.0.2:8080")
        let peer = directory.addressesOfNames[0]
        for number in 0..<200 { directory.learn(peer.addresses[0], of: peer.place, is: NodeName("z\(number)")!) }
        // What it says now, and what it said first.
        #expect(Self.shown(directory).count == 65)
        #expect(Self.shown(directory).contains("z199 127.0.0.2:8080"))
    }

    /// An address of a `dns:` place showed its own writers as a configured node's.
    @Test func aListedNameBelongsToItsPlace() throws {
        let peers = try Self.directory("n3=http://127.0.0.3:8080,dns:127.0.0.2:8080,dns:127.0.0.3:8080").peers
        let collected = try CollectedList(WriterList(head("GET", "/v1/writers").target), of: peers, for: .anyone, at: Self.own)
        func takers(_ name: String) -> [String] {
            peers.filter { collected.takes(NodeName(name)!, from: $0) }.map { "\($0.name?.text ?? "?") \($0.addresses[0])" }
        }
        // The last is n3's own address.
        #expect(takers("n3") == ["n3 127.0.0.3:8080", "? 127.0.0.3:8080"])
        #expect(takers("n9") == ["? 127.0.0.2:8080", "? 127.0.0.3:8080"])
    }

    /// A list without its nodes said that it was whole.
    @Test func aNameWithoutAnAddressIsMissingItself() throws {
        let directory = try Self.directory("dns:nodes.invalid:8080,dns:127.0.0.1:8080,n2=http://n2.invalid:8080")
        #expect(directory.peers.map { "\($0.name?.text ?? "?") \($0.place) \($0.isUnresolved)" } == [
            "? 127.0.0.1:8080 false", "n2 n2.invalid:8080 true", "? nodes.invalid:8080 true",
        ])
        #expect(directory.names.map { "\($0.place) \($0.isResolved)" } == ["nodes.invalid:8080 false", "n2.invalid:8080 false"])
    }

    /// "localhost" is in /etc/hosts everywhere.
    @Test func namesAreLookedUp() throws {
        let directory = try Self.directory("n2=http://localhost:8080")
        #expect(Self.shown(directory) == ["n2 "])
        directory.lookUp()
        #expect(directory.peers[0].addresses.contains { $0.isLoopback && $0.port == 8_080 })
    }
}
