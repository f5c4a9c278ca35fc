import Synchronization
import SystemIO
import WriterModel

/// Which other nodes there are, and where: as `--peers` has it, with the addresses that names have now.
package final class PeerDirectory: Sendable {
    package struct Peer: Sendable {
        /// nil: its address has not said yet how it is called.
        package var name: NodeName?
        package let place: PeerPlace.HostPort
        /// Whether the place says how it is called, and not the node itself.
        let isListed: Bool
        /// In the order to try; none: its name has no address now, or the node is not among those that it has.
        package var addresses: [SocketAddress]
        /// The place's name has no address at all.
        package var isUnresolved = false

        /// Tells it from others while it is known, also before it has said its name.
        package struct Key: Hashable, Sendable {
            let place: PeerPlace.HostPort
            /// nil: the place is one node's alone.
            let address: SocketAddress?
        }

        package var key: Key { Key(place: place, address: isListed ? nil : addresses.first) }
    }

    private struct Seen {
        let place: PeerPlace.HostPort
        let at: ContinuousClock.Instant
    }

    private struct State {
        var addresses: [PeerPlace.HostPort: [SocketAddress]] = [:]
        /// What addresses of `dns:` places have said.
        var names: [SocketAddress: NodeName] = [:]
        /// Nodes that were found by a `dns:` place.
        var seen: [NodeName: Seen] = [:]
    }

    /// For so long a node whose name is gone from DNS is still one that is missing.
    static let memory = Duration.seconds(600)
    /// Of nodes that a `dns:` place has had in that time; those beyond are not missed when they go.
    private static let mostSeen = 64

    let own: NodeName
    private let places: [PeerPlace]
    private let state = Mutex(State())

    package init(_ places: [PeerPlace], own: NodeName) {
        self.places = places
        self.own = own
        for place in hosts { set(Self.numeric(place), of: place) }
    }

    private var hosts: [PeerPlace.HostPort] {
        places.filter { $0.node != own }.map { place in
            switch place {
            case .node(_, let host), .name(let host): host
            }
        }
    }

    /// Whether something of it changes: addresses of names, names of addresses.
    package var needsRefreshing: Bool {
        places.contains { if case .name = $0 { true } else { false } }
            || hosts.contains { Self.numeric($0).isEmpty }
    }

    private static func numeric(_ place: PeerPlace.HostPort) -> [SocketAddress] {
        SocketAddress.all(of: place.host, port: place.port, isNumeric: true) ?? []
    }

    /// Looks the names up again, which waits for the resolver. Where it does not respond, all stays as it was.
    package func lookUp() {
        for place in hosts where Self.numeric(place).isEmpty {
            if let found = SocketAddress.all(of: place.host, port: place.port) { set(found, of: place) }
        }
    }

    /// The places that are names, and whether each has an address now.
    package var names: [(place: PeerPlace.HostPort, isResolved: Bool)] {
        let named = hosts.filter { Self.numeric($0).isEmpty }
        return state.withLock { state in named.map { ($0, !(state.addresses[$0] ?? []).isEmpty) } }
    }

    private func set(_ addresses: [SocketAddress], of place: PeerPlace.HostPort) { state.withLock { $0.addresses[place] = addresses } }

    /// The addresses of `dns:` places.
    package var addressesOfNames: [Peer] {
        state.withLock { state in
            places.flatMap { place -> [Peer] in
                guard case .name(let host) = place else { return [] }
                return (state.addresses[host] ?? []).map { Peer(name: state.names[$0], place: host, isListed: false, addresses: [$0]) }
            }
        }
    }

    /// An address of a `dns:` place says that it is this node's.
    package func learn(_ address: SocketAddress, of place: PeerPlace.HostPort, is name: NodeName) {
        state.withLock { state in
            state.names[address] = name
            let isRoom = state.seen[name] != nil || state.seen.values.count { $0.place == place } < Self.mostSeen
            if name != own, isRoom { state.seen[name] = Seen(place: place, at: .now) }
            // Addresses come and go: what is kept is of those that there are.
            let current = Set(state.addresses.values.joined())
            state.names = state.names.filter { current.contains($0.key) }
            state.seen = state.seen.filter { .now - $0.value.at < Self.memory }
        }
    }

    /// All nodes but this one; a name that has no address stands for those that it should lead to.
    package var peers: [Peer] {
        state.withLock { state in
            var peers: [Peer] = []
            for place in places {
                switch place {
                case .node(let name, let host):
                    if name != own { peers.append(Peer(name: name, place: host, isListed: true, addresses: state.addresses[host] ?? [])) }
                case .name(let host): add(state.addresses[host] ?? [], of: host, state.names, to: &peers)
                }
            }
            for (name, seen) in state.seen where .now - seen.at < Self.memory && !peers.contains(where: { $0.name == name }) {
                peers.append(Peer(name: name, place: seen.place, isListed: false, addresses: []))
            }
            for case .name(let host) in places where (state.addresses[host] ?? []).isEmpty && !peers.contains(where: { $0.place == host }) {
                peers.append(Peer(name: nil, place: host, isListed: false, addresses: []))
            }
            for index in peers.indices { peers[index].isUnresolved = (state.addresses[peers[index].place] ?? []).isEmpty }
            return peers
        }
    }

    /// A node may have several addresses.
    private func add(_ addresses: [SocketAddress], of place: PeerPlace.HostPort, _ names: [SocketAddress: NodeName], to peers: inout [Peer]) {
        for address in addresses where names[address] != own {
            if let name = names[address], let index = peers.firstIndex(where: { $0.name == name }) {
                if peers[index].place == place { peers[index].addresses.append(address) }
            } else {
                peers.append(Peer(name: names[address], place: place, isListed: false, addresses: [address]))
            }
        }
    }

    /// The other node that a writer is on, by its id; nil: it names none that is known.
    package func node(of writer: WriterID) -> NodeName? {
        guard let node = writer.node, node != own, peers.contains(where: { $0.name == node }) else { return nil }
        return node
    }
}
