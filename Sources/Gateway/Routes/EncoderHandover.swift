import APICore
import HTTPServer
import Logging
import WriterModel

/// Passes requests, with their connections, to the encoders that respond to them.
final class EncoderHandover: Sendable {
    private let encoders: EncoderSupervisor
    private let log: Logger
    /// Takes back connections which could not be passed.
    private let server: HTTPServer

    init(encoders: EncoderSupervisor, server: HTTPServer, log: Logger) {
        self.encoders = encoders
        self.server = server
        self.log = log
    }

    /// `beyondShare`: a client that has its share of the connections can still end what it is at.
    func pass(_ exchange: Exchange, to link: EncoderLink, beyondShare: Bool = false) throws(Problem) {
        let passes = exchange.passes
        if passes >= ControlMessage.maxPasses {
            log.error(
                "a request goes back and forth between gateway and encoder",
                metadata: ["writer": "\(link.writer)", "request_id": "\(exchange.requestID)", "passes": "\(passes)"])
            throw .passedTooOften
        }
        var passed = EncoderLink.Passed.peerGone
        let isForHead = exchange.head.method == .head
        let isPassed = exchange.lend { connection, unread in
            passed = link.pass(
                connection, of: exchange.clients, isForHead: isForHead, unread: unread, passes: passes + 1, always: beyondShare
            ) { other, unread, passes in
                server.takeBack(other, unread: unread, passes: passes)
            }
            return passed == .sent
        }
        if isPassed { return }
        // Kept, the connection would only be idle here instead.
        if case .beyondShare = passed { exchange.endsConnection = true }
        throw problem(of: link, passed)
    }

    private func problem(of link: EncoderLink, _ passed: EncoderLink.Passed) -> Problem {
        switch passed {
        case .behind: .busy(link)
        case .beyondShare(let client): .tooManyConnections(of: client, encoders.shares.share(of: client))
        case .tooLong: Problem(.headTooLarge, "The request's head, with what was sent behind it, can't be passed on.")
        case .peerGone, .sent: link.role == .catalog ? .busy(link) : .justEnding(link.writer)
        }
    }
}

extension Problem {
    fileprivate static func busy(_ link: EncoderLink) -> Problem {
        let process = link.role == .catalog ? "The process that answers questions about libav" : "The writer \(link.writer)"
        return Problem(.overloaded, "\(process) is not taking requests now. Try again.")
    }

    fileprivate static func tooManyConnections(of client: WorkerPool.ClientKey, _ share: Int) -> Problem {
        let client =
            switch client {
            case .address: "This address"
            case .credential: "This token"
            }
        return Problem(
            .tooManyConnections,
            "\(client) is using \(share) of the server's connections (--max-connections) at once, the most for one. End some requests first; DELETE and finalize are taken all the same.",
            extras: [("limit", .integer(Int64(share)))])
    }
}
