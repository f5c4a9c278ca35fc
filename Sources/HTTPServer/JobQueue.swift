/// Jobs in the order in which they came. The first of clients that may run is found without a look at the others
/// of the same clients, of which there may be thousands.
struct JobQueue {
    typealias Client = WorkerPool.ClientKey

    struct Entry {
        let run: WorkerPool.Job
        let clients: [Client]
        fileprivate let number: UInt64
    }

    /// The jobs of the same clients.
    private struct Lane {
        private var entries: [Entry?] = []
        private var start = 0

        var first: Entry? { start < entries.count ? entries[start] : nil }

        mutating func append(_ entry: Entry) { entries.append(entry) }

        mutating func removeFirst() {
            entries[start] = nil
            start += 1
            if start > 64 && start > entries.count / 2 {
                entries.removeFirst(start)
                start = 0
            }
        }
    }

    private var lanes: [[Client]: Lane] = [:]
    private var byClient: [Client: Int] = [:]
    private var last: UInt64 = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    func count(of client: Client) -> Int { byClient[client, default: 0] }

    mutating func append(_ job: @escaping WorkerPool.Job, for clients: [Client]) {
        last += 1
        lanes[clients, default: Lane()].append(Entry(run: job, clients: clients, number: last))
        for client in clients { byClient[client, default: 0] += 1 }
        count += 1
    }

    /// Takes out the first of clients that may run.
    mutating func take(where mayRun: ([Client]) -> Bool) -> Entry? {
        var found: Entry?
        for (clients, lane) in lanes {
            guard let first = lane.first, first.number < found?.number ?? .max, mayRun(clients) else { continue }
            found = first
        }
        guard let found else { return nil }
        lanes[found.clients]?.removeFirst()
        if lanes[found.clients]?.first == nil { lanes[found.clients] = nil }
        for client in found.clients { byClient.decrement(client) }
        count -= 1
        return found
    }
}

extension [WorkerPool.ClientKey: Int] {
    /// One less; what comes to nothing is not kept.
    package mutating func decrement(_ client: WorkerPool.ClientKey) {
        guard let count = self[client] else { return }
        self[client] = count > 1 ? count - 1 : nil
    }
}
