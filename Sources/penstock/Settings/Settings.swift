import Bytewise
import Logging
import ServiceLog
import SystemIO
import WriterModel

/// All that an operator can tell `penstock serve`, with the defaults; `Setting.all` says what each is.
struct Settings: Sendable {
    var host = "127.0.0.1"
    var port: UInt16 = 8_080
    var agentPort: UInt16?
    var node: NodeName?
    var peers: [PeerPlace] = []
    var outputDirectory = "output"
    var stateDirectory = "state"
    var tokenFile: String?
    var protectsOperations = false
    var outputPatterns: [String] = []
    var allowsDevices = false
    var requiresSandbox = false
    var leavesOutputsUnverified = false
    var user: ProcessUser?
    var servesWithoutTokens = false
    var limits = ServiceLimits()
    var logFormat = LineLogHandler.Format.text
    var logsRequests = true
    var logLevel = Logger.Level.info
}
