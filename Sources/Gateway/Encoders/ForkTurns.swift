import HTTPServer

/// For whom an encoder, or a carrier of one, is forked: forks are handed out to these by turns.
package enum ForkClient: Hashable, Sendable {
    /// A token's name.
    case name(String)
    case client(WorkerPool.ClientKey?)
}

/// What is asked of the fork server and not begun. A few forks are under way at a time, and the clients that
/// ask for some have them by turns: one that asks for a thousand delays another by one.
package struct ForkTurns<Request> {
    /// Enough that the fork server always has the next one.
    package static var mostUnderWay: Int { 4 }

    private var waiting: [ForkClient: [Request]] = [:]
    /// Those that have some waiting, whose turn is next first.
    private var turns: [ForkClient] = []
    package private(set) var underWay = 0

    package init() {}

    package mutating func add(_ request: Request, for client: ForkClient) {
        if waiting[client] == nil { turns.append(client) }
        waiting[client, default: []].append(request)
    }

    /// The next one to be begun, which is under way then; nil when none waits or enough are under way.
    package mutating func next() -> Request? {
        guard underWay < Self.mostUnderWay, !turns.isEmpty else { return nil }
        let client = turns.removeFirst()
        guard let request = waiting[client]?.removeFirst() else { return nil }
        if waiting[client]?.isEmpty == true {
            waiting[client] = nil
        } else {
            turns.append(client)
        }
        underWay += 1
        return request
    }

    /// One has been forked, or will not be.
    package mutating func end() { underWay = max(0, underWay - 1) }

    /// Those that have not been begun, which will not be.
    mutating func takeAll() -> [Request] {
        defer { (waiting, turns) = ([:], []) }
        return turns.flatMap { waiting[$0] ?? [] }
    }

    /// The fork server that had them under way is gone.
    mutating func endAll() { underWay = 0 }
}
