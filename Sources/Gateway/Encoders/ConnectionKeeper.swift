import APICore
import HTTPServer
import Synchronization
import WriterModel

/// What becomes of connections that encoders have had: the server's part, which is made after what has use
/// for it.
package final class ConnectionKeeper: Sendable {
    private let server = Mutex<HTTPServer?>(nil)

    package init() {}

    package func serve(by server: HTTPServer) { self.server.withLock { $0 = server } }

    private var current: HTTPServer? { server.withLock { $0 } }

    /// It is served here again.
    func takeBack(_ connection: LentConnection, unread: [UInt8], passes: UInt8) {
        current?.takeBack(connection, unread: unread, passes: passes)
    }

    func close(_ connection: LentConnection, _ end: Loan.End) { current?.close(connection, end) }

    /// The encoder that had it is gone: a request without an answer gets this one, wherever the connection can
    /// still carry it.
    func settle(_ connection: LentConnection, _ state: ServedState, _ problem: Problem) {
        switch state {
        case .idle: takeBack(connection, unread: [], passes: 0)
        case .answering: close(connection, .broken)
        case .asked, .askedForHead:
            current?.answer(connection, { .problem(problem, requestID: $0) }, toHead: state == .askedForHead)
        }
    }
}
