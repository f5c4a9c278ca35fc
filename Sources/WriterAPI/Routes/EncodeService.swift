import APICore
import HTTP1
import HTTPServer
import StreamWriter
import Synchronization
import SystemIO
import WriterModel

/// `POST /v1/encode`: the raw body in, the encoded file out, in one exchange.
///
/// The output goes through a file, so that a client that sends everything before it reads
/// anything stops nobody: one thread takes the body, another one sends what is there.
final class EncodeService: EncoderService {
    private enum Phase { case waiting, working, done }

    private let settings: EncoderStart
    private let clientPolicy: ClientPolicy
    private let folder: Directory
    private let authenticator: TokenAuthenticator
    private let gateway: ConnectionHandBack
    private let report: @Sendable (ControlMessage) -> Void
    private let phase = Mutex(Phase.waiting)
    private let interrupter = Mutex<RequestBody.Interrupter?>(nil)
    private let writer = Mutex<StreamWriter?>(nil)
    private let hasAbandoned = Atomic(false)

    init(
        settings: EncoderStart, clientPolicy: ClientPolicy, folder: Directory,
        authenticator: TokenAuthenticator, gateway: ConnectionHandBack,
        report: @escaping @Sendable (ControlMessage) -> Void
    ) {
        self.settings = settings
        self.clientPolicy = clientPolicy
        self.folder = folder
        self.authenticator = authenticator
        self.gateway = gateway
        self.report = report
    }

    var isConcluded: Bool { phase.withLock { $0 == .done } }
    var snapshot: WriterRecord? { nil }

    func interruptUploads() { interrupter.withLock { $0 }?.interrupt() }

    func end(because reason: EndReason) {
        // Whoever is at it says how it ended.
        if reason == .runTime { return interruptUploads() }
        conclude()
    }

    var callsUnderWay: [CallUnderWay] { writer.withLock { $0 }?.callsUnderWay ?? [] }

    func failWithoutWaiting(_ problem: Problem) {
        hasAbandoned.store(true, ordering: .relaxed)
        conclude()
        writer.withLock { $0 }?.failWithoutWaiting(problem.detail)
    }

    var isAbandoned: Bool { hasAbandoned.load(ordering: .relaxed) }

    func takeIdle(_ connection: consuming DetachedConnection) { gateway.takeIdle(connection) }

    func handle(_ exchange: Exchange) {
        do throws(Problem) {
            let isFirst = phase.withLock { phase in
                defer { if phase == .waiting { phase = .working } }
                return phase == .waiting
            }
            guard isFirst else { return try gateway.handBack(exchange) }
            // The answer may go on when this call has returned.
            exchange.whenOver { [self] in conclude() }
            let handle = exchange.body.interrupter
            interrupter.withLock { $0 = handle }
            defer { interrupter.withLock { $0 = nil } }
            exchange.route = Operation.encode.id
            try authenticator.identify(exchange).require(Route.encode.scope)
            SystemThread.wipeStack()
            try encode(exchange)
        } catch {
            if !exchange.isAnswered { exchange.reply(error) }
        }
    }

    private func conclude() {
        let wasDone = phase.withLock { phase in
            defer { phase = .done }
            return phase == .done
        }
        if !wasDone { report(.discarded) }
    }

    private func encode(_ exchange: Exchange) throws(Problem) {
        let request = try EncodeRequest(exchange.head.target)
        var redaction = Redaction(destination: nil, options: [request.option, request.stream.encoderOption])
        redaction.add(text: request.stream.filterDesc ?? "")
        do throws(Problem) {
            try encode(request, exchange)
        } catch {
            throw redaction.apply(to: error.naming(outputLimitOf: settings.limits))
        }
    }

    private func encode(_ request: EncodeRequest, _ exchange: Exchange) throws(Problem) {
        let kind = try ChunkBody.kind(exchange.head)
        let opener = DestinationGuard(
            plan: .managed, policy: settings.policy, clientPolicy: clientPolicy, folder: nil)
        let encoding = try Encoding(
            request, folder: folder, policy: OptionPolicy(clientPolicy), limits: settings.limits, opener: opener
        ) { made in writer.withLock { $0 = made } }
        defer { encoding.writer.abort() }
        let description = encoding.writer.description(of: 0)
        if kind == .raw {
            try ChunkBody.check(exchange.head.framing, bytesPerFrame: description.inputFrameBytes, extras: [])
        }
        let frames = ArrayLayout(request.stream.config, frameBytes: description.inputFrameBytes)
        var body =
            kind == .array
            ? try ChunkBody(array: exchange.body, of: frames, frameBytes: description.inputFrameBytes)
            : ChunkBody(raw: exchange.body)
        if encoding.seeksBack {
            try encoding.run(&body)
            try? exchange.respond(.init(.ok, fields: encoding.fields, body: .file(encoding.file, 0..<encoding.file.size)))
            return
        }
        try stream(encoding, &body, exchange)
    }

