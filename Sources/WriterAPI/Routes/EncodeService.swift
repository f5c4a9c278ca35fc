import APICore
import HTTP1
import HTTPServer
import StreamWriter
import Synchronization
import SystemIO
import Threading
import WriterModel

/// `POST /v1/encode`: the raw body in, the encoded file out, in one exchange.
///
/// The output goes through a file, so that a client that sends everything before it reads
/// anything stops no other: one thread takes the body, and what is there is sent beside it.
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

    var workDone: WorkDone {
        guard let writer = writer.withLock({ $0 }), writer.streamCount == 1 else { return WorkDone() }
        var work = WorkDone(bytesWritten: writer.bytesWritten)
        work.add(writer.progress(of: 0), of: writer.description(of: 0).kind)
        return work
    }

    func interruptUploads() { interrupter.withLock { $0 }?.interrupt() }

    func end(because reason: EndReason) {
        // The request that is being served says how it ended.
        if reason == .runTime { return interruptUploads() }
        conclude()
    }

    var callsUnderWay: [CallUnderWay] { writer.withLock { $0 }?.callsUnderWay ?? [] }

    func failWithoutWaiting(_ problem: Problem) {
        hasAbandoned.store(true, ordering: .relaxed)
        conclude()
        writer.withLock { $0 }?.interrupt(StreamWriterError(.encodingFailed, problem.detail))
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
            // The response may go on when this call has returned.
            exchange.whenOver { [self] in conclude() }
            let handle = exchange.body.interrupter
            interrupter.withLock { $0 = handle }
            defer { interrupter.withLock { $0 = nil } }
            exchange.route = Operation.encode.id
            try authenticator.identify(exchange).require(Route.encode.scope)
            SystemThread.wipeStack()
            try encode(exchange)
        } catch {
            if !exchange.hasResponded { return exchange.respond(with: error) }
            let isCut = error.code == .bodyCut || error.code == .requestTimeout
            exchange.noteBrokenOff(because: .init(code: error.code.rawValue, detail: error.detail), isCut: isCut)
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
        var redaction = Redaction(destination: nil, options: [request.option] + request.stream.encoderOptions)
        redaction.add(text: request.stream.config.filterDesc ?? "")
        do throws(Problem) {
            try encode(request, exchange)
        } catch {
            throw redaction.apply(to: error.naming(outputLimitOf: settings.limits))
        }
    }

    private func encode(_ request: EncodeRequest, _ exchange: Exchange) throws(Problem) {
        let upload = try ChunkUpload(exchange.head)
        let plan = try WriterPlan(request, policy: settings.policy, clientPolicy: clientPolicy)
        let encoding = try Encoding(plan, folder: folder, limits: settings.limits) { made in writer.withLock { $0 = made } }
        defer { encoding.writer.abort() }
        try encoding.check(exchange.body, upload)
        // Before the response begins, which could not say then that the body is none.
        let body = try exchange.blocking { () throws(Problem) in try encoding.open(exchange.body, upload) }
        if encoding.seeksBack {
            try encoding.run(upload, body)
            try? exchange.respond(.init(.ok, fields: encoding.fields, body: .file(encoding.file, 0..<encoding.file.size)))
            return
        }
        try stream(encoding, upload, body, exchange)
    }

    /// Sends what is there while the body is still being read.
    private func stream(_ encoding: Encoding, _ upload: ChunkUpload, _ body: ChunkBody, _ exchange: Exchange) throws(Problem) {
        let response = exchange.respondWhileReading(
            .ok, fields: encoding.fields, following: encoding.file, encoding.growth)
        let result: Result<Void, Problem>
        do throws(Problem) {
            result = .success(try exchange.blocking { () throws(Problem) in try encoding.run(upload, body) })
            encoding.growth.ended(.complete)
        } catch {
            result = .failure(error)
            encoding.growth.ended(.failed)
        }
        // Where nothing of it was sent, the client is told; else the log.
        _ = exchange.finish(response)
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
    private let config: StreamConfig

    /// `watch` gets the writer before libav has much to do for it.
    init(_ plan: WriterPlan, folder: Directory, limits: ServiceLimits, watch: (StreamWriter) -> Void) throws(Problem) {
        let (request, config) = (plan.request, plan.request.streams[0].config)
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
                destination: .file(descriptor: descriptor, name: "output") { growth.grew() }, format: plan.muxer.name,
                limits: WriterLimits(limits), opener: plan.opener())
        }
        watch(writer)
        do throws(Problem) {
            _ = try asProblem { [writer] () throws(StreamWriterError) in try writer.addStream(config) }
        } catch {
            throw error.namingQuery(of: config)
        }
        let option = request.open?.option ?? [:]
        try asProblem { [writer] () throws(StreamWriterError) in
            try writer.setMetadata(request.metadata)
            try writer.open(option: option)
        }
        self.config = config
        seeksBack = plan.muxer.willSeekBack(option: option)
        let type = plan.muxer.fileType(of: [config])
        fields = [
            ("Content-Type", type.mediaType ?? ChunkBody.rawType),
            ("Content-Disposition", "attachment; filename=\"output.\(type.fileExtension ?? "bin")\""),
        ]
    }

    func check(_ body: RequestBody, _ upload: ChunkUpload) throws(Problem) {
        try upload.check(body, config, bytesPerFrame: writer.description(of: 0).inputFrameBytes, isFirst: true)
    }

    func open(_ body: RequestBody, _ upload: ChunkUpload) throws(Problem) -> ChunkBody {
        try upload.open(body, for: writer, stream: 0, config)
    }

    /// Takes the whole body and finishes the file.
    func run(_ upload: ChunkUpload, _ body: ChunkBody) throws(Problem) {
        do throws(ChunkUpload.Failure) {
            _ = try upload.take(body, into: writer, stream: 0)
        } catch {
            throw Self.problem(error)
        }
        _ = try asProblem { () throws(StreamWriterError) in try writer.close() }
    }

    private static func problem(_ failure: ChunkUpload.Failure) -> Problem {
        switch failure.cause {
        case .problem(let problem): problem
        case .body(let failure): Problem(failure)
        case .partialFrame:
            Problem(.partialFrame, "The body ended \(failure.receipt?.droppedBytes ?? 0) bytes into a frame.")
        case .shortArray(let promised, let came):
            Problem(.partialFrame, "The array's head promises \(promised) bytes of data and \(came) came.")
        }
    }
}
