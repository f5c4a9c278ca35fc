import APICore
import HTTP1
import HTTPServer
import Logging
import StreamWriter
import SystemIO
import WriterModel

/// Does once, in the process that encoders are forked from, what each of them does for its writer: what
/// Swift's runtime, the dynamic linker and libav make at first use is then there in every fork. Starts no
/// thread and leaves nothing behind.
enum ForkWarmUp {
    /// `folder`: where files may be made meanwhile.
    static func run(_ policy: ClientPolicy, in folder: String?, log: Logger) {
        StreamWriter.warmUp()
        OptionPolicy.warmUp()
        if let folder { rehearse(policy, in: folder, log) }
        try? warmUpRequest()
        warmUpMessages()
        WorkerPool.warmUp()
    }

    private static func rehearse(_ policy: ClientPolicy, in folder: String, _ log: Logger) {
        do {
            try EncoderRehearsal(policy, in: folder, log: log).run()
        } catch {
            log.warning("encoders will take longer to start: none could be rehearsed", metadata: ["error": "\(error)"])
        }
    }

    private static let writer = WriterID("fork-warm-up")!

    private static func warmUpRequest() throws {
        let text = "POST /v1/writers/\(writer)/streams/0/chunks?pts=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nAuthorization: Bearer a\r\n\r\n"
        let parsed = try Array(text.utf8).withUnsafeBytes { try RequestParser.parse($0, limits: HTTPLimits()) }
        guard case .complete(let head, _) = parsed else { return }
        _ = try Route.match(head)
        _ = try? TokenAuthenticator(.empty).identify(head)
        _ = Response.json(["frames": 1, "pts": ["start": .number(0.5)]], fields: [("Upload-Offset", "4")])
    }

    private static func warmUpMessages() {
        let settings = EncoderStart(
            role: .writer, writer: writer, createdAt: .now(), folder: "/", outputDirectory: "/", limits: ServiceLimits(),
            policy: OutputPolicy(), serverPorts: [80], version: "", logsRequests: true, asksForTokens: true)
        let record = WriterRecord(
            resource: ["id": .string(writer.text), "metadata": .map(["title": ""]), "bytes_written": 0],
            managedFile: "output.wav", outputFiles: [], mediaType: "audio/wav", creationFingerprint: "")
        var counts = MetricCounts()
        counts.answers[.init(route: WriterOperation.writeChunk.rawValue, status: 200)] = 1
        counts.durations[WriterOperation.writeChunk.rawValue, default: .init()].add(0.001)
        for message in [
            ControlMessage.start(settings), .carrier(number: 0), .tokens(.empty), .claim(.managed("output.wav")), .claimReceipt(.kept),
            .connection(unread: [0], passes: 1, slot: 0), .released(slot: 0, isBroken: false), .snapshot(record), .metrics(counts),
        ] {
            _ = ControlMessage(message.encoded)
        }
    }
}
