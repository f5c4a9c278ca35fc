import Bytewise
import Glibc
import Libav

/// Where the encoded bytes go.
public struct Destination: Sendable {
    enum Target: Sendable {
        case file(descriptor: Int32)
        case url(String)
        case device(String)
        /// A URL or a device that another process writes to.
        case carried(any Carrier)
        /// What is uploaded.
        case sinks(any OutputSinks)
    }

    let target: Target
    let name: String
    /// Called after bytes were written to a descriptor, on the thread that wrote them.
    var onWrite: (@Sendable () -> Void)?
    /// Of a descriptor that stands for a protocol of packets: how large they may be.
    var packetBytes: Int?
    /// Another process writes files there, rather than to a peer or a device.
    var makesFiles = false
    /// Of a URL that is uploaded to.
    public var uploadFields = UploadFields.none

    /// A descriptor, which the writer owns from `StreamWriter.init` on, also when that throws.
    /// The muxer follows from the extension of `name` unless it is given. `onWrite` is called
    /// after bytes were written, on the thread that wrote them; it must not take long. `packetBytes` is for a
    /// trial of a muxer that writes packets: as many as its protocol would take in one.
    public static func file(
        descriptor: Int32, name: String, packetBytes: Int? = nil, onWrite: (@Sendable () -> Void)? = nil
    ) -> Destination {
        Destination(target: .file(descriptor: descriptor), name: name, onWrite: onWrite, packetBytes: packetBytes)
    }

    /// Written by libav's own protocols. Whether the client may is decided elsewhere.
    public static func url(_ url: String, _ uploadFields: UploadFields = .none) -> Destination {
        Destination(target: .url(url), name: url, uploadFields: uploadFields)
    }

    /// nil: it is none.
    public var url: String? { if case .url(let url) = target { url } else { nil } }

    /// A URL, or a device's name, that this carrier brings packets to.
    package static func carried(_ name: String, by carrier: any Carrier) -> Destination {
        Destination(target: .carried(carrier), name: name)
    }

    /// What these sinks write. `name` is for errors.
    package static func uploaded(_ name: String, by sinks: any OutputSinks) -> Destination {
        Destination(target: .sinks(sinks), name: name)
    }

    /// A name for the output device the `format` stands for.
    public static func device(_ name: String) -> Destination {
        Destination(target: .device(name), name: name)
    }

    var isDevice: Bool { if case .device = target { true } else { false } }

    var isFile: Bool { if case .file = target { true } else { false } }

    var sinks: (any OutputSinks)? { if case .sinks(let sinks) = target { sinks } else { nil } }

    /// A client may be watching what goes there while it is written.
    var isLive: Bool {
        switch target {
        case .file: false
        case .url(let url): url.holds("://")
        case .device, .sinks: true
        case .carried: !makesFiles
        }
    }

    /// Whether libav looks, while it opens it, for whether it should give up: icecast does not hand that on to the
    /// connection that it makes.
    var givesOpeningUp: Bool {
        guard case .url(let url) = target else { return true }
        return !url.lowercasedASCII.begins(with: "icecast:")
    }

    /// Whether it is a peer that is to connect to this writer.
    func awaitsPeer(option: [String: String]) -> Bool {
        guard case .url(let url) = target else { return false }
        let query = (url.cut(at: "?")?.after ?? "").parts(at: "&").map { $0.cut(at: "=") ?? ($0, "1") }
        return (query + option.map { ($0.key, $0.value) }).contains { name, value in
            switch name {
            // RTMP's "timeout" is how long to wait for a client, which makes it a server.
            case "listen", "rtmp_listen": value != "0"
            case "timeout": url.lowercasedASCII.begins(with: "rtmp") && !value.begins(with: "-") && value != "0"
            case "mode": ["listener", "1"].contains(value)
            default: false
            }
        }
    }

    /// Seconds for srt to send what it holds when it is closed.
    private static let lingerSeconds = "10"

    /// What its protocol is told unless the client says otherwise. `timeout`, in seconds: how long opening may take.
    func defaults(timeout: Double?) -> [String: String] {
        guard case .url(let url) = target, url.lowercasedASCII.begins(with: "srt://") else { return [:] }
        var defaults: [String: String] = [:]
        // Without it the end of what was written is lost when the connection is closed.
        if !url.holds("linger=") { defaults["linger"] = Self.lingerSeconds }
        // Its own is 3 s. A second later than ours, which then says that it is over.
        if let timeout, !url.holds("connect_timeout=") {
            defaults["connect_timeout"] = String(Int32(clamping: Int64(min(timeout, 1e6) * 1000) + 1000))
        }
        return defaults
    }

    /// How long the end of what was written needs to reach its receiver, before the connection
    /// may be closed: srt's receivers hold everything back for its latency, and drop what they hold
    /// when the connection ends. Libav gives the latency in microseconds, and has no call for the
    /// receiver's own.
    func settlingTime(option: [String: String]) -> Duration {
        guard case .url(let url) = target, url.lowercasedASCII.begins(with: "srt://") else { return .zero }
        let items = (url.cut(at: "?")?.after ?? "").parts(at: "&").compactMap { $0.cut(at: "=") }
        var latencies = items.filter { Self.latencies.contains($0.before) }.compactMap { Int($0.after) }
        latencies += Self.latencies.compactMap { option[$0].flatMap { Int($0) } }
        let microseconds = min(max(latencies.max() ?? 0, 120_000), 10_000_000)
        return .microseconds(microseconds * 2)
    }

    private static let latencies: Set<String> = ["latency", "peerlatency", "rcvlatency"]

    /// What writes to it. Takes the destination over, also when it throws.
    func carrier(
        format: OutputFormat, bufferBytes: Int, opener: (any OutputOpener)?
    ) throws(StreamWriterError) -> any Carrier {
        if case .carried(let carrier) = target { return carrier }
        return try LocalCarrier(self, format: format, bufferBytes: bufferBytes, opener: opener)
    }

    /// For when no writer takes it over.
    public func discard() {
        if case .file(let descriptor) = target { Glibc.close(descriptor) }
    }
}
