import WriterModel

/// A URL that is sent to.
package struct WebhookTarget: Sendable, Hashable {
    package let url: String
    /// The patterns of `--allow-callback` by which a client's URL was let pass; nil: it is the operator's.
    package let patterns: [String]?

    package init(url: String, patterns: [String]? = nil) { (self.url, self.patterns) = (url, patterns) }

    /// As logs may show it.
    var shown: String { URLText.redacted(destination: url) }

    var json: JSONValue {
        var object: JSONObject = ["url": .string(url)]
        object["patterns"] = patterns.map { .array($0.map { .string($0) }) }
        return .object(object)
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let url = object["url"]?.stringValue else { return nil }
        self.init(url: url, patterns: object["patterns"]?.arrayValue?.compactMap(\.stringValue))
    }
}

/// What is known of a writer whose end is still to be told.
package struct WebhookWatch: Sendable, Equatable {
    /// nil: the writer has none, or it is gone.
    package var callback: WebhookTarget?
    package var told = WriterMilestones()

    package init(callback: WebhookTarget? = nil, told: WriterMilestones = WriterMilestones()) { (self.callback, self.told) = (callback, told) }
}
