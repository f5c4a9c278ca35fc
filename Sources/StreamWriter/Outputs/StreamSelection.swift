/// A stream that an output has, or one of its renditions.
public struct StreamSelection: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public let stream: Int
    /// nil: all that the stream has.
    public let rendition: String?

    public init(stream: Int, rendition: String? = nil) {
        self.stream = stream
        self.rendition = rendition
    }

    public init(integerLiteral stream: Int) { self.init(stream: stream) }

    /// "0", or "0:hd".
    public var description: String { rendition.map { "\(stream):\($0)" } ?? "\(stream)" }

    /// They have a rendition in common.
    public func overlaps(_ other: StreamSelection) -> Bool {
        stream == other.stream && (rendition == nil || other.rendition == nil || rendition == other.rendition)
    }
}

/// A rendition of one of a writer's streams, by their places: what an output has as a track.
struct Track: Hashable, Sendable {
    let stream: Int
    let rendition: Int
}

/// The renditions that a writer has, by stream: their names, or nil of the only one.
struct RenditionNames {
    let names: [[String?]]

    init(_ streams: [StreamDescription]) { names = streams.map { $0.renditions.map(\.name) } }

    init(_ streams: [PreparedStream]) { self.init(streams.map(\.description)) }

    /// All of them in order, or those that are selected, in that order; those that are not there are left out.
    func tracks(_ selections: [StreamSelection]?) -> [Track] {
        let selections = selections ?? names.indices.map { StreamSelection(stream: $0) }
        return selections.filter { names.indices.contains($0.stream) }.flatMap { selection in
            names[selection.stream].indices
                .filter { selection.rendition == nil || names[selection.stream][$0] == selection.rendition }
                .map { Track(stream: selection.stream, rendition: $0) }
        }
    }

    /// Whether what is selected is there.
    func has(_ selection: StreamSelection) -> Bool { !tracks([selection]).isEmpty }

    /// As they are selected one by one: "0", "1:hd".
    var texts: [String] {
        names.enumerated().flatMap { stream, names in names.map { StreamSelection(stream: stream, rendition: $0).description } }
    }
}
