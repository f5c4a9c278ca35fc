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
            PENSTOCK_OUTPUT_DIR and --no-auth as PENSTOCK_NO_AUTH=1, or in a file of YAML \
            (--config): output-dir: media. The command line wins, then the environment. \
            'penstock config' checks them and prints what is in force.

            SIGTERM ends the server well: uploads in flight end, every open writer is \
            finalized, the exit code is 0. SIGHUP reads the file and the tokens again. SIGUSR1 drains \
            the server: /readyz says 503, and nothing else changes ('penstock drain').
            """)

    @OptionGroup var options: ServeOptions

    func run() throws {
        // The gateway takes them once it is there; until then they would end the process.
        Signal.block([Signal.hangUp, Signal.userDefined1])
        let source = options.source()
        let effective = source.read()
        if effective.flaws.hasErrors {
            throw ValidationError(effective.flaws.filter { $0.severity == .error }.inOrder.map(\.sentence).joined(separator: "\n"))
        }
        let settings = effective.settings
        let threshold = LogThreshold(settings.logLevel)
        let log = ProcessLog.make(format: settings.logFormat, threshold: threshold, label: "penstock")
        Self.tell(of: effective, log)
        let configuration = try Self.configuration(settings)
        do throws(Gateway.StartFailure) {
            let gateway = try Gateway(
                configuration, allowOpen: settings.servesWithoutTokens, reread: Self.reread(source, effective, configuration, threshold, log), log: log)
            for address in gateway.addresses {
                let shown = address.isLocal ? "\(address)" : "http://\(address)"
                log.info("listening on \(shown)", metadata: ["address": "\(shown)"])
            }
            gateway.run()
            log.info("ended")
        } catch {
            log.critical("the server can't start: \(error.description)")
            throw ExitCode(1)
        }
    }

    private static func tell(of effective: EffectiveSettings, _ log: Logger) {
        for flaw in effective.flaws { log.warning("\(flaw.sentence)") }
        let ignored = effective.environment.ofServices
        if ignored.isEmpty { return }
        log.info("variables that Kubernetes sets for a service are no settings", metadata: ["variables": "\(ignored.joined(separator: " "))"])
    }

    /// nil: only a file says something else when it is read again.
    private static func reread(
        _ source: SettingsSource, _ running: EffectiveSettings, _ configuration: GatewayConfiguration, _ threshold: LogThreshold, _ log: Logger
    ) -> (@Sendable () -> RereadConfiguration?)? {
        if source.path == nil { return nil }
        let reload = SettingsReload(source, running: running, threshold: threshold, log: log)
        return { @Sendable in
            reload.read().map { read in
                var configuration = configuration
                apply(read.settings, to: &configuration)
                return RereadConfiguration(configuration, onceInForce: read.onceInForce)
            }
        }
    }

    private static func configuration(_ settings: Settings) throws -> GatewayConfiguration {
        var configuration = GatewayConfiguration(
            encoderExecutable: try encoderExecutable(),
            encoderArguments: ["--fork-server", "--rehearsal-folder=\(try absolute(settings.stateDirectory))"]
                + ProcessLog.arguments(format: settings.logFormat, level: settings.logLevel),
            version: Penstock.version)
        configuration.places = settings.places
        configuration.agentHost = settings.host
        configuration.agentPort = settings.agentPort
        configuration.node = settings.node
        configuration.peers = settings.peers
        configuration.outputDirectory = try absolute(settings.outputDirectory)
        configuration.stateDirectory = try absolute(settings.stateDirectory)
        configuration.outputMode = settings.outputMode
        configuration.caFile = try settings.caFile.map { path in try absolute(path) }
        configuration.requiresSandbox = settings.requiresSandbox
        configuration.user = settings.user
        apply(settings, to: &configuration)
        return configuration
    }

    /// Those that may change while the server runs, and those that the gateway does not take again.
    private static func apply(_ settings: Settings, to configuration: inout GatewayConfiguration) {
        configuration.tokens = settings.tokenFile.map { .file($0) } ?? settings.tokens.map { .configured($0) } ?? .none
        configuration.protectsOperations = settings.protectsOperations
        configuration.logsRequests = settings.logsRequests
        configuration.logLevel = settings.logLevel
        configuration.policy = OutputPolicy(
            patterns: settings.outputPatterns, allowsDevices: settings.allowsDevices, stores: settings.stores.map(\.name))
        configuration.stores = settings.stores
        configuration.webhooks = settings.webhooks
        configuration.limits = settings.limits
        configuration.verifiesOutputs = !settings.leavesOutputsUnverified
    }

    static var encoderPath: String { (ChildProcess.executablePath.cutAtLast("/")?.before ?? ".") + "/penstock-encoder" }

    /// The fork server lies beside this executable.
    private static func encoderExecutable() throws -> String {
        let path = encoderPath
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
