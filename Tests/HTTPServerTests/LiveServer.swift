import Glibc
import HTTP1
import HTTPServer
import Logging
import Synchronization
import SystemIO
import Threading

/// A server on a free loopback port, with a loop thread of its own.
final class LiveServer: Sendable {
    let server: HTTPServer
    let port: UInt16
    private let loop: EventLoop

    init(_ handler: any RequestHandler = Demo(), _ configure: (inout HTTPServer.Configuration) -> Void = { _ in }) throws {
        var configuration = HTTPServer.Configuration()
        configure(&configuration)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let loop = try EventLoop()
        let listener = try Listener(host: "127.0.0.1", port: 0)
        server = try HTTPServer(configuration: configuration, loop: loop, log: log)
        server.start(handler: handler)
        let acceptor = try Acceptor(listener, server: server, loop: loop, log: log)
        port = listener.address.port
        self.loop = loop
        try SystemThread.start(name: "loop") {
            loop.run()
            withExtendedLifetime(acceptor) {}
        }
    }

    deinit { loop.stop() }

    func connect() throws -> Client { try Client(port: port) }
}

/// Answers by path.
struct Demo: RequestHandler {
    var gate = Gate()
    var idle = Monitor<[[UInt8]]>([])
    var growing = GrowingFile()
    /// How the waits of "/park" ended.
    var ended = Monitor<[Wake]>([])
    var events = EventSource()
    /// How the reading of the bodies of "/transform" ended; nil: well.
    var readings = Monitor<[RequestBody.Failure?]>([])
    /// What the reads of "/paced" took, and what it is read with.
    var takes = Monitor<[String]>([])
    var interrupters = Monitor<[RequestBody.Interrupter]>([])

    func handle(_ exchange: Exchange) {
        switch exchange.head.target.rawPath {
        case "/livez": try? exchange.respond(.text("alive"))
        case "/hello": try? exchange.respond(.text("hello"))
        case "/none": try? exchange.respond(Response(.noContent))
        case "/early": try? exchange.respond(.text("no", .forbidden))
        case "/big": try? exchange.respond(Response(.ok, body: .bytes([UInt8](repeating: 0x78, count: 32 << 20))))
        case "/echo": echo(exchange)
        case "/count": count(exchange)
        case "/pieces": pieces(exchange)
        case "/cut": cut(exchange)
        case "/both": answerBeforeReading(exchange)
        case "/shared": try? exchange.respond(Response(.ok, body: .shared(Self.shared)))
        case "/wait", "/stats":
            gate.enterAndWait()
            try? exchange.respond(.text("waited"))
        case "/follow": follow(exchange)
        case "/park": waitForBoth(exchange)
        case "/events": follow(events, exchange)
        case "/transform": transform(exchange)
        case "/paced": readInTime(exchange)
        case "/last": exchange.blocking { try? exchange.respond(.text("lasted")) }
        default: try? exchange.respond(.text("", .notFound))
        }
    }

    func kind(of head: RequestHead) -> RequestKind {
        switch head.target.rawPath {
        case "/livez": .healthCheck
        case "/stats": .operational
        default: .ordinary
        }
    }

    func response(to refusal: Refusal, requestID: String) -> Response {
        switch refusal {
        case .malformed(let error): .text(error.reason.rawValue, error.status)
        case .overload: Self.full
        case .slowHead: .text("slow head", .requestTimeout)
        case .crowdedAddress: .text("crowded", .tooManyRequests)
        }
    }

    private static let shared = [UInt8](repeating: 0x79, count: 32 << 20)

    private static var full: Response {
        Response(.serviceUnavailable, fields: [("Retry-After", "1")], body: .bytes(Array("full".utf8)))
    }

    func takeIdle(_ connection: consuming DetachedConnection) {
        let unread = connection.unread
        idle.change { $0.append(unread) }
    }

    private func echo(_ exchange: Exchange) {
        do throws(RequestBody.Failure) {
            let body = try exchange.body.collect(limit: 64 << 20)
            try? exchange.respond(Response(.ok, body: .bytes(body ?? [])))
        } catch .timedOut {
            try? exchange.respond(.text("slow", .requestTimeout))
        } catch {
            try? exchange.respond(.text("bad", .badRequest))
        }
    }

