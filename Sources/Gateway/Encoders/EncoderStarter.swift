import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// What an encoder is started for, with what bounds the token that asks for it.
struct EncoderRequest {
    let writer: WriterID
    let role: EncoderStart.Role
    let createdAt = Timestamp.now()
    var bounds = TokenLimits()
    var idempotencyKey: String?
    /// Who asks.
    var client = ForkClient.client(nil)
}

/// An encoder before its process: the gateway's link to it, and the end of the socket that it will have.
struct NewEncoder: ~Copyable {
    let link: EncoderLink
    let theirEnd: Descriptor
    /// Those it was told of.
    let tokens: TokenLines?
}

/// Starts encoders: makes their sockets, tells them their settings, and asks the fork server for their processes.
final class EncoderStarter: Sendable {
    private let configuration: CurrentConfiguration
    private let records: RecordStore
    private let tokens: Tokens
    private let shares: LoanShares
    private let log: Logger
    private let forkServer = Mutex<(any EncoderSource)?>(nil)

    init(configuration: CurrentConfiguration, records: RecordStore, tokens: Tokens, shares: LoanShares, log: Logger) {
        self.configuration = configuration
        self.records = records
        self.tokens = tokens
        self.shares = shares
        self.log = log
    }

    /// Before the first start.
    func use(_ source: any EncoderSource) { forkServer.withLock { $0 = source } }

    var canStart: Bool { forkServer.withLock { $0?.isRunning ?? false } }

    func stopForkServer() { forkServer.withLock { $0 }?.stop() }

    func prepare(_ request: EncoderRequest) throws(SystemError) -> NewEncoder {
        let (ours, theirs) = try DescriptorPair.messageSockets().split()
        let encoder = NewEncoder(
            link: try EncoderLink(
                writer: request.writer, socket: MessageSocket(owning: ours), role: request.role, createdAt: request.createdAt,
                idempotencyKey: request.idempotencyKey, folder: request.bounds.folder, client: request.client, shares: shares,
                // One encoder may have every connection that the server has.
                slots: configuration.limits.maxConnections),
            theirEnd: Descriptor(owning: theirs), tokens: tokens.current)
        // Before the link can be found and passed a connection: an encoder hears this first.
        guard encoder.link.start(
            settings(for: request, by: configuration.value),
            // Every request to the catalog comes by way of the gateway.
            tokens: request.role == .catalog ? nil : encoder.tokens?.table(reaching: request.writer.owner))
        else {
            throw SystemError("start an encoder: its settings do not fit a message", number: SystemError.messageTooLong)
        }
        return encoder
    }

    /// In the turn of its client.
    func fork(_ encoder: borrowing NewEncoder) throws(SystemError) {
        let link = encoder.link
        guard fork(.encoder(link.writer), passing: encoder.theirEnd, for: link.client, isWanted: { !link.isDeserted }) else {
            throw SystemError("start an encoder: the fork server is being restarted", number: SystemError.tryAgain)
        }
    }

    /// False: none can be had at the moment.
    func fork(
        _ subject: ForkSubject, passing control: borrowing Descriptor, for client: ForkClient, isWanted: @escaping @Sendable () -> Bool
    ) -> Bool {
        guard let source = forkServer.withLock({ $0 }) else { return false }
        return source.fork(subject, passing: control, for: client, isWanted: isWanted)
    }

    /// With their keys, as the configuration has them now.
    private var stores: [StoreSettings] { configuration.value.stores }

    /// Of a carrier of a writer's with these, that writes to `store` if to any.
    func ofCarrier(_ settings: EncoderStart, to store: String?) -> EncoderStart { settings.ofCarrier(stores, to: store, caFile: configuration.caFile) }

    /// Of a process that sends what is kept of one of the writer's outputs.
    func settings(toSend order: RetryOrder, of writer: WriterID, bounds: TokenLimits) -> EncoderStart {
        settings(for: EncoderRequest(writer: writer, role: .retry, bounds: bounds), by: configuration.value).ofRetry(order, stores, caFile: configuration.caFile)
    }

    private func settings(for request: EncoderRequest, by configuration: GatewayConfiguration) -> EncoderStart {
        let bounds = request.bounds
        var policy = bounds.applied(to: configuration.policy)
        policy.locate(configuration.stores)
        return EncoderStart(
            role: request.role, writer: request.writer, createdAt: request.createdAt, idempotencyKey: request.idempotencyKey,
            folder: records.folderPath(request.writer),
            outputDirectory: configuration.outputDirectory + (bounds.folder.map { "/" + $0 } ?? ""),
            ownersFolder: bounds.folder, othersFolders: bounds.othersFolders, limits: bounds.applied(to: configuration.limits),
            policy: policy, callbacks: bounds.applied(to: configuration.webhooks.callbacks), serverPorts: configuration.serverPorts,
            requiresSandbox: configuration.requiresSandbox, verifiesOutputs: configuration.verifiesOutputs, version: configuration.version,
            logsRequests: configuration.logsRequests, logLevel: configuration.logLevel.rawValue, asksForTokens: tokens.current != nil)
    }

    /// What every encoder is told first, at its longest, must fit one message; nil when it does.
    func excessOfSettings(by configuration: GatewayConfiguration) -> Int? {
        let longest = WriterID(String(repeating: "x", count: WriterID.maxLength))!
        let request = EncoderRequest(writer: longest, role: .catalog, idempotencyKey: String(repeating: "\"", count: 255))
        let settings = settings(for: request, by: configuration)
        let stores: [String?] = [nil] + configuration.stores.map(\.name)
        let bytes = stores.map { ControlMessage.start(settings.ofCarrier(configuration.stores, to: $0, caFile: configuration.caFile)).encoded.count }.max() ?? 0
        return bytes > MessageSocket.maxMessageBytes ? bytes - MessageSocket.maxMessageBytes : nil
    }

    /// The folder of the token's writers. That it can't be made is the operator's to put right, and a client is
    /// not told where it lies.
    func makeOutputFolder(_ folder: String, for writer: WriterID) throws(Problem) {
        do throws(SystemError) {
            try records.makeOutputFolder(folder)
        } catch {
            log.error(
                "the folder of a token's writers can't be made",
                metadata: ["name": "\(writer.owner ?? "")", "folder": "\(folder)", "error": "\(error)"])
            if error.isOutOfSpace { throw Problem(.noSpace, "There is no space to make a writer.") }
            if error.isOutOfDescriptors { throw .noEncoderNow }
            throw Problem(
                .internalError,
                "The folder that the server keeps for this token's writers can't be used. Its operator has to put that right; the server's log says why.")
        }
    }

    /// Says of an error in starting an encoder what its client may know.
    func reporting<R>(_ writer: WriterID, _ start: () throws(SystemError) -> R) throws(Problem) -> R {
        do throws(SystemError) {
            return try start()
        } catch {
            log.error("an encoder can't be started", metadata: ["writer": "\(writer.key)", "error": "\(error)"])
            if error.isOutOfSpace { throw Problem(.noSpace, "There is no space to keep a writer's record.") }
            // An error names places of the server's.
            throw .noEncoderNow
        }
    }
}
