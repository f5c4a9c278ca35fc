import WriterModel

/// How far a writer's receivers have been told of it: what its record says beyond that is news.
package struct WriterMilestones: Sendable, Equatable {
    package struct News: Sendable, Equatable {
        package let kind: WebhookEvent.Kind
        /// The output's member of `outputs`.
        package let output: JSONObject?

        package init(_ kind: WebhookEvent.Kind, output: JSONObject? = nil) { (self.kind, self.output) = (kind, output) }
    }

    package private(set) var hasOpened = false
    /// That the writer failed was told: what may follow is that its output was sent after all.
    package private(set) var hasFailed = false
    private var failedOutputs: Set<String> = []
    /// Of outputs that were opened more than once.
    private var attempts: [String: Int64] = [:]

    package init() {}

    /// What the resource, as `GET` shows it, says that was not told before, in the order that it happened.
    package mutating func take(_ resource: JSONObject) -> [News] {
        let state = resource["state"]?.stringValue.flatMap(WriterState.init(rawValue:)) ?? .failed
        if hasFailed { return state == .closed ? [News(.closed)] : [] }
        var news: [News] = []
        // Of one that failed it can't be told whether it was open.
        if !hasOpened, [.open, .finalizing, .closed].contains(state) {
            hasOpened = true
            news.append(News(.opened))
        }
        let outputs = (resource["outputs"]?.arrayValue ?? []).compactMap(\.objectValue)
        // A later one may have the name of one that is gone.
        failedOutputs.formIntersection(outputs.filter { $0["state"] == "failed" }.compactMap { $0["name"]?.stringValue })
        for output in outputs { news += take(output: output) }
        if state == .closed { news.append(News(.closed)) }
        if state == .failed {
            hasFailed = true
            news.append(News(.failed))
        }
        return news
    }

    private mutating func take(output: JSONObject) -> [News] {
        guard let name = output["name"]?.stringValue, let state = output["state"]?.stringValue else { return [] }
        let tried = output["attempts"]?.integerValue ?? 1
        switch state {
        // One without an error of its own ended with its writer.
        case "failed" where output["error"] == nil: return []
        case "failed": return failedOutputs.insert(name).inserted ? [News(.outputFailed, output: output)] : []
        case "open" where tried > attempts[name, default: 1]:
            attempts[name] = tried
            return [News(.outputReconnected, output: output)]
        default: return []
        }
    }

    package var json: JSONValue {
        [
            "opened": .bool(hasOpened), "writer_failed": .bool(hasFailed), "failed": .array(failedOutputs.sorted().map { .string($0) }),
            "attempts": .object(JSONObject(attempts.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })),
        ]
    }

    package init?(json: JSONValue) {
        guard let object = json.objectValue else { return nil }
        hasOpened = object["opened"] == .bool(true)
        hasFailed = object["writer_failed"] == .bool(true)
        failedOutputs = Set((object["failed"]?.arrayValue ?? []).compactMap(\.stringValue))
        for member in object["attempts"]?.objectValue?.members ?? [] { attempts[member.name] = member.value.integerValue }
    }
}
