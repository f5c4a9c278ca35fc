import APICore
import HTTPServer
import SystemIO
import WriterModel

/// `POST …/outputs/{name}/retry` of a writer that has ended. The response comes once what is kept is there, or could not be
/// sent; that goes on when its client leaves, and another request waits for the same.
final class RetryRoute: Sendable {
    private let records: RecordStore
    private let earlier: EarlierWriters
    private let retries: Retries
    private let tokens: Tokens
    private let maxJSONBytes: Int

    init(records: RecordStore, earlier: EarlierWriters, retries: Retries, tokens: Tokens, maxJSONBytes: Int) {
        (self.records, self.earlier, self.retries, self.tokens, self.maxJSONBytes) = (records, earlier, retries, tokens, maxJSONBytes)
    }

    /// `respond`: with the writer as it is then.
    func retry(
        _ output: String, of writer: WriterID, for caller: Principal, _ exchange: Exchange,
        respond: @escaping @Sendable (Exchange) throws(Problem) -> Void
    ) {
        exchange.gatherBody(limit: maxJSONBytes) { [self] exchange in
            exchange.attempt { () throws(Problem) in
                let attempt = try begin(output, of: writer, for: caller, exchange)
                exchange.wait(until: .never, for: { attempt.whenOver($0) }) { exchange, wake in
                    if wake == .clientGone { return }
                    exchange.attempt { () throws(Problem) in
                        if case .failure(let problem)? = attempt.outcome { throw problem }
                        try respond(exchange)
                    }
                }
            }
        }
    }

    private func begin(_ output: String, of writer: WriterID, for caller: Principal, _ exchange: Exchange) throws(Problem) -> RetryAttempt {
        let body = try exchange.jsonBody(limit: maxJSONBytes)
        if let attempt = retries.attempt(of: output, of: writer) {
            guard body == nil || body == .object([:]) else {
                throw Problem(
                    .wrongState, "What is kept of the output \(output) is being sent. Without a body the request waits for what comes of it.", parameter: "output")
            }
            return attempt
        }
        guard let record = earlier.record(of: writer, in: records) else {
            throw Problem(.overloaded, "The record of the writer \(writer) can't be read now. Try again.")
        }
        guard record.outputNames.contains(where: { $0.isSame(as: output) }) else { throw .noOutput(output, of: writer, there: record.outputNames) }
        return try start(output, of: writer, body, bounds: try tokens.limits(of: caller), exchange)
    }

    private func start(
        _ output: String, of writer: WriterID, _ body: JSONValue?, bounds: TokenLimits, _ exchange: Exchange
    ) throws(Problem) -> RetryAttempt {
        let spool: RecordStore.Spool?
        do throws(SystemError) {
            spool = try records.openSpool(of: output, of: writer)
        } catch {
            throw Problem(error.isOutOfDescriptors ? .overloaded : .internalError, "What is kept of the output can't be read: \(error.reason).")
        }
        guard let spool else {
            throw Problem(
                .nothingToRetry, "Nothing of the output \(output) waits to be sent: it is there, or was sent as it was made, or was never finished.",
                parameter: "output")
        }
        let order = try spool.order.completed(by: body)
        return try retries.start(output, of: writer, order, spool.file, bounds: bounds, for: writer.owner.map { .name($0) } ?? .client(nil))
    }
}
