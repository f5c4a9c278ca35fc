import HTTP1
import HTTPServer
import Logging
import SystemIO

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
        server = try HTTPServer(configuration: configuration, loop: loop, handler: handler, log: log)
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

    func handle(_ exchange: Exchange) {
        switch exchange.head.target.rawPath {
        case "/hello": try? exchange.respond(.text("hello"))
        case "/none": try? exchange.respond(Response(.noContent))
        case "/early": try? exchange.respond(.text("no", .forbidden))
        case "/big": try? exchange.respond(Response(.ok, body: .bytes([UInt8](repeating: 0x78, count: 32 << 20))))
        case "/echo": echo(exchange)
        case "/count": count(exchange)
        case "/pieces": pieces(exchange)
        case "/cut": cut(exchange)
        case "/both": answerBeforeReading(exchange)
        case "/wait":
            gate.enterAndWait()
            try? exchange.respond(.text("waited"))
        case "/follow": follow(exchange)
        default: try? exchange.respond(.text("", .notFound))
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
        try? exchange.respondStreaming(.ok, fields: []) { send in
            for piece in ["one", "", "two"] { try Self.send(Array(piece.utf8), send) }
        }
    }

    private static func send(
        _ piece: [UInt8], _ send: (UnsafeRawBufferPointer) throws(Exchange.Failure) -> Void
    ) throws {
        try piece.withUnsafeBytes { try send($0) }
    }

    private struct Broken: Error {}

    private func cut(_ exchange: Exchange) {
        try? exchange.respondStreaming(.ok, fields: []) { send in
            try Self.send(Array("one".utf8), send)
            throw Broken()
        }
    }

    private func answerBeforeReading(_ exchange: Exchange) {
        try? exchange.respondStreaming(.ok, fields: []) { send in
            let body = (try? exchange.body.collect(limit: 100)) ?? nil
            try Self.send(body ?? [], send)
        }
    }

    private func follow(_ exchange: Exchange) {
        try? exchange.respondStreaming(.ok, fields: []) { send in
            try Self.send(Array("one".utf8), send)
            gate.enterAndWait()
        }
    }
}

/// Handlers that are inside, and whether they may go on.
final class Gate: Sendable {
    private let state = Monitor((entered: 0, isOpen: false))

    func enterAndWait() {
        state.change { $0.entered += 1 }
        _ = state.wait(until: .after(.seconds(20))) { $0.isOpen ? true : nil }
    }

    func awaitEntered(_ count: Int = 1) -> Bool {
        state.wait(until: .after(.seconds(10))) { $0.entered >= count ? true : nil } ?? false
    }

    func open() { state.change { $0.isOpen = true } }
}

extension Response {
    static func text(_ text: String, _ status: HTTPStatus = .ok) -> Response {
        Response(status, body: .bytes(Array(text.utf8)))
    }
}
