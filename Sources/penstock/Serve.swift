import ArgumentParser
import Bytewise
import Gateway
import Logging
import ServiceLog
import SystemIO
import WriterModel

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Every option can also be given as an environment variable, --output-dir as \
            PENSTOCK_OUTPUT_DIR and --no-auth as PENSTOCK_NO_AUTH=1, or in a file: \
            output-dir = media. The command line wins, then the environment.

            SIGTERM ends the server well: uploads in flight end, every open writer is \
            finalized, the exit code is 0. SIGUSR1 drains it: /readyz says 503, and nothing \
            else changes ('penstock drain').
            """)

    @OptionGroup var options: ServeOptions

    func run() throws {
        let settings = try options.effective().settings
        if settings.limits.maxLoad > 0 && CPUPressure.percent == nil {
            throw ValidationError("--max-load needs a kernel that has /proc/pressure/cpu; this one has not.")
        }
        if !settings.peers.isEmpty && settings.node == nil {
            throw ValidationError("--peers needs --node: each of several servers has a name.")
        }
        let log = ProcessLog.make(format: settings.logFormat, level: settings.logLevel, label: "penstock")
        let configuration = try Self.configuration(settings)
        do throws(Gateway.StartFailure) {
            let gateway = try Gateway(configuration, allowOpen: settings.servesWithoutTokens, log: log)
            log.info("listening on http://\(gateway.address)", metadata: ["address": "http://\(gateway.address)"])
            gateway.run()
            log.info("ended")
        } catch {
            log.critical("the server can't start: \(error.description)")
            throw ExitCode(1)
        }
    }

    private static func configuration(_ settings: Settings) throws -> GatewayConfiguration {
        var configuration = GatewayConfiguration(
            encoderExecutable: try encoderExecutable(),
            encoderArguments: ["--fork-server"] + ProcessLog.arguments(format: settings.logFormat, level: settings.logLevel),
            version: Penstock.version)
        configuration.host = settings.host
        configuration.port = settings.port
        configuration.agentPort = settings.agentPort
        configuration.node = settings.node
        configuration.peers = settings.peers
        configuration.outputDirectory = try absolute(settings.outputDirectory)
        configuration.stateDirectory = try absolute(settings.stateDirectory)
        configuration.tokenFile = settings.tokenFile
        configuration.protectsOperations = settings.protectsOperations
        configuration.logsRequests = settings.logsRequests
        configuration.policy = OutputPolicy(patterns: settings.outputPatterns, allowsDevices: settings.allowsDevices)
        configuration.limits = settings.limits
        configuration.requiresSandbox = settings.requiresSandbox
        configuration.verifiesOutputs = !settings.leavesOutputsUnverified
        configuration.user = settings.user
        return configuration
    }

    /// The fork server lies beside this executable.
    private static func encoderExecutable() throws -> String {
        let own = ChildProcess.executablePath
        let folder = own.cutAtLast("/")?.before ?? "."
        let path = folder + "/penstock-encoder"
        guard File.isExecutable(path) else {
            throw ValidationError("\(path) is missing: penstock-encoder must lie beside penstock.")
        }
        return path
    }

    private static func absolute(_ path: String) throws -> String {
        if path.begins(with: "/") { return path }
        guard let current = File.currentDirectory else {
            throw ValidationError("The current folder can't be found; give absolute paths.")
        }
        return current + "/" + path
    }
}
