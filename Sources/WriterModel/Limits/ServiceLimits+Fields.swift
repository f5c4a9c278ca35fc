extension ServiceLimits {
    /// The one table of limits. Whatever else has all of them is made from it: `penstock serve`'s options, its
    /// environment and configuration file, the message to encoders, the table of docs/reference/options.md.
    public static let fields: [LimitField] = ofWriters + ofEndedWriters + ofConnections + ofTimes

    /// The range of a limit that is a whole number, where 0 does not stand for something else.
    public static func range(at path: KeyPath<ServiceLimits, Int>) -> ClosedRange<Int> {
        for case .whole(let own, let range) in fields.map(\.value) where own == path { return range }
        preconditionFailure("a limit that is not in ServiceLimits.fields")
    }

    /// These limits with another's values where a running server takes them.
    public func reloading(_ other: ServiceLimits) -> ServiceLimits {
        var limits = self
        for field in Self.fields where field.isReloadable { field.copy(from: other, to: &limits) }
        return limits
    }

    private static let ofWriters = [
        LimitField("max-writers", .whole(\.maxWriters, 1...1_000_000), "live writers", "A dry run and a /v1/encode count while they last.", reloadable: true),
        // Below, an encoder can't start at all.
        LimitField(
            "max-encoder-memory", .whole(\.maxEncoderMemory, 64 << 20...Int.max), in: .bytes, zero: "no bound",
            "memory an encoder may allocate, with its threads' stacks", reloadable: true),
        // Below, an encoder can't keep its record.
        LimitField(
            "max-output-bytes", .whole(\.maxOutputBytes, 1 << 20...Int.max), in: .bytes, zero: "no bound",
            "one output file", "It bounds the log that an encoder adds to as well, where that is a file.", reloadable: true),
        LimitField(
            "idle-timeout", .number(\.idleTimeout, 0...1_000_000_000), in: .seconds, zero: "for ever",
            "how long a writer may go without a request before it is finalized", "Its result says so.", reloadable: true),
        LimitField(
            "max-run-time", .number(\.maxRunTime, 0...1_000_000_000), in: .seconds, zero: "for ever",
            "how long a writer may live before it is finalized", "Its result says so.", reloadable: true),
        LimitField(
            "max-pixels", .whole(\.maxPixels, 1...mostPixels),
            "pixels of a picture that is sent, encoded, or passes between filters", "The default is 8192x8192.",
            reloadable: true),
        LimitField("max-channels", .whole(\.maxChannels, 1...mostChannels), "channels of audio that is sent, encoded, or passes between filters", reloadable: true),
        LimitField("max-streams", .whole(\.maxStreams, 1...mostStreams), "streams of a writer", reloadable: true),
        LimitField(
            "max-outputs", .whole(\.maxOutputs, 1...mostOutputs), "outputs of a writer at a time, files among them",
            "As many of them as are not single files are written by processes of their own (carriers).", reloadable: true),
        LimitField(
            "max-threads", .whole(\.maxThreads, 0...1_024), zero: "16, or one for each processor if there are more",
            "threads of one encoder or filter", "\"auto\" comes to one for each processor, within this.", reloadable: true),
        LimitField(
            "default-threads", .whole(\.defaultThreads, 0...1_024), zero: "one for each processor",
            "threads of a video encoder where encoder_option says nothing of them, within max-threads",
            "More make one writer faster while processors are idle. What x264 and others make is then another file, with a bounded rate (maxrate) not the same one each time, and where they encode several pictures at once each comes out so much later. libx265 has at most 16 of them, mjpeg without qscale one; libx265 and libsvtav1 have further threads of their own, one for each processor within max-threads, and not the same file each time.",
            reloadable: true),
        LimitField(
            "call-timeout", .number(\.callTimeout, 0...1_000_000), in: .seconds, zero: "for ever",
            "fail a writer when one call of its filter or encoder takes longer than this",
            "Waiting for the client or the destination does not count.", reloadable: true),
        LimitField(
            "open-timeout", .number(\.openTimeout, 0...1_000_000), in: .seconds, zero: "for ever",
            "how long opening a destination may take: connection, handshakes, header; then there is no writer, or it has failed",
            "A writer that is the server (listen) waits for its client to connect without this limit.", reloadable: true),
        LimitField(
            "output-stall-timeout", .number(\.outputStallTimeout, 0...1_000_000), in: .seconds, zero: "for ever",
            "how long a live destination (a device, or a URL that is no upload) may take nothing before its output has failed",
            "It is opened again where it has reconnect.", reloadable: true),
        LimitField(
            "upload-retry-time", .number(\.uploadRetryTime, 0...86_400), in: .seconds, zero: "not at all",
            "how long an upload (http, https, s3) is tried again after its first failure: a cut connection, 429, a 5xx",
            "Of what is written live only what is still in memory can be sent again.", reloadable: true),
        LimitField(
            "encoder-timeout", .number(\.encoderTimeout, 0...1_000_000), in: .seconds, zero: "for ever",
            "kill an encoder that has not answered pings for this long; its writer has failed"),
        LimitField(
            "max-load", .number(\.maxLoad, 0...100), in: .percent, zero: "no such limit",
            "refuse new writers when tasks have waited for a processor for more of the last 10 seconds than this (the kernel's cpu.pressure)", reloadable: true),
    ]

    private static let ofEndedWriters = [
        LimitField(
            "retain-ended", .number(\.retainEnded, 1...1_000_000_000), in: .seconds, zero: "for ever",
            "how long an ended writer is kept, with the output that it has without a dst",
            "Then it is removed. What was written to a dst stays, always.", reloadable: true),
        LimitField(
            "retain-ended-count", .whole(\.retainEndedCount, 1...10_000_000), zero: "any number", "ended writers that are kept",
            "Where there are more, the one that ended first of the name (token) that has the most is removed.", reloadable: true),
        LimitField(
            "retain-ended-bytes", .whole(\.retainEndedBytes, 1...Int.max), in: .bytes, zero: "no bound",
            "outputs without a dst of ended writers, together",
            "Where there are more, the writer that ended first of the name (token) that has the most of them is removed.", reloadable: true),
    ]

    private static let ofConnections = [
        LimitField(
            "max-connections", .whole(\.maxConnections, 1...1_000_000), "connections in all",
            "One token uses three quarters of them at most, and one address seven eighths (429; its idle ones are ended first)."),
        LimitField(
            "max-connections-per-address", .whole(\.maxConnectionsPerAddress, 0...1_000_000), zero: "no such limit, as behind a proxy",
            "connections of one client address"),
        LimitField(
            "max-json-bytes", .whole(\.maxJSONBytes, 256...largestMessagePart), in: .bytes, "a JSON body",
            "dst, metadata and streams of a writer come to at most 131072 bytes together."),
        LimitField("max-head-bytes", .whole(\.maxHeadBytes, 1_024...largestMessagePart), in: .bytes, "a request's head"),
        LimitField(
            "handler-threads", .whole(\.handlerThreads, 2...10_000), "threads that serve requests, of the gateway and of each encoder"),
    ]

    private static let times = 0.001...1_000_000.0

    private static let ofTimes = [
        LimitField(
            "idle-connection-timeout", .number(\.idleConnectionTimeout, times), in: .seconds, "how long a connection may stay without a request"),
        LimitField(
            "head-timeout", .number(\.headTimeout, times), in: .seconds, "how long a request's head may take, from its first byte to its end"),
        LimitField(
            "body-timeout", .number(\.bodyTimeout, times), in: .seconds, "how long a chunk's body may go without a byte",
            "Live sources are slow, and hold a thread of their own writer only. A JSON body must be there whole."),
        LimitField(
            "response-timeout", .number(\.responseTimeout, times), in: .seconds,
            "how long a client may go without taking anything of a response, and for each 64 KiB of it"),
        LimitField(
            "peer-timeout", .number(\.peerTimeout, 0.1...60), in: .seconds, "how long a list of writers waits for other nodes (--peers)",
            "Those that have not responded by then are named in it.", reloadable: true),
        LimitField(
            "shutdown-grace", .number(\.shutdownGrace, 0...1_000_000), in: .seconds,
            "how long uploads in flight may go on after SIGTERM", "Then every open writer is finalized.", reloadable: true),
    ]
}
