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
            Every option can also be given as an environment variable: --output-dir as \
            PENSTOCK_OUTPUT_DIR, --no-auth as PENSTOCK_NO_AUTH=1. The command line wins.

            SIGTERM ends the server well: uploads in flight end, every open writer is \
            finalized, the exit code is 0.
            """)

    @OptionGroup(title: "Where") var place: PlaceOptions
    @OptionGroup(title: "Who may") var access: AccessOptions
    @OptionGroup(title: "Limits") var bounds: LimitOptions
    @OptionGroup(title: "Log") var logging: LogOptions

    func run() throws {
        let log = ProcessLog.make(format: logging.logFormat, level: logging.logLevel, label: "penstock")
        var configuration = GatewayConfiguration(
            encoderExecutable: try Self.encoderExecutable(),
            encoderArguments: ["--fork-server"]
                + ProcessLog.arguments(format: logging.logFormat, level: logging.logLevel),
            version: Penstock.version)
        configuration.host = place.host
        configuration.port = place.port
        configuration.outputDirectory = try Self.absolute(place.outputDir)
        configuration.stateDirectory = try Self.absolute(place.stateDir)
        configuration.tokenFile = access.tokenFile ?? Environment["PENSTOCK_TOKEN_FILE"]
        configuration.protectsOperations = access.protectOperations
        configuration.logsRequests = logging.accessLog
        configuration.policy = try access.policy()
        configuration.limits = try bounds.limits()
        configuration.requiresSandbox = access.requireSandbox
        configuration.user = try access.processUser()
        do throws(Gateway.StartFailure) {
            let gateway = try Gateway(configuration, allowOpen: access.noAuth, log: log)
            log.info("listening on http://\(gateway.address)", metadata: ["address": "http://\(gateway.address)"])
            gateway.run()
            log.info("ended")
        } catch {
            log.critical("the server can't start: \(error.description)")
            throw ExitCode(1)
        }
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