    /// Sends what is there while the body is still being read.
    private func stream(_ encoding: Encoding, _ body: inout ChunkBody, _ exchange: Exchange) throws(Problem) {
        let response = exchange.openStream(.ok, fields: encoding.fields)
        let interrupter = exchange.body.interrupter
        let sent = Monitor(false)
        do throws(SystemError) {
            try SystemThread.start(name: "sender") {
                do {
                    try OutputFollower(file: encoding.file, growth: encoding.growth).follow {
                        piece throws(Exchange.Failure) in try response.send(piece)
                    }
                    try response.finish()
                } catch is Exchange.Failure {
                    // Nobody takes the answer: the body is of no use either.
                    interrupter.interrupt()
                } catch {}
                sent.change { $0 = true }
            }
        } catch {
            throw Problem(.overloaded, "There is no thread for the answer: \(error.description).")
        }
        let result: Result<Void, Problem>
        do throws(Problem) {
            result = .success(try encoding.run(&body))
            encoding.growth.ended(.complete)
        } catch {
            result = .failure(error)
            encoding.growth.ended(.failed)
        }
        _ = sent.wait { $0 ? true : nil }
        exchange.close(response)
        try result.get()
    }
}

/// One stream, from a body into a file that has no name.
private struct Encoding: Sendable {
    let writer: StreamWriter
    let file: OpenFile
    let growth = OutputNotifier()
    let fields: [(name: String, value: String)]
    let seeksBack: Bool

    /// `watch` gets the writer before libav has much to do for it.
    init(
        _ request: EncodeRequest, folder: Directory, policy: OptionPolicy, limits: ServiceLimits,
        opener: DestinationGuard, watch: (StreamWriter) -> Void
    ) throws(Problem) {
        let muxer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter.resolveMuxer(format: request.format, name: "")
        }
        guard muxer.needsFile else {
            throw Problem(
                .invalidParameter, "\(muxer.name) writes no single file, which is all that one answer can carry.",
                parameter: "format")
        }
        try policy.check(muxer)
        try policy.check(request.stream.config, for: muxer, destination: "")
        try policy.check(option: request.option, for: muxer)
        let descriptor: Int32
        do throws(SystemError) {
            descriptor = try folder.createFile("output", .onlyIfAbsent)
            file = OpenFile(owning: try folder.openFile("output"))
            try folder.removeFile("output")
        } catch {
            throw Problem(.noSpace, "The output has no place: \(error.description).")
        }
        let growth = growth
        writer = try asProblem { () throws(StreamWriterError) in
            try StreamWriter(
                destination: .file(descriptor: descriptor, name: "output") { growth.grew() }, format: muxer.name,
                limits: WriterLimits(limits), opener: opener)
        }
        watch(writer)
        do throws(Problem) {
            _ = try asProblem { [writer] () throws(StreamWriterError) in try writer.addStream(request.stream.config) }
        } catch {
            throw error.namingQuery(of: request.stream.config)
        }
        try asProblem { [writer] () throws(StreamWriterError) in
            try writer.setMetadata(request.metadata)
            try writer.open(option: request.option)
        }
        seeksBack = muxer.willSeekBack(option: request.option)
        let name = "output." + (muxer.extensions.first ?? "bin")
        fields = [
            ("Content-Type", muxer.mimeType ?? ChunkBody.rawType),
            ("Content-Disposition", "attachment; filename=\"\(name)\""),
        ]
    }

    /// Takes the whole body and finishes the file.
    func run(_ body: inout ChunkBody) throws(Problem) {
        do {
            let chunk = try writer.beginChunk(stream: 0, pts: nil)
            try body.fill(chunk)
            let receipt = try chunk.finish()
            if receipt.droppedBytes > 0 {
                throw Problem(.partialFrame, "The body ended \(receipt.droppedBytes) bytes into a frame.")
            }
            _ = try writer.close()
        } catch let problem as Problem {
            throw problem
        } catch let failure as RequestBody.Failure {
            throw Problem(failure)
        } catch let error as StreamWriterError {
            throw Problem(error)
        } catch {
            throw Problem(.internalError, "The body can't be encoded: \(error).")
        }
    }
}
