import APICore
import Bytewise
import Gateway
import Glibc
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading
import WriterModel

/// The gateway's own parts, listening on a port, with every encoder's end of its control socket in the test's
/// hands. The test plays the gateway's loop: nothing that an encoder says is heard before `hear`.
final class GatewayScene: Sendable {
    let folder: TemporaryFolder
    let registry = Registry()
    let records: RecordStore
    let encoders: EncoderSupervisor
    let metrics = MetricCounter()
    let port: UInt16
    let log = LogLines()
    private let controls = Controls()
    private let loop: EventLoop
    private let serverLoop: EventLoop
    private let acceptor: Acceptor

    init(in folder: TemporaryFolder = TemporaryFolder()) throws {
        self.folder = folder
        Signal.ignore([Signal.brokenPipe])
        let lines = log
        let logger = Logger(label: "test") { _ in lines }
        let listener = try Listener(host: "127.0.0.1", port: 0)
        port = listener.address.port
        var configuration = GatewayConfiguration(encoderExecutable: "", encoderArguments: [], version: "test")
        configuration.serverPorts = [port]
        configuration.outputDirectory = folder.path + "/output"
        configuration.stateDirectory = folder.path + "/state"
        configuration.logsRequests = false
        configuration.limits.maxWriters = 1_000_000
        records = try RecordStore(stateDirectory: configuration.stateDirectory, outputDirectory: configuration.outputDirectory)
        loop = try EventLoop()
        serverLoop = try EventLoop()
        let current = CurrentConfiguration(configuration)
        let tokens = try Tokens(.none)
        let controls = controls
        let server = try HTTPServer(
            configuration: .init(configuration.limits, lingerTime: .milliseconds(5)), loop: serverLoop, log: logger)
        encoders = try EncoderSupervisor(
            configuration: current, registry: registry, records: records, tokens: tokens, metrics: metrics,
            loop: loop, log: logger, source: { report in controls.hears(report) }, connections: ConnectionKeeper(server))
        let switchboard = Switchboard(
            configuration: current, registry: registry, records: records, encoders: encoders, log: logger,
            tokens: tokens, metrics: metrics, sandbox: SandboxReport(landlockABI: 0, filtersSystemCalls: false), server: server)
        server.start(handler: switchboard)
        acceptor = try Acceptor(listener, server: server, loop: serverLoop, log: logger)
        try SystemThread.start(name: "loop") { [serverLoop] in serverLoop.run() }
    }

    deinit { serverLoop.stop() }

    /// In place of a fork server: keeps the control sockets.
    private final class Controls: EncoderSource {
        private struct State {
            var sockets: [WriterID: MessageSocket] = [:]
            var report: (@Sendable (ForkReport) -> Void)?
        }

        private let state = Mutex(State())
        let isRunning = true

        func hears(_ report: @escaping @Sendable (ForkReport) -> Void) -> any EncoderSource {
            state.withLock { $0.report = report }
            return self
        }

        func fork(
            _ writer: WriterID, passing control: borrowing Descriptor, for client: ForkClient,
            isWanted: @escaping @Sendable () -> Bool
        ) -> Bool {
            guard let copy = Descriptor(duplicating: control.number) else { return false }
            let socket = MessageSocket(owning: copy.take())
            state.withLock { $0.sockets[writer] = socket }
            return true
        }

        func stop() {}
        func take(_ writer: WriterID) -> MessageSocket? { state.withLock { $0.sockets.removeValue(forKey: writer) } }
        func report(_ report: ForkReport) { state.withLock { $0.report }?(report) }
    }

    /// One encoder, as the test plays it.
    struct Encoder {
        let writer: WriterID
        let link: EncoderLink
        let socket: MessageSocket
        let marks: SharedMarks
    }

    func start(_ id: String, as role: EncoderStart.Role = .writer) throws -> Encoder {
        let writer = WriterID(id)!
        guard case .added = try encoders.start(writer, as: role), case .live(let link)? = registry[writer],
            let socket = controls.take(writer)
        else { throw Missing() }
        guard case .message(_, let marks?) = socket.receive(waiting: false) else { throw Missing() }
        return Encoder(writer: writer, link: link, socket: socket, marks: try SharedMarks(owning: marks))
    }

    struct Missing: Error {}

    func say(_ message: ControlMessage, as encoder: Encoder, passing descriptor: Int32? = nil) {
        _ = encoder.socket.send(message.encoded, passing: descriptor, timeout: .zero)
        hear(encoder)
    }

    func hear(_ encoder: Encoder) { encoders.receive(encoder.link) }

    /// Has the ledger of an encoder's writer say that these files are its, also where it did not make them.
    func note(_ paths: [String], as encoder: Encoder) throws {
        let outputs = try Directory(path: folder.path + "/output")
        let ledger = try FileLedger(in: Directory(path: records.folderPath(encoder.writer)))
        for path in paths {
            guard let identity = outputs.identity(of: path) else { throw Missing() }
            try ledger.note(RelativePath(path), is: identity)
        }
    }

    func report(_ report: ForkReport) { controls.report(report) }

    /// Its process has ended.
    func end(_ encoder: Encoder, process: Int32) {
        report(.forked(encoder.writer, process: process))
        encoder.socket.finishSending()
        // In as many turns as it takes to what it said last, and once more for its end.
        for _ in 0..<100 where !encoder.socket.isTakenWhole { hear(encoder) }
        hear(encoder)
        report(.ended(process: process, ProcessEnd(waitStatus: 9)))
    }

    /// What a request is answered with, on a connection of its own.
    func ask(_ method: String, _ path: String) throws -> (status: Int, text: String) {
        let client = try Client(port: port)
        client.send("\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        let text = client.readToEnd()
        return (Int(text.dropFirst(9).prefix(3)) ?? 0, text)
    }

    /// A snapshot of the writer's.
    static func snapshot(_ id: String, _ state: WriterState = .open) -> WriterRecord {
        WriterRecord(
            resource: ["id": .string(id), "state": .string(state.rawValue), "created_at": "2024-02-29T00:00:00.000Z", "streams": [["offset": 12]]],
            managedFile: nil, outputFiles: [], mediaType: "video/mp4", creationFingerprint: "ff")
    }
}

extension MessageSocket {
    /// Whether the other end has taken all that was sent here (SIOCOUTQ).
    var isTakenWhole: Bool {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(0x5411), &count) != 0 || count == 0
    }
}

/// A client's connection.
final class Client: Sendable {
    private let descriptor: Int32

    init(port: UInt16) throws { descriptor = try Socket.connect(host: "127.0.0.1", port: port) }

    deinit { close(descriptor) }

    func send(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { Socket.sendAll(descriptor, $0, timeout: .seconds(20)) }
    }

    func readToEnd() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let progress = buffer.withUnsafeMutableBytes {
                Socket.receive(descriptor, into: [$0], limit: $0.count, deadline: .after(.seconds(20)))
            }
            guard case .moved(let count) = progress, count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}

/// What is logged.
final class LogLines: LogHandler {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .info }
        set {}
    }

    func log(event: LogEvent) {
        lines.withLock { lines in
            if lines.count < 10_000 { lines.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
