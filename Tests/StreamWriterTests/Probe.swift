import Foundation
import Testing

/// What ffprobe says about a file, with its own names: streams, and if asked for their frames
/// and packets.
struct Probe {
    struct Fields {
        private let json: [String: Any]

        init(_ json: [String: Any]) { self.json = json }

        /// Numbers as text, like everything else in ffprobe's own output.
        subscript(name: String) -> String? { json[name].map { "\($0)" } }
        subscript(name: String) -> Fields { Fields(json[name] as? [String: Any] ?? [:]) }
        subscript(name: String) -> [Fields] { (json[name] as? [[String: Any]] ?? []).map(Fields.init) }
        func number(_ name: String) -> Double? { self[name].flatMap { Double($0 as String) } }
        var names: Set<String> { Set(json.keys) }
    }

    let streams: [Fields]
    let format: Fields
    /// Of all streams, in file order.
    let frames: [Fields]
    let packets: [Fields]

    /// `showing` is of "frames" and "packets"; `hashing` adds a hash of each packet's bytes.
    init(_ path: String, showing: [String] = [], hashing: Bool = false) throws {
        try self.init(json: try run(Self.arguments(path, showing, hashing)))
    }

    /// Nil where ffprobe does not know what it is.
    init?(ifReadable path: String, showing: [String] = []) throws {
        guard let text = try output(of: Self.arguments(path, showing, false)) else { return nil }
        try self.init(json: text)
    }

    private static func arguments(_ path: String, _ showing: [String], _ hashing: Bool) -> [String] {
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json"]
            + (hashing ? ["-show_data_hash", "md5"] : []) + showing.map { "-show_\($0)" } + [path]
    }

    private init(json text: Data) throws {
        let json = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let all = Fields(json)
        streams = all["streams"]
        format = all["format"]
        let mixed: [Fields] = all["packets_and_frames"]
        frames = mixed.isEmpty ? all["frames"] : mixed.filter { $0["type"] == "frame" }
        packets = mixed.isEmpty ? all["packets"] : mixed.filter { $0["type"] == "packet" }
    }

    func frames(of stream: Int) -> [Fields] { frames.filter { $0["stream_index"] == "\(stream)" } }
    func packets(of stream: Int) -> [Fields] { packets.filter { $0["stream_index"] == "\(stream)" } }
}