    /// Reads into two odd regions at once, as a reader of planes does.
    private func count(_ exchange: Exchange) {
        var (total, sum) = (0, 0)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 300_001, alignment: 16)
        defer { memory.deallocate() }
        let regions = [
            UnsafeMutableRawBufferPointer(rebasing: memory[..<7]), UnsafeMutableRawBufferPointer(rebasing: memory[7...]),
        ]
        while let count = try? exchange.body.read(into: regions), count > 0 {
            total += count
            sum = memory[..<count].reduce(sum) { ($0 + Int($1)) & 0xFFFF }
        }
        try? exchange.respond(.text("\(total) \(sum)"))
    }

    private func pieces(_ exchange: Exchange) {
        try? exchange.respond(.ok, fields: [], pieces: Pieces(["one", "", "two"]))
    }

    private func cut(_ exchange: Exchange) {
        try? exchange.respond(.ok, fields: [], pieces: Pieces(["one"], breaks: true))
    }

    private func answerBeforeReading(_ exchange: Exchange) {
        try? exchange.respond(.ok, fields: [], pieces: BodyOf(exchange))
    }

    private func follow(_ exchange: Exchange) {
        try? exchange.respond(.ok, fields: [], following: growing.file, growing)
    }

    /// Both ways to wait: for the body, and for the gate.
    private func waitForBoth(_ exchange: Exchange) {
        exchange.gatherBody(limit: 100) { exchange in
            gate.enter()
            exchange.wait(until: .after(.seconds(60)), for: { gate.whenOpen($0) }) { exchange, wake in
                ended.change { $0.append(wake) }
                if wake == .clientGone { return }
                let body = (try? exchange.body.collect(limit: 100)) ?? nil
                try? exchange.respond(Response(.ok, body: .bytes(body ?? [])))
            }
        }
    }
}

private final class Pieces: PieceSource {
    private struct Broken: Error {}
    private let left: Mutex<[String]>
    private let breaks: Bool

    init(_ pieces: [String], breaks: Bool = false) {
        left = Mutex(pieces)
        self.breaks = breaks
    }

    func next() throws -> [UInt8]? {
        let piece = left.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if piece == nil && breaks { throw Broken() }
        return piece.map { Array($0.utf8) }
    }
}

/// Reads the request's body when the answer has begun.
private final class BodyOf: PieceSource {
    private let exchange: Exchange

    init(_ exchange: Exchange) { self.exchange = exchange }

    func next() throws -> [UInt8]? {
        exchange.body.isFinished ? nil : try exchange.body.collect(limit: 100)
    }
}

/// A file that grows until it is ended.
final class GrowingFile: FileGrowth {
    private struct State {
        var version = 0
        var end: FileEnd?
        var wakes = WakeList()
    }

    private let state = Monitor(State())
    let file: OpenFile

    init(_ text: String = "one") {
        var path = Array("/tmp/growing-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        unlink(path)
        _ = write(descriptor, text, text.utf8.count)
        file = OpenFile(owning: descriptor)
    }

    var current: (version: Int, end: FileEnd?) { state.withLock { ($0.version, $0.end) } }

    func whenChanged(since version: Int, _ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.change { $0.version > version ? nil : $0.wakes.add(wake) }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.change { $0.wakes.remove(number) } }
    }

    /// Followers that wait for more.
    func awaitFollowers(_ count: Int) -> Bool {
        state.wait(until: .after(.seconds(60))) { $0.wakes.count == count ? true : nil } ?? false
    }

    func append(_ text: String) {
        _ = write(file.descriptor, text, text.utf8.count)
        change { _ in }
    }

    func end(_ end: FileEnd) { change { $0.end = end } }

    private func change(_ body: (inout State) -> Void) {
        let wakes = state.change { state in
            state.version += 1
            body(&state)
            return state.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }
}

/// Handlers that are inside, and whether they may go on.
final class Gate: Sendable {
    private struct State {
        var entered = 0
        var isOpen = false
        var wakes = WakeList()
    }

    private let state = Monitor(State())

    func enter() { state.change { $0.entered += 1 } }

    func whenOpen(_ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.change { $0.wakes.add(wake) }
        return { [self] in state.change { $0.wakes.remove(number) } }
    }

    func enterAndWait() {
        enter()
        _ = state.wait(until: .after(.seconds(60))) { $0.isOpen ? true : nil }
    }

    func awaitEntered(_ count: Int = 1) -> Bool {
        state.wait(until: .after(.seconds(60))) { $0.entered >= count ? true : nil } ?? false
    }

    var entered: Int { state.withLock { $0.entered } }

    func open() {
        let wakes = state.change { state in
            state.isOpen = true
            return state.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }
}

extension Response {
    static func text(_ text: String, _ status: HTTPStatus = .ok) -> Response {
        Response(status, body: .bytes(Array(text.utf8)))
    }
}
