/// A kind of URL that writers may write to, and what libav makes of one.
public struct URLScheme: Sendable {
    /// The protocols of libav's that it is made of; none of them reaches a file.
    public let protocols: [String]
    /// The ports it uses when the URL names this one; nil: the URL must name one.
    let defaultPort: Int?
    /// The ports it uses besides the URL's own.
    let furtherPorts: @Sendable (Int) -> [ClosedRange<Int>]
    /// What it reads of the URL's query by itself; nil: the query is for the server.
    let queryKeys: Set<String>?

    private init(
        _ protocols: [String], port: Int? = nil, query: Set<String>? = nil,
        furtherPorts: @escaping @Sendable (Int) -> [ClosedRange<Int>] = { _ in [] }
    ) {
        self.protocols = protocols
        defaultPort = port
        self.furtherPorts = furtherPorts
        queryKeys = query
    }

    /// Of an object in a store, which no pattern names: `s3://STORE/KEY`.
    public static let store = "s3"

    /// It names no more than what is connected to, which may take several connections.
    var makesConnections: Bool { ["tcp", "tls"].contains { $0.isSame(as: protocols[0]) } }

    /// Of a URL's query what says where its bytes go.
    func query(_ text: String) -> String {
        guard let queryKeys else { return text }
        return queryKeys.contains(Self.streamID) ? text.parts(at: "&").first { $0.begins(with: "\(Self.streamID)=") } ?? "" : ""
    }

    private static let streamID = "streamid"

    public static func named(_ name: String) -> URLScheme? { all[name] }

    public static var names: [String] { all.keys.sorted() }

    /// What reaches files (`file`, `concat`, `unix`, …), is for reading, looks names up in a way that
    /// can't be watched (`rist`, `sftp`, `amqp`, `zmq`), or passes by the sandbox (`sctp`) is not here.
    private static let all: [String: URLScheme] = [
        "ftp": URLScheme(["ftp", "tcp"], port: 21, furtherPorts: { _ in unprivileged }),
        "http": URLScheme(["http", "tcp"], port: 80),
        "https": URLScheme(["https", "tls", "tcp"], port: 443),
        "icecast": URLScheme(["icecast", "http", "https", "tls", "tcp"], port: 80, furtherPorts: { $0 == 80 ? [443...443] : [] }),
        "rtmp": URLScheme(["rtmp", "tcp"], port: 1_935),
        "rtmpe": URLScheme(["rtmpe", "ffrtmpcrypt", "tcp"], port: 1_935),
        "rtmps": URLScheme(["rtmps", "tls", "tcp"], port: 443),
        "rtmpt": URLScheme(["rtmpt", "ffrtmphttp", "http", "tcp"], port: 80),
        "rtmpte": URLScheme(["rtmpte", "ffrtmpcrypt", "ffrtmphttp", "http", "tcp"], port: 80),
        "rtmpts": URLScheme(["rtmpts", "ffrtmphttp", "https", "tls", "tcp"], port: 443),
        "rtp": URLScheme(["rtp", "udp", "prompeg"], query: rtpKeys, furtherPorts: rtpPorts),
        // Its server says which ports its data goes to.
        "rtsp": URLScheme(["rtsp", "rtp", "udp", "http", "tcp"], port: 554, furtherPorts: { _ in unprivileged }),
        "rtsps": URLScheme(["rtsps", "tls", "rtp", "udp", "tcp"], port: 322, furtherPorts: { _ in unprivileged }),
        "srt": URLScheme(["srt"], query: srtKeys),
        "srtp": URLScheme(["srtp", "rtp", "udp"], query: rtpKeys, furtherPorts: rtpPorts),
        "tcp": URLScheme(["tcp"], query: ["listen", "listen_timeout", "tcp_nodelay", "timeout"]),
        "tls": URLScheme(["tls", "tcp"], query: ["listen", "verify"]),
        "udp": URLScheme(["udp"], query: udpKeys),
        "udplite": URLScheme(["udplite", "udp"], query: udpKeys),
    ]

    private static let unprivileged = [1_024...65_535]

    /// RTCP beside RTP, and behind it prompeg's two of error correction.
    private static let rtpPorts: @Sendable (Int) -> [ClosedRange<Int>] = { port in
        [port + 1, port + 2, port + 4].map { $0...$0 }
    }

    // Without those that name another address or port, this machine's included.
    private static let udpKeys: Set<String> = [
        "bitrate", "broadcast", "buffer_size", "burst_bits", "connect", "dscp", "fifo_size", "overrun_nonfatal",
        "pkt_size", "reuse", "timeout", "ttl", "udplite_coverage",
    ]
    private static let rtpKeys: Set<String> = ["connect", "dscp", "pkt_size", "timeout", "ttl"]
    private static let srtKeys: Set<String> = [
        "connect_timeout", "enforced_encryption", "ffs", "inputbw", "iptos", "ipttl", "kmpreannounce",
        "kmrefreshrate", "latency", "linger", "listen_timeout", "lossmaxttl", "maxbw", "messageapi", "minversion",
        "mode", "mss", "nakreport", "oheadbw", "passphrase", "payload_size", "pbkeylen", "peerlatency", "pkt_size",
        "rcvbuf", "rcvlatency", "smoother", "snddropdelay", "sndbuf", "streamid", "timeout", "tlpktdrop", "transtype",
        "tsbpddelay",
    ]
}
