import SystemIO
import WriterModel

/// What the operator decides.
public struct GatewayConfiguration: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes a free port, which is here once the gateway listens.
    public var port: UInt16 = 8_080
    /// Where HAProxy's agent-check is told the server's weight; nil: nowhere.
    public var agentPort: UInt16?
    /// Ids that are made here begin with it; nil: this is the only server.
    public var node: NodeName?
    /// The other nodes, with a node's name: their writers are listed here, too.
    public var peers: [PeerPlace] = []
    /// Relative destinations lie under here.
    public var outputDirectory = "output"
    /// Records and managed outputs lie under here.
    public var stateDirectory = "state"
    /// Bearer tokens, one a line; nil: no token is asked for.
    public var tokenFile: String?
    public var limits = ServiceLimits()
    /// Destinations beyond the output directory.
    public var policy = OutputPolicy()
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

    public init(encoderExecutable: String, encoderArguments: [String], version: String) {
        self.encoderExecutable = encoderExecutable
        self.encoderArguments = encoderArguments
        self.version = version
    }
}
