import SystemIO
import WriterModel

/// A page of all nodes' writers, of what they have responded.
package struct CollectedList {
    /// A node whose writers the page lacks.
    private struct Missing {
        /// nil: its address has not said how it is called.
        var node: NodeName? { answer.peer.name }
        let answer: Answer

        var json: JSONValue {
            var members: JSONObject = [:]
            members["node"] = node.map { .string($0.text) }
            if node == nil { members["place"] = .string("\(answer.peer.place)") }
            members["reason"] = .string(answer.result.rawValue)
            members["detail"] = answer.result.detail(answer.status).map { .string($0) }
            return .object(members)
        }
    }

    /// How the request to a node went.
    struct Answer {
        let peer: PeerDirectory.Peer
        let result: PeerResult
        /// Of a response that was no list.
        var status: Int?
    }

    private let list: WriterList
    private let caller: Principal
    private let own: NodeName
    /// Where nodes are that have their names from this one.
    private let listed: [NodeName: Set<SocketAddress>]
    private var pages: [WriterPage] = []
    private var missing: [Missing] = []
    /// How each request went; those to this node's own addresses are left out.
    private(set) var answers: [Answer] = []

    /// `list` is what each of `peers` was asked for.
    package init(_ list: WriterList, of peers: [PeerDirectory.Peer], for caller: Principal, at own: NodeName) {
        listed = peers.reduce(into: [:]) { listed, peer in
            if peer.isListed, let name = peer.name { listed[name] = Set(peer.addresses) }
        }
        self.list = list
        self.caller = caller
        self.own = own
    }

    /// Takes what a node has responded; its name, where that is not the one it was known by.
    mutating func add(_ outcome: PeerRequest.Outcome, of peer: PeerDirectory.Peer) -> NodeName? {
        switch outcome {
        case .failed(let result): note(Answer(peer: peer, result: result))
        case .responded(200, let body, let share):
            guard let page = try? WriterPage(body, of: list, for: caller, share: share), takes(page.node, from: peer) else {
                note(Answer(peer: peer, result: .unusable))
                return nil
            }
            if page.node != own {
                answers.append(Answer(peer: peer, result: .ok))
                add(page)
            }
            return peer.name == page.node ? nil : page.node
        case .responded(let status, _, _): note(Answer(peer: peer, result: .refused, status: status))
        }
        return nil
    }

    /// A name that is listed belongs to its place: a `dns:` place's page of it counts at one of its addresses only.
    package func takes(_ node: NodeName, from peer: PeerDirectory.Peer) -> Bool {
        if peer.isListed { return peer.name == node }
        return listed[node].map { !$0.isDisjoint(with: peer.addresses) } ?? true
    }

    private mutating func note(_ answer: Answer) {
        missing.append(Missing(answer: answer))
        answers.append(answer)
    }

    /// A node that has two addresses counts once.
    mutating func add(_ page: WriterPage) {
        if !pages.contains(where: { $0.node == page.node }) { pages.append(page) }
    }

    /// The response's body.
    func text(limit: Int) -> [UInt8] {
        let merge = WriterMerge(pages, limit: limit)
        var text = Array("{\"writers\":[".utf8) + merge.texts.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
        if let cursor = merge.nextCursor { text += Array(",\"next_cursor\":".utf8) + JSONValue.string(cursor).encoded }
        let lacking = missing.filter { missing in !pages.contains { $0.node == missing.node } }
            .sorted { ($0.node?.text ?? "").utf8.lexicographicallyPrecedes(($1.node?.text ?? "").utf8) }
        if !lacking.isEmpty { text += Array(",\"partial\":".utf8) + JSONValue.array(lacking.map(\.json)).encoded }
        return text + Array("}\n".utf8)
    }
}
