import APICore
import HTTP1
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The other nodes: what they have is collected into one list, and requests that are for them are told so.
package final class Peers: Sendable {
    private let directory: PeerDirectory
    private let client: PeerClient
    private let configuration: CurrentConfiguration
    private let log: Logger
    private let peerLog: PeerLog
    private let patience = PeerPatience()
    private let tally = Mutex([PeerResult: Int64]())
    private let isStopped = Monitor(false)

    /// How old what is known of names and addresses may be.
    private static let refreshing = Duration.seconds(5)
    /// What a node's page may come to: `WriterList.pageBytes`, and its last writer beyond that.
    private static let maxPageBytes = WriterList.pageBytes + 256 * 1_024

    /// nil: this is the only node.
    package init?(_ configuration: CurrentConfiguration, loop: EventLoop, log: Logger) {
        guard let node = configuration.node, !configuration.peers.isEmpty else { return nil }
        directory = PeerDirectory(configuration.peers, own: node)
        client = PeerClient(loop: loop)
        self.log = log
        peerLog = PeerLog(log)
        self.configuration = configuration
    }

    private var timeout: Duration { .seconds(configuration.limits.peerTimeout) }

    /// Requests so far, by how they went.
    var counts: [PeerResult: Int64] { tally.withLock { $0 } }

    /// The problem of a request about a writer that is on another node; nil where none is known to have it. The
    /// request is not passed on: nothing of a body goes through a gateway.
    func wrongNode(of writer: WriterID) -> Problem? {
        directory.node(of: writer).map { node in
            Problem(
                .wrongNode,
                "The writer \(writer) is on the node \(node), and this is \(directory.own). Send the request there, or through the proxy.",
                parameter: "id", extras: [("node", .string(node.text))])
        }
    }
}

// Lists.
extension Peers {
    /// Responds with the writers of all nodes; `list` is what each is asked for, and `own` makes this node's page.
    func respond(
        to exchange: Exchange, with list: WriterList, for caller: Principal, as form: ResponseForm, own: @escaping @Sendable (WriterList) -> [UInt8]
    ) {
        let peers = directory.peers
        let responses = PeerResponses(of: peers.count)
        let holder = PeerBudget.Client(caller, at: exchange.peer?.host ?? "")
        for peer in peers { ask(peer, list, for: exchange, of: holder, responses) }
        client.post(at: .after(timeout)) { [weak responses] in responses?.giveUp() }
        // All have ended by then.
        exchange.wait(until: .after(timeout + .seconds(10)), for: { responses.whenDone($0) }) { [self] exchange, _ in
            responses.giveUp()
            exchange.attempt { () throws(Problem) in
                let text = try collect(responses.take(), list, for: caller, own: own)
                switch form {
                case .json: exchange.respond(with: Response(.ok, fields: form.fields, body: .bytes(text)))
                case .table: exchange.respond(with: .table(of: text, to: exchange.head.target))
                }
            }
        }
    }

    private func ask(
        _ peer: PeerDirectory.Peer, _ list: WriterList, for exchange: Exchange, of holder: PeerBudget.Client, _ responses: PeerResponses
    ) {
        var fields = [(name: "X-Request-Id", value: Array(exchange.requestID.utf8))]
        // The client's own: the other node judges it again, and shows what it may see.
        if let token = exchange.head.withField("Authorization", { value, _ in Array(value) }) { fields.append(("Authorization", token)) }
        let target = list.target(ofNode: exchange.head.target.query("name"))
        let address = peer.addresses.first
        let isShort = patience.isShort(for: address)
        let time = isShort ? timeout * PeerPatience.shortPart : timeout
        let request = client.get(target, from: peer, for: holder, fields: fields, maxBodyBytes: Self.maxPageBytes, within: time) { [patience] outcome in
            switch outcome {
            case .responded: patience.note(isSilent: false, address)
            case .failed(.timeout) where !isShort: patience.note(isSilent: true, address)
            case .failed: break
            }
            responses.add(outcome, of: peer)
        }
        guard let request else { return }
        responses.note(request)
        if isShort { client.post(at: .after(time)) { [weak request] in request?.giveUp(.timeout) } }
    }

    private func collect(
        _ responses: [PeerResponses.Response], _ list: WriterList, for caller: Principal, own: (WriterList) -> [UInt8]
    ) throws(Problem) -> [UInt8] {
        var collected = CollectedList(list, of: responses.map(\.peer), for: caller, at: directory.own)
        for (peer, outcome) in responses {
            let known = collected.answers.count
            let name = collected.add(outcome, of: peer)
            if let name, let address = peer.addresses.first { directory.learn(address, of: peer.place, is: name) }
            for answer in collected.answers[known...] { peerLog.note(answer, named: name ?? peer.name) }
        }
        let results = collected.answers.map(\.result)
        tally.withLock { tally in for result in results { tally[result, default: 0] += 1 } }
        guard let page = try? WriterPage(own(list), of: list, for: caller) else { throw Problem(.internalError, "This node's own list can't be read.") }
        collected.add(page)
        return collected.text(limit: list.limit)
    }
}

// Names and addresses.
extension Peers {
    /// Keeps what is known of nodes by name up to date, on a thread of its own: the resolver waits.
    func keepUpToDate() {
        if !directory.needsRefreshing { return }
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "peers") { [self] in
                while true {
                    directory.lookUp()
                    for (place, isResolved) in directory.names { peerLog.note(place, isResolved: isResolved) }
                    askForNames()
                    if isStopped.wait(until: .after(Self.refreshing), { $0 ? true : nil }) != nil { return }
                }
            }
        } catch {
            log.error("other nodes can't be looked up by name", metadata: ["error": "\(error)"])
        }
    }

    func stop() { isStopped.change { $0 = true } }

    /// Asks each address of a `dns:` place how it is called, without a token.
    private func askForNames() {
        let peers = directory.addressesOfNames
        if peers.isEmpty { return }
        let left = Monitor(peers.count)
        var requests: [PeerRequest] = []
        for peer in peers {
            let request = client.get("/readyz", from: peer, maxBodyBytes: 64 * 1_024, within: timeout) { [self] outcome in
                // 503: it is being drained, or ending.
                if case .responded(_, let body, _) = outcome, let name = Self.node(inReadiness: body) {
                    directory.learn(peer.addresses[0], of: peer.place, is: name)
                }
                left.change { $0 -= 1 }
            }
            if let request { requests.append(request) }
        }
        if left.wait(until: .after(timeout), { $0 == 0 ? true : nil }) == nil { requests.forEach { $0.giveUp(.timeout) } }
    }

    private static func node(inReadiness body: [UInt8]) -> NodeName? {
        (try? JSONParser.parse(body))?.objectValue?["node"]?.stringValue.flatMap(NodeName.init)
    }
}
