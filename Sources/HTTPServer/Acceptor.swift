import Logging
import Synchronization
import SystemIO

/// Accepts connections of a listener into a server.
public final class Acceptor: Sendable {
    private let listener: Listener
    private let server: HTTPServer
    private let loop: EventLoop
    private let log: Logger
    private let token = Mutex<EventLoop.Token?>(nil)
    private let isClosed = Atomic(false)

    public init(_ listener: Listener, server: HTTPServer, loop: EventLoop, log: Logger) throws(SystemError) {
        self.listener = listener
        self.server = server
        self.loop = loop
        self.log = log
        try resume()
        loop.everySecond { [self] in try? resume() }
    }

    /// Accepts no more.
    public func stop() {
        loop.preconditionOnLoop()
        isClosed.store(true, ordering: .relaxed)
        pause()
    }

    private func resume() throws(SystemError) {
        if isClosed.load(ordering: .relaxed) || token.withLock({ $0 != nil }) { return }
        let watch = try loop.watch(listener.descriptor) { [self] in acceptWaiting() }
        token.withLock { $0 = watch }
    }

    private func pause() {
        if let watch = token.withLock({ token in let old = token; token = nil; return old }) {
            loop.unwatch(listener.descriptor, watch)
        }
    }

    private func acceptWaiting() {
        do {
            for _ in 0..<64 {
                guard let connection = try listener.accept() else { return }
                server.adopt(Descriptor(owning: connection), isNew: true)
            }
        } catch {
            // Out of descriptors, most likely: those waiting keep waiting in the backlog
            // until some are free again. The loop tries each second.
            log.error("connections are not being accepted for a second", metadata: ["error": "\(error)"])
            pause()
        }
    }
}
