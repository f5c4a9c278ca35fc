import WriterModel

/// What becomes of a writer's outputs, as its records say one after another: what is new in each.
struct OutputEvents: Sendable {
    enum Kind: Sendable, Equatable {
        case added
        /// It is opened again.
        case broke
        /// Once more than before.
        case reopened
        case failed
    }

    struct Event: Sendable, Equatable {
        let kind: Kind
        let output: String
        /// Where it writes to, as `/metrics` tells them apart.
        let scheme: String
        /// Without secrets.
        let destination: String?
        let attempts: Int64
        let code: String?
        let detail: String?
    }

    private enum State: String { case opening, open, reconnecting, closed, failed }

    private struct Seen {
        /// nil: not told.
        var state: State?
        var attempts: Int64
    }

    /// By name.
    private var seen: [String: Seen] = [:]

    /// In the order of the outputs. `resource`: as `GET` shows it; a writer of one output that was not asked for by
    /// `outputs` is told of by itself.
    mutating func take(_ resource: JSONObject, _ claim: OutputClaim?) -> [Event] {
        guard let outputs = resource["outputs"]?.arrayValue?.compactMap(\.objectValue) else { return takeOnly(resource, claim) }
        var events: [Event] = []
        var present: Set<String> = []
        // One more has come to what was the only one.
        if let only = seen.removeValue(forKey: Self.only), let name = outputs.first?["name"]?.stringValue { seen[name] = only }
        for (index, output) in outputs.enumerated() {
            guard let name = output["name"]?.stringValue, let state = output["state"]?.stringValue.flatMap(State.init(rawValue:)) else { continue }
            present.insert(name)
            let attempts = output["attempts"]?.integerValue ?? 1
            let before = seen.updateValue(Seen(state: state, attempts: attempts), forKey: name)
            let claim = claim.flatMap { $0.outputs.indices.contains(index) ? $0.outputs[index] : nil }
            for kind in Self.kinds(state, attempts, before, hasError: output["error"] != nil) {
                events.append(Event(kind, output, name, claim, attempts))
            }
        }
        // A name may be had again.
        seen = seen.filter { present.contains($0.key) }
        return events
    }

    private mutating func takeOnly(_ resource: JSONObject, _ claim: OutputClaim?) -> [Event] {
        let isNew = seen.updateValue(Seen(state: nil, attempts: 1), forKey: Self.only) == nil
        return isNew ? [Event(.added, resource, Self.only, claim?.outputs.first, 1)] : []
    }

    /// Nothing was told yet.
    var isEmpty: Bool { seen.isEmpty }
    /// What was told names them one by one.
    var areSeveral: Bool { seen.contains { !$0.key.isEmpty } }

    /// The name of an output that has none.
    private static let only = ""

    private static func kinds(_ state: State, _ attempts: Int64, _ before: Seen?, hasError: Bool) -> [Kind] {
        var kinds: [Kind] = before == nil ? [.added] : []
        switch state {
        // One without an error of its own ended with its writer.
        case .failed: if before?.state != state && hasError { kinds.append(.failed) }
        case .reconnecting: if before?.state != state { kinds.append(.broke) }
        case .open, .closed: if before?.state == .reconnecting || attempts > max(1, before?.attempts ?? 1) { kinds.append(.reopened) }
        case .opening: break
        }
        return kinds
    }
}

extension OutputEvents.Event {
    /// `output`: its member of `outputs`, or the resource of a writer that has one output.
    fileprivate init(_ kind: OutputEvents.Kind, _ output: JSONObject, _ name: String, _ claim: OutputClaim?, _ attempts: Int64) {
        let destination = output["dst"]?.stringValue
        let error = output["error"]?.objectValue
        self.init(
            kind: kind, output: name, scheme: OutputScheme.of(destination, claim), destination: destination, attempts: attempts,
            code: error?["code"]?.stringValue, detail: error?["detail"]?.stringValue)
    }
}
