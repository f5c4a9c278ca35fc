/// What a new encoder, or carrier, is told before anything else.
public struct EncoderStart: Sendable, Equatable {
    /// What the process is for.
    public enum Role: String, Sendable, Equatable {
        case writer
        /// One `POST /v1/encode`.
        case encode
        /// Questions about what libav can do.
        case catalog
        /// Writes one output for a writer's encoder.
        case carrier
        /// Sends what is kept of an output.
        case retry
    }

    public var role: Role
    public var writer: WriterID
    public var createdAt: Timestamp
    /// The Idempotency-Key of the request that makes the writer.
    public var idempotencyKey: String?
    /// The writer's own folder under the state directory: managed output and record.
    public var folder: String
    /// Where relative destinations lie.
    public var outputDirectory: String
    /// Of the writer's owner: that folder's place below the server's output directory; nil: it is that itself.
    public var ownersFolder: String?
    /// Places below `outputDirectory` that belong to other names.
    public var othersFolders: [String]
    public var limits: ServiceLimits
    public var policy: OutputPolicy
    /// Where its end may be told.
    public var callbacks: CallbackPolicy
    /// Where the server itself listens: no destinations.
    public var serverPorts: [UInt16]
    /// Nothing is done where the kernel has no sandbox.
    public var requiresSandbox: Bool
    /// Finished outputs are read back, unless their writers say otherwise.
    public var verifiesOutputs: Bool
    /// Penstock's own.
    public var version: String
    /// One line for each request.
    public var logsRequests: Bool
    /// The least level that is logged, by swift-log's name; nil: as the process was started.
    public var logLevel: String?
    /// Requests need a token; which ones pass is told by a message of its own.
    public var asksForTokens: Bool
    /// Those that the writer may write to, with their keys: a carrier's alone.
    public var stores: [StoreSettings] = []
    /// Of authorities that uploads trust besides the system's: likewise.
    public var caFile: String?
    /// What is to be sent, of the role of that name.
    public var retry: RetryOrder?

    public init(
        role: Role, writer: WriterID, createdAt: Timestamp, idempotencyKey: String? = nil, folder: String, outputDirectory: String,
        ownersFolder: String? = nil, othersFolders: [String] = [], limits: ServiceLimits, policy: OutputPolicy, callbacks: CallbackPolicy = CallbackPolicy(), serverPorts: [UInt16], requiresSandbox: Bool = false,
        verifiesOutputs: Bool = true, version: String,
        logsRequests: Bool, logLevel: String? = nil, asksForTokens: Bool
    ) {
        self.role = role
        self.writer = writer
        self.createdAt = createdAt
        self.idempotencyKey = idempotencyKey
        self.folder = folder
        self.outputDirectory = outputDirectory
        self.ownersFolder = ownersFolder
        self.othersFolders = othersFolders
        self.limits = limits
        self.policy = policy
        self.callbacks = callbacks
        self.serverPorts = serverPorts
        self.requiresSandbox = requiresSandbox
        self.verifiesOutputs = verifiesOutputs
        self.version = version
        self.logsRequests = logsRequests
        self.logLevel = logLevel
        self.asksForTokens = asksForTokens
    }

    /// The same for a carrier of the writer that this is of, which gets the store that it writes to, if the writer may.
    public func ofCarrier(_ stores: [StoreSettings], to store: String?, caFile: String?) -> EncoderStart {
        var settings = self
        (settings.role, settings.caFile) = (.carrier, caFile)
        settings.stores = stores.filter { known in store.map { known.name.isSame(as: $0) } ?? false && policy.allows(store: known.name) }
        return settings
    }

    /// The same for the process that sends what is kept of an output.
    public func ofRetry(_ order: RetryOrder, _ stores: [StoreSettings], caFile: String?) -> EncoderStart {
        let store = URLParts(order.destination).flatMap { $0.isOfStore ? String($0.authorityWithoutUser) : nil }
        var settings = ofCarrier(stores, to: store, caFile: caFile)
        (settings.role, settings.retry) = (.retry, order)
        return settings
    }

    /// A path in `outputDirectory`, from the server's output directory on.
    public func pathInOutputs(_ path: String) -> String { ownersFolder.map { "\($0)/\(path)" } ?? path }

    var json: JSONValue {
        [
            "role": .string(role.rawValue),
            "writer": .string(writer.key),
            "created_at": .string(createdAt.description),
            "idempotency_key": idempotencyKey.map { .string($0) } ?? .null,
            "folder": .string(folder),
            "output_directory": .string(outputDirectory),
            "owners_folder": ownersFolder.map { .string($0) } ?? .null,
            "others_folders": .array(othersFolders.map { .string($0) }),
            "limits": limits.json,
            "policy": policy.json,
            "callbacks": callbacks.json,
            "server_ports": .array(serverPorts.map { .integer(Int64($0)) }),
            "requires_sandbox": .bool(requiresSandbox),
            "verifies_outputs": .bool(verifiesOutputs),
            "version": .string(version),
            "logs_requests": .bool(logsRequests),
            "log_level": logLevel.map { .string($0) } ?? .null,
            "asks_for_tokens": .bool(asksForTokens),
            "stores": .array(stores.map(\.json)),
            "ca_file": caFile.map { .string($0) } ?? .null,
            "retry": retry?.json ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue,
            let role = object["role"]?.stringValue.flatMap(Role.init(rawValue:)),
            let writer = object["writer"]?.stringValue.flatMap(WriterID.init(key:)),
            let createdAt = object["created_at"]?.stringValue.flatMap(Timestamp.init),
            let folder = object["folder"]?.stringValue,
            let outputDirectory = object["output_directory"]?.stringValue,
            let othersFolders = object["others_folders"]?.arrayValue,
            let limits = object["limits"].flatMap(ServiceLimits.init(json:)),
            let policy = object["policy"].flatMap(OutputPolicy.init(json:)),
            let callbacks = object["callbacks"].flatMap(CallbackPolicy.init(json:)),
            let serverPorts = object["server_ports"]?.arrayValue?.map({ $0.integerValue.flatMap { UInt16(exactly: $0) } }),
            !serverPorts.contains(nil),
            let version = object["version"]?.stringValue,
            case .bool(let asksForTokens)? = object["asks_for_tokens"],
            let stores = object["stores"]?.arrayValue?.map(StoreSettings.init(json:)), !stores.contains(nil)
        else { return nil }
        self.init(
            role: role, writer: writer, createdAt: createdAt,
            idempotencyKey: object["idempotency_key"]?.stringValue, folder: folder, outputDirectory: outputDirectory,
            ownersFolder: object["owners_folder"]?.stringValue, othersFolders: othersFolders.compactMap(\.stringValue),
            limits: limits, policy: policy, callbacks: callbacks, serverPorts: serverPorts.compactMap { $0 },
            requiresSandbox: object["requires_sandbox"] != .bool(false),
            verifiesOutputs: object["verifies_outputs"] != .bool(false), version: version,
            logsRequests: object["logs_requests"] == .bool(true), logLevel: object["log_level"]?.stringValue, asksForTokens: asksForTokens)
        self.stores = stores.compactMap { $0 }
        caFile = object["ca_file"]?.stringValue
        retry = object["retry"].flatMap(RetryOrder.init(json:))
    }
}
