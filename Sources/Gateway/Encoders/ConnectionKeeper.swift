import APICore
import HTTPServer
import WriterModel

/// What becomes of connections that encoders have had.
package struct ConnectionKeeper: Sendable {
    private let server: HTTPServer

    package init(_ server: HTTPServer) { self.server = server }

    /// It is served here again.
    func takeBack(_ connection: LentConnection, unread: [UInt8], passes: UInt8) {
        server.takeBack(connection, unread: unread, passes: passes)
    }

    func close(_ connection: LentConnection, _ end: Loan.End) { server.close(connection, end) }

    /// The encoder that had it is gone: a request without an answer gets this one, wherever the connection can
    /// still carry it.
    func settle(_ connection: LentConnection, _ state: ServedState, _ problem: Problem) {
        switch state {
        case .idle: takeBack(connection, unread: [], passes: 0)
        case .answering: close(connection, .broken)
        case .asked, .askedForHead:
            server.respond(to: connection, { .problem(problem, requestID: $0) }, toHead: state == .askedForHead)
        }
    }
}
