import APICore
import HTTPServer
import SystemIO
import WriterModel

/// Requests about writers that have ended, by their records.
final class EndedWriterRoutes: Sendable {
    private let registry: Registry
    private let records: RecordStore
    private let earlier: EarlierWriters
    private let retries: Retries
    private let retryRoute: RetryRoute
    private let maxJSONBytes: Int

    init(registry: Registry, records: RecordStore, earlier: EarlierWriters, retries: Retries, tokens: Tokens, maxJSONBytes: Int) {
        self.retries = retries
        retryRoute = RetryRoute(records: records, earlier: earlier, retries: retries, tokens: tokens, maxJSONBytes: maxJSONBytes)
        self.earlier = earlier
        self.registry = registry
        self.records = records
        self.maxJSONBytes = maxJSONBytes
    }

    func respond(
        to operation: WriterOperation, about writer: WriterID, stream: Int?, output: String?, for caller: Principal, _ exchange: Exchange
    ) throws(Problem) {
        switch operation {
        case .deleteWriter: exchange.respond(with: try delete(writer, keepingOutput: try exchange.head.target.keepsOutput()))
        case .finalizeWriter:
            // Its body is judged as while the writer lived.
            withBody(of: exchange) { [self] exchange, body throws(Problem) in
                if let body { try FieldReader(body).finish() }
                return try ended(writer, for: caller).response(to: operation, stream: stream, head: exchange.head)
            }
        case .getWriter, .addStream, .setMetadata, .openWriter, .flushWriter, .writeChunk, .requestKeyFrame, .changeStream, .getUploadOffset, .addOutput, .removeOutput:
            exchange.respond(with: try ended(writer, for: caller).response(to: operation, stream: stream, head: exchange.head))
        case .retryOutput:
            retryRoute.retry(output ?? "", of: writer, for: caller, exchange) { [self] exchange throws(Problem) in
                exchange.respond(with: .json(.object(try ended(writer, for: caller).resource)))
            }
        case .getOutput, .getNamedOutput:
            do throws(Problem) {
                exchange.respond(with: try ended(writer, for: caller).response(to: operation, stream: stream, output: output, head: exchange.head))
            } catch {
                // The writer itself has removed it.
                if [.outputReplaced, .notFound].contains(error.code), isLeaving(writer) { throw .noWriter(writer.text) }
                throw error
            }
        }
    }

    /// Responds to a request that would make a writer which is there already.
    func repeatCreation(of writer: WriterID, for caller: Principal, _ exchange: Exchange) {
        withBody(of: exchange) { [self] exchange, body throws(Problem) in
            try ended(writer, for: caller).response(toCreation: body, keyed: exchange.head.method == .post)
        }
    }

    func delete(_ writer: WriterID, keepingOutput: Bool = false) throws(Problem) -> Response {
        if !earlier.confirm(writer), registry.isIndexed(writer) { throw Self.unreadable(writer) }
        // Of one whose encoder left no record all that is known of goes.
        let record = records.isLost(writer) ? nil : try ended(writer).record
        if keepingOutput && records.hasManagedOutput(writer, record) {
            let name = record?.outputs.first { $0.managedFile != nil }?.name
            let (output, path) = name.map { ("The output \($0)", "outputs/\($0)") } ?? ("The output", "output")
            throw Problem(
                .invalidParameter,
                "\(output) has no dst: it is the writer's own, at /v1/writers/\(writer)/\(path), and goes with it. Fetch it first, then delete without keep_output.",
                parameter: "keep_output", supported: ["false"])
        }
        // Another request, or the server itself, removes it.
        if registry.leave([writer]).isEmpty { throw .noWriter(writer.text) }
        retries.cancel(of: writer)
        do throws(SystemError) {
            let deletion = try records.remove(writer, record, keepingOutput: keepingOutput)
            registry.remove(writer)
            return .deleted(writer, deletion)
        } catch {
            registry.stay(writer)
            throw Problem(.internalError, "The writer's files can't be removed: \(error.description).")
        }
    }

    /// It is being removed, or has been: files of it are there no more, or in part.
    private func isLeaving(_ writer: WriterID) -> Bool { registry[writer] == nil || registry.isLeaving(writer) }

    private func withBody(
        of exchange: Exchange, _ response: @escaping @Sendable (Exchange, JSONValue?) throws(Problem) -> Response
    ) {
        exchange.gatherBody(limit: maxJSONBytes) { [self] exchange in
            exchange.attempt { () throws(Problem) in
                exchange.respond(with: try response(exchange, try exchange.jsonBody(limit: maxJSONBytes)))
            }
        }
    }

    /// No descriptor is left: the writer is there.
    private static func unreadable(_ writer: WriterID) -> Problem {
        Problem(.overloaded, "The record of the writer \(writer) can't be read now. Try again.")
    }

    private func ended(_ writer: WriterID, for caller: Principal? = nil) throws(Problem) -> EndedWriter {
        guard let record = earlier.record(of: writer, in: records) else {
            if isLeaving(writer) { throw .noWriter(writer.text) }
            if records.isLost(writer) {
                throw Problem(
                    .internalError,
                    "The record of the writer \(writer) is damaged. What it wrote is kept; DELETE removes the writer and that.")
            }
            throw Self.unreadable(writer)
        }
        return EndedWriter(
            writer: writer, record: record, records: records, shownOwner: caller?.seesAll == true ? writer.owner : nil,
            shown: retries.shown(record, of: writer))
    }
}
