import SystemIO
import WriterModel

/// What the file of webhooks says, in memory, and the lines that are still to be written to it.
struct WebhookBook {
    private var file: WebhookLog
    private var lines: [WebhookLog.Line] = []
    private(set) var watches: [WriterID: WebhookWatch] = [:]
    /// Of the events that some target has not got.
    private var entries: [String: Entry] = [:]

    private struct Entry {
        let event: WebhookEvent
        let targets: [WebhookTarget]
        let told: WriterMilestones
        var left: Set<Int>
        /// In which order they came.
        let number: Int
    }

    private var lastNumber = 0

    init(in folder: Directory) { file = WebhookLog(in: folder) }

    /// Something is not on disk.
    var isBehind: Bool { file.isBehind || !lines.isEmpty }

    // MARK: What is in it

    /// Takes up what an earlier run has left. `rewrite` is to follow where there is anything.
    mutating func load() -> WebhookLog.Contents {
        let contents = file.load()
        watches = contents.watches
        for pending in contents.pending {
            keep(pending.event, pending.targets, pending.left, told: watches[pending.event.writer]?.told ?? WriterMilestones())
        }
        return contents
    }

    private mutating func keep(_ event: WebhookEvent, _ targets: [WebhookTarget], _ left: [Int], told: WriterMilestones) {
        lastNumber += 1
        entries[event.id] = Entry(event: event, targets: targets, told: told, left: Set(left), number: lastNumber)
    }

    mutating func watch(_ writer: WriterID, _ watch: WebhookWatch) {
        watches[writer] = watch
        lines.append(.watch(writer, watch))
    }

    /// What was told of the writer by the events that are entered. False: it was not watched before.
    mutating func note(_ watch: WebhookWatch, of writer: WriterID) -> Bool { watches.updateValue(watch, forKey: writer) != nil }

    mutating func forget(_ writer: WriterID) {
        if watches.removeValue(forKey: writer) != nil { lines.append(.forget(writer)) }
    }

    /// The event of a writer's end ends its watch.
    mutating func enter(_ event: WebhookEvent, for targets: [WebhookTarget], told: WriterMilestones) {
        keep(event, targets, Array(targets.indices), told: told)
        lines.append(.event(event, targets: targets, left: Array(targets.indices), told: told))
        if event.kind.isEnd { watches[event.writer] = nil }
    }

    /// That target has got it, or never will.
    mutating func crossOut(_ event: WebhookEvent, for place: Int) {
        lines.append(.done(event: event.id, target: place))
        entries[event.id]?.left.remove(place)
        if entries[event.id]?.left.isEmpty == true { entries[event.id] = nil }
    }

    /// Its writers have no such URL any more.
    mutating func dropCallback(_ target: WebhookTarget) {
        for (writer, known) in watches where known.callback == target { watch(writer, WebhookWatch(told: known.told)) }
    }

    // MARK: The file

    /// After it all is on disk, unless it throws: then it is tried again by the next call.
    mutating func write() throws(SystemError) {
        if file.isBehind || file.isLong { return try rewrite() }
        defer { lines = [] }
        try file.append(lines)
    }

    /// Leaves nothing in the file that has been told: URLs may hold keys.
    mutating func conclude() throws(SystemError) {
        if file.isStale || isBehind { try rewrite() }
    }

    /// Writes the file anew.
    mutating func rewrite() throws(SystemError) {
        // What there is now says all that the lines do.
        lines = []
        let pending = entries.values.sorted { $0.number < $1.number }
        let events = pending.map { WebhookLog.Line.event($0.event, targets: $0.targets, left: $0.left.sorted(), told: $0.told) }
        // Behind the events, each of which says of its writer what may hold no more.
        let ended = Set(pending.map(\.event.writer)).filter { watches[$0] == nil }.map { WebhookLog.Line.forget($0) }
        try file.rewrite(events + ended + watches.map { .watch($0.key, $0.value) })
    }
}
