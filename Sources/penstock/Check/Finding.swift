/// What `penstock check` has found of one thing: a line of its report.
struct Finding {
    enum Level: String {
        case ok
        /// A server runs, and it is probably not meant.
        case warning
        /// No server would run.
        case error
    }

    let level: Level
    let topic: String
    /// How it is, and what to do about it.
    let text: String

    init(_ level: Level, _ topic: String, _ text: String) {
        self.level = level
        self.topic = topic
        self.text = text
    }
}
