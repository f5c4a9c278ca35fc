import Libav

extension OutputFormat {
    /// How it is written to sinks. What goes back only for what players can do without (a duration, a table of seek points)
    /// goes out as it comes.
    func sinkOpening(option: [String: String]) -> SinkOpening {
        if opensItself { return .manyFiles(muxer: name) }
        return seeksBack(option: option) && !Self.doingWithoutSeeking.contains(name) ? .spooled : .live
    }

    private static let doingWithoutSeeking: Set<String> = ["asf", "flv", "matroska", "mp3", "webm"]
}
