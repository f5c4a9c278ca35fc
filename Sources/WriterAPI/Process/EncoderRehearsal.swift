import APICore
import HTTP1
import HTTPServer
import Logging
import StreamWriter
import Synchronization
import SystemIO
import WriterModel

/// A writer's whole life and one encoding, request by request and by an encoder's own code, in the process that encoders
/// are forked from: what Swift's runtime makes of a type at its first use, a tenth of what a short life costs, is then
/// there in every fork. It has one thread, the calling one; no gateway, no sandbox and no client; and files in a folder
/// of its own.
package struct EncoderRehearsal: ~Copyable {
    private let folder: ScratchFolder
    private let settings: EncoderStart
    private let clientPolicy: ClientPolicy
    private let log: Logger

    /// Its files lie in a new folder of the one at `path`.
    package init(_ clientPolicy: ClientPolicy, in path: String, log: Logger) throws(SystemError) {
        let folder = try ScratchFolder("rehearsal", in: path)
        self.clientPolicy = clientPolicy
        self.log = log
        settings = EncoderStart(
            role: .writer, writer: Self.writer, createdAt: .now(), folder: folder.path + "/state", outputDirectory: folder.path + "/output",
            limits: ServiceLimits(), policy: OutputPolicy(), serverPorts: [], version: "", logsRequests: false, asksForTokens: false)
        self.folder = folder
    }

    /// What its requests were answered.
    @discardableResult
    package func run() throws -> [Int] {
        let confinement = try Confinement(settings)
        _ = confinement.firstRules
        return try serve(Self.life, by: writerService(confinement)) + serve(Self.oneShot, by: encodeService())
    }

    private func serve(_ requests: [UInt8], by service: some EncoderService) throws -> [Int] {
        let loop = try EventLoop()
        // What it still holds is let go of.
        defer {
            loop.stop()
            loop.run()
        }
        let metrics = MetricCounter()
        let statuses = Mutex<[Int]>([])
        let count = AccessLog.counting(metrics, to: log, isEnabled: { false })
        let configuration = HTTPServer.Configuration(settings.limits, lingerTime: .milliseconds(250)) { report in
            count(report)
            statuses.withLock { $0.append(report.status ?? 0) }
        }
        let server = try HTTPServer(configuration: configuration, loop: loop, log: log)
        server.start(handler: service)
        let (client, connection) = try DescriptorPair.streamSockets().split()
        let end = Descriptor(owning: client)
        // They fit into the socket's buffer, and so do the answers.
        _ = requests.withUnsafeBytes { Socket.sendAll(end.number, $0, timeout: .zero) }
        Socket.shutDownWriting(end.number)
        server.serveHere(Descriptor(owning: connection))
        _ = consume end
        report(service, metrics)
        return statuses.withLock { $0 }
    }

    /// What a process tells of its work at its end.
    private func report(_ service: some EncoderService, _ metrics: MetricCounter) {
        var (counts, work) = (metrics.take(), ReportedWork())
        _ = work.report(service.workDone, cpuSeconds: ResourceUsage.ownCPUSeconds, in: &counts)
        _ = (service.snapshot, service.isIdleTooLong, ControlMessage(ControlMessage.metrics(counts).encoded))
    }

    private func writerService(_ confinement: Confinement) throws -> WriterService {
        let resource = WriterResource(
            settings: settings, clientPolicy: clientPolicy, narrow: { reaches in _ = confinement.rules(for: reaches) },
            folder: try Directory(path: settings.folder), progress: ProgressMarks(try SharedMarks(slots: 1)),
            report: { message in _ = message.encoded }, requireKeptClaim: {})
        return WriterService(settings: settings, resource: resource, authenticator: TokenAuthenticator(nil), gateway: try handBack())
    }

    private func encodeService() throws -> EncodeService {
        EncodeService(
            settings: settings, clientPolicy: clientPolicy, folder: try Directory(path: settings.folder),
            authenticator: TokenAuthenticator(nil), gateway: try handBack(), report: { message in _ = message.encoded })
    }

    /// To no gateway.
    private func handBack() throws -> ConnectionHandBack {
        let (ours, theirs) = try DescriptorPair.messageSockets().split()
        _ = Descriptor(owning: theirs)
        return ConnectionHandBack(gateway: GatewayLine(MessageSocket(owning: ours), of: settings.writer, log: log))
    }
}

extension EncoderRehearsal {
    private static let writer = WriterID("rehearsal")!

    private static let life: [UInt8] = {
        let path = "/v1/writers/\(writer)"
        let chunks = path + "/streams/0/chunks"
        return [
            request("PUT", path, #"{"format": "wav", "metadata": {"title": "a"}}"#),
            request("POST", path + "/streams", #"{"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16"}"#),
            request("POST", path + "/open", "{}"), request("POST", chunks, chunk, "application/octet-stream"),
            request("HEAD", chunks, ""), request("GET", path, ""), request("POST", path + "/finalize", ""),
        ].flatMap { $0 }
    }()

    /// Into a format whose file is read when it is whole: what is sent meanwhile takes another thread.
    private static let oneShot = request(
        "POST", "/v1/encode?format=wav&sample_rate=48000&num_channels=2&sample_format=s16", chunk, "application/octet-stream")

    /// Of 16 samples in stereo.
    private static let chunk = String(repeating: "\0", count: 64)

    /// Each names itself: ids that are made here have a beginning which is to differ from process to process.
    private static func request(_ method: String, _ target: String, _ body: String, _ type: String = "application/json") -> [UInt8] {
        let framing = body.utf8.isEmpty ? "" : "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
        return Array("\(method) \(target) HTTP/1.1\r\nHost: a\r\nX-Request-Id: rehearsal\r\n\(framing)\r\n\(body)".utf8)
    }
}
