import Gateway
import Logging
import ServiceLog
import SystemIO
import WriterModel

/// All that an operator can tell `penstock serve`, with the defaults; `Setting.all` says what each is.
struct Settings: Sendable {
    var host = "127.0.0.1"
    /// nil: there is `listen` alone.
    var port: UInt16? = 8_080
    var listen: [ListenPlace] = []
    /// Host and port are listened on besides `listen`.
    var listensOnHost = true
    var agentPort: UInt16?
    var node: NodeName?
    var peers: [PeerPlace] = []
    var outputDirectory = "output"
    var stateDirectory = "state"
    var folders: [(setting: String, path: String)] { [("output-dir", outputDirectory), ("state-dir", stateDirectory)] }
    var outputMode: OutputMode?
    var tokenFile: String?
    /// Of the configuration file.
    var tokens: TokenLines?
    var protectsOperations = false
    var outputPatterns: [String] = []
    var webhooks = WebhookConfiguration()
    var caFile: String?
    var allowsDevices = false
    var stores: [StoreSettings] = []
    var requiresSandbox = false
    var leavesOutputsUnverified = false
    var user: ProcessUser?
    var servesWithoutTokens = false
    var limits = ServiceLimits()
    var logFormat = LineLogHandler.Format.text
    var logsRequests = true
    var logLevel = Logger.Level.info

    var asksForTokens: Bool { tokenFile != nil || tokens != nil }

    /// Where the server listens.
    var places: [ListenPlace] {
        guard listensOnHost, let port else { return listen }
        return [.tcp(host: host, port: port)] + listen
    }
}
