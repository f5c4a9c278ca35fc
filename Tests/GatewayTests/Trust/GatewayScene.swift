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

    /// `carriersFrom` is a program that forks carriers as the fork server does; nil: the test plays them, too.
    init(in folder: TemporaryFolder = TemporaryFolder(), carriersFrom program: String? = nil) throws {
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
            loop: loop, log: logger,
            source: { [serverLoop] report throws(SystemError) in
                let forking = try program.map { program throws(SystemError) in
                    try ForkServerClient(executable: program, arguments: ["--fork-server"], loop: serverLoop, log: logger, onReport: report)
                }
                return controls.hears(report, forking)
            }, connections: ConnectionKeeper(server))
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
            var sockets: [ForkSubject: MessageSocket] = [:]
            /// Of carriers that the test has not taken.
            var carriers: [(subject: ForkSubject, isWanted: @Sendable () -> Bool)] = []
            var report: (@Sendable (ForkReport) -> Void)?
            var forking: ForkServerClient?
        }

        private let state = Mutex(State())
        let isRunning = true

        func hears(_ report: @escaping @Sendable (ForkReport) -> Void, _ forking: ForkServerClient?) -> any EncoderSource {
            state.withLock { state in
                state.report = report
                state.forking = forking
            }
            return self
        }

        func fork(
            _ subject: ForkSubject, passing control: borrowing Descriptor, for client: ForkClient,
            isWanted: @escaping @Sendable () -> Bool
        ) -> Bool {
            if case .carrier = subject, let forking = state.withLock({ $0.forking }) {
                return forking.fork(subject, passing: control, for: client, isWanted: isWanted)
            }
            guard let copy = Descriptor(duplicating: control.number) else { return false }
            let socket = MessageSocket(owning: copy.take())
            state.withLock { state in
                state.sockets[subject] = socket
                if case .carrier = subject { state.carriers.append((subject, isWanted)) }
            }
            return true
        }

        func stop() { state.withLock { $0.forking }?.stop() }
        func take(_ writer: WriterID) -> MessageSocket? { state.withLock { $0.sockets.removeValue(forKey: .encoder(writer)) } }

        func takeCarrier() -> (ForkSubject, MessageSocket, isWanted: @Sendable () -> Bool)? {
            state.withLock { state in
                guard !state.carriers.isEmpty else { return nil }
                let (subject, isWanted) = state.carriers.removeFirst()
                return state.sockets.removeValue(forKey: subject).map { (subject, $0, isWanted) }
            }
        }
        func report(_ report: ForkReport) { state.withLock { $0.report }?(report) }
    }

    /// One encoder, as the test plays it.
    struct Encoder {
        let writer: WriterID
        let link: EncoderLink
        let socket: MessageSocket
        let marks: SharedMarks
        /// What it was told first.
        let settings: EncoderStart
    }

    /// One carrier, likewise; its fork is under way.
    struct Carrier {
        let subject: ForkSubject
        let socket: MessageSocket
        let settings: EncoderStart
        let packets: SocketEnd
        let isWanted: @Sendable () -> Bool
    }

    func start(_ id: String, as role: EncoderStart.Role = .writer) throws -> Encoder {
        let writer = WriterID(id)!
        guard case .added = try encoders.start(writer, as: role), case .live(let link)? = registry[writer],
            let socket = controls.take(writer)
        else { throw Missing() }
        guard case .message(let bytes, let marks?) = socket.receive(waiting: false), case .start(let settings)? = ControlMessage(bytes)
        else { throw Missing() }
        return Encoder(writer: writer, link: link, socket: socket, marks: try SharedMarks(owning: marks), settings: settings)
    }

    /// An encoder wants a carrier: its own end of the pair whose other end the gateway has.
    func askForCarrier(_ number: UInt32 = 1, as encoder: Encoder) throws -> SocketEnd {
        let (own, theirs) = try DescriptorPair.streamSockets().split()
        let packets = SocketEnd(owning: theirs)
        say(.carrier(number: number), as: encoder, passing: packets.number)
        packets.close()
        return SocketEnd(owning: own)
    }

    /// The first that was asked for and not taken.
    func takeCarrier() throws -> Carrier {
        guard let (subject, socket, isWanted) = controls.takeCarrier(),
            case .message(let bytes, let packets?) = socket.receive(waiting: false), case .start(let settings)? = ControlMessage(bytes)
        else { throw Missing() }
        return Carrier(subject: subject, socket: socket, settings: settings, packets: SocketEnd(owning: packets), isWanted: isWanted)
    }

    func stopForkServer() { controls.stop() }

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
        report(.forked(.encoder(encoder.writer), process: process))
        encoder.socket.finishSending()
        // In as many turns as it takes to what it said last, and once more for its end.
        for _ in 0..<100 where !encoder.socket.isTakenWhole { hear(encoder) }
        hear(encoder)
        report(.ended(process: process, ProcessEnd(waitStatus: 9)))
        // The turns of carriers that the test did not take come now.
        while let (subject, _, isWanted) = controls.takeCarrier() { if !isWanted() { report(.unwanted(subject)) } }
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

/// One end of a pair, which a test closes.
final class SocketEnd {
    let number: Int32
    private var descriptor: Descriptor?

    init(owning number: Int32) {
        self.number = number
        descriptor = Descriptor(owning: number)
    }

    func close() { descriptor = nil }

    /// Whether nobody has the other end. A process that another test has just forked may have a copy for a moment.
    var hasEnded: Bool {
        var poll = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        _ = Glibc.poll(&poll, 1, 60_000)
        return !isHeld
    }

    /// Somebody has the other end.
    var isHeld: Bool {
        var byte: UInt8 = 0
        return recv(number, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) != 0
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
                Socket.receive(descriptor, into: [$0], limit: $0.count, deadline: .after(.seconds(60)))
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
