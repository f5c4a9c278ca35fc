import Logging
import SystemIO
import WriterModel

/// A configuration that was read while the server runs, and what is to be done once it is in force.
public struct RereadConfiguration: Sendable {
    let configuration: GatewayConfiguration
    let onceInForce: @Sendable () -> Void

    public init(_ configuration: GatewayConfiguration, onceInForce: @escaping @Sendable () -> Void) {
        self.configuration = configuration
        self.onceInForce = onceInForce
    }
}

/// What the operator decides.
public struct GatewayConfiguration: Sendable {
    /// At least one; port 0 takes a free one.
    public var places: [ListenPlace] = [.tcp(host: "127.0.0.1", port: 8_080)]
    /// The ports of those, once the gateway listens.
    package var serverPorts: [UInt16] = []
    /// Where HAProxy's agent-check is told the server's weight; nil: nowhere.
    public var agentPort: UInt16?
    public var agentHost = "127.0.0.1"
    /// Ids that are made here begin with it; nil: this is the only server.
    public var node: NodeName?
    /// The other nodes, with a node's name: their writers are listed here, too.
    public var peers: [PeerPlace] = []
    /// Relative destinations lie under here.
    public var outputDirectory = "output"
    /// Records and managed outputs lie under here.
    public var stateDirectory = "state"
    /// nil: as the process's umask has it.
    public var outputMode: OutputMode?
    package var tokens = TokenSource.none
    public var limits = ServiceLimits()
    /// Destinations beyond the output directory.
    public var policy = OutputPolicy()
    /// Those whose names the policy has, with their keys.
    public var stores: [StoreSettings] = []
    public var webhooks = WebhookConfiguration()
    /// PEM certificates of authorities that uploads and webhooks trust besides the system's.
    public var caFile: String?
    /// The fork server, with the arguments that make it log as the gateway does.
    public var encoderExecutable: String
    public var encoderArguments: [String]
    public var version: String
    /// A token is asked for at /livez, /readyz, /metrics and /openapi.yaml too.
    public var protectsOperations = false
    /// The server does not start where encoders would run without Landlock or seccomp.
    public var requiresSandbox = false
    public var verifiesOutputs = true
    /// The user to become once the port is bound; nil: the process keeps its own.
    public var user: ProcessUser?
    /// One line for each request.
    public var logsRequests = true
    public var logLevel = Logger.Level.info

    public init(encoderExecutable: String, encoderArguments: [String], version: String) {
        self.encoderExecutable = encoderExecutable
        self.encoderArguments = encoderArguments
        self.version = version
    }

    /// What a running server takes of another configuration, besides its tokens.
    func reloading(_ other: GatewayConfiguration) -> GatewayConfiguration {
        var configuration = self
        configuration.limits = limits.reloading(other.limits)
        configuration.policy = OutputPolicy(
            patterns: other.policy.patterns, allowsDevices: policy.allowsDevices, stores: other.policy.stores)
        configuration.stores = other.stores
        configuration.webhooks = webhooks.reloading(other.webhooks)
        configuration.protectsOperations = other.protectsOperations
        configuration.verifiesOutputs = other.verifiesOutputs
        configuration.logsRequests = other.logsRequests
        configuration.logLevel = other.logLevel
        return configuration
    }
}
