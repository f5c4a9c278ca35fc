import ArgumentParser
import Bytewise
import Logging
import ServiceLog
import SystemIO
import WriterModel

/// A default that the environment may change: PENSTOCK_OUTPUT_DIR for --output-dir.
private func fromEnvironment<T>(_ name: String, _ fallback: T, _ convert: (String) -> T?) -> T {
    guard let text = Environment["PENSTOCK_" + name] else { return fallback }
    guard let value = convert(text) else {
        StandardError.write(Array("penstock: PENSTOCK_\(name)=\(text) can't be used.\n".utf8))
        ChildProcess.exit(64)
    }
    return value
}

struct PlaceOptions: ParsableArguments {
    @Option(help: "The address to listen on.")
    var host = fromEnvironment("HOST", "127.0.0.1") { $0 }

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port: UInt16 = fromEnvironment("PORT", 8_080, UInt16.init)

    @Option(help: "Where relative destinations (dst) lie.")
    var outputDir = fromEnvironment("OUTPUT_DIR", "output") { $0 }

    @Option(help: "Where records and managed outputs lie.")
    var stateDir = fromEnvironment("STATE_DIR", "state") { $0 }
}

struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file of bearer tokens, one a line. It is read again when it changes, and on SIGHUP.",
            discussion: """
                Behind a token: 'read', or any of name=N scope=read|write|admin folder=PATH max-writers=N \
                max-output-bytes=N allow-output=PATTERN. A token with a name has writers of its own.
                """))
    var tokenFile: String?

    @Flag(help: "Ask for a token at /livez, /readyz, /metrics and /openapi.yaml too.")
    var protectOperations = fromEnvironment("PROTECT_OPERATIONS", false) { ["1", "true", "yes"].contains($0.lowercasedASCII) }

    @Option(
        help: ArgumentHelp(
            "A destination URL that writers may use, with * for any text: 'rtmp://*.example.com/*'. Repeatable.",
            discussion: "Without it, writers write files only. In the environment: several, separated by spaces.",
            valueName: "pattern"))
    var allowOutput: [String] = fromEnvironment("ALLOW_OUTPUT", []) { $0.parts(at: " ", omittingEmpty: true) }

    @Flag(help: "Let writers use output devices (sdl, alsa, …).")
    var allowDevices = fromEnvironment("ALLOW_DEVICES", false) { ["1", "true", "yes"].contains($0.lowercasedASCII) }

    @Flag(help: "Refuse to start where encoders would run without Landlock or seccomp.")
    var requireSandbox = fromEnvironment("REQUIRE_SANDBOX", false) { ["1", "true", "yes"].contains($0.lowercasedASCII) }

    @Option(
        help: ArgumentHelp(
            "Started by root: the user, and group, to go on as once the port is bound.", valueName: "name[:group]"))
    var user: String?

    @Flag(help: "Listen beyond loopback although there is no token file.")
    var noAuth = fromEnvironment("NO_AUTH", false) { ["1", "true", "yes"].contains($0.lowercasedASCII) }
}

extension AccessOptions {
    func processUser() throws -> ProcessUser? {
        guard let user = user ?? Environment["PENSTOCK_USER"] else { return nil }
        do throws(ProcessUser.Unknown) {
            return try ProcessUser(user)
        } catch {
            throw ValidationError("--user \(user): \(error.description)")
        }
    }

    func policy() throws -> OutputPolicy {
        for pattern in allowOutput {
            if let flaw = OutputPolicy.flaw(ofPattern: pattern) {
                throw ValidationError("--allow-output \(pattern) \(flaw).")
            }
        }
        return OutputPolicy(patterns: allowOutput, allowsDevices: allowDevices)
    }
}

struct LimitOptions: ParsableArguments {
    private static let defaults = ServiceLimits()

    @Option(help: "Live writers. Each is a process.")
    var maxWriters = fromEnvironment("MAX_WRITERS", defaults.maxWriters, Int.init)

    @Option(
        help: "Connections in all. One token uses three quarters of them at writers at most, and one address seven eighths.")
    var maxConnections = fromEnvironment("MAX_CONNECTIONS", defaults.maxConnections, Int.init)

    @Option(help: "Connections of one client address; 0 for no such limit, as behind a proxy.")
    var maxConnectionsPerAddress = fromEnvironment(
        "MAX_CONNECTIONS_PER_ADDRESS", defaults.maxConnectionsPerAddress, Int.init)

    @Option(help: "Bytes of a JSON body.")
    var maxJsonBytes = fromEnvironment("MAX_JSON_BYTES", defaults.maxJSONBytes, Int.init)

    @Option(help: "Bytes of a request head.")
    var maxHeadBytes = fromEnvironment("MAX_HEAD_BYTES", defaults.maxHeadBytes, Int.init)

    @Option(help: "Threads that serve requests, of the gateway and of each writer.")
    var handlerThreads = fromEnvironment("HANDLER_THREADS", defaults.handlerThreads, Int.init)

    @Option(help: "Seconds a connection may stay without a request.")
    var idleConnectionTimeout = fromEnvironment("IDLE_CONNECTION_TIMEOUT", defaults.idleConnectionTimeout, Double.init)

    @Option(help: "Seconds from a request's first byte to the end of its head.")
    var headTimeout = fromEnvironment("HEAD_TIMEOUT", defaults.headTimeout, Double.init)

    @Option(help: "Seconds a body may go without a byte.")
    var bodyTimeout = fromEnvironment("BODY_TIMEOUT", defaults.bodyTimeout, Double.init)

    @Option(help: "Seconds a client may go without taking a byte of its answer.")
    var responseTimeout = fromEnvironment("RESPONSE_TIMEOUT", defaults.responseTimeout, Double.init)

    @Option(help: "Seconds that uploads in flight may go on after SIGTERM.")
    var shutdownGrace = fromEnvironment("SHUTDOWN_GRACE", defaults.shutdownGrace, Double.init)

    @Option(help: "Seconds a writer may go without a request before it is finalized; 0 for ever.")
    var idleTimeout = fromEnvironment("IDLE_TIMEOUT", defaults.idleTimeout, Double.init)

    @Option(help: "Bytes of memory an encoder may allocate; 0 for no bound.")
    var maxEncoderMemory = fromEnvironment("MAX_ENCODER_MEMORY", defaults.maxEncoderMemory, Int.init)

    @Option(help: "Bytes of one output file; 0 for no bound. It bounds an encoder's log too, where that is a file.")
    var maxOutputBytes = fromEnvironment("MAX_OUTPUT_BYTES", defaults.maxOutputBytes, Int.init)

    @Option(help: "Seconds a writer may live before it is finalized; 0 for ever.")
    var maxRunTime = fromEnvironment("MAX_RUN_TIME", defaults.maxRunTime, Double.init)

    @Option(help: "Pixels of a picture, wherever in a writer.")
    var maxPixels = fromEnvironment("MAX_PIXELS", defaults.maxPixels, Int.init)

    @Option(help: "Channels of an audio stream, wherever in a writer.")
    var maxChannels = fromEnvironment("MAX_CHANNELS", defaults.maxChannels, Int.init)

    @Option(help: "Streams of a writer.")
    var maxStreams = fromEnvironment("MAX_STREAMS", defaults.maxStreams, Int.init)

    @Option(help: "Threads of one encoder or filter; 0 for 16, or one for each processor if there are more.")
    var maxThreads = fromEnvironment("MAX_THREADS", defaults.maxThreads, Int.init)

    @Option(help: "Seconds that one call of a filter or an encoder may take; 0 for ever.")
    var callTimeout = fromEnvironment("CALL_TIMEOUT", defaults.callTimeout, Double.init)

    @Option(help: "Seconds that an encoder process may leave pings unanswered; 0 for ever.")
    var encoderTimeout = fromEnvironment("ENCODER_TIMEOUT", defaults.encoderTimeout, Double.init)

    @Option(
        help: "No new writer while something waits for a processor in more than so many percent of the time (0 to 100); 0 for no such limit.")
    var maxLoad = fromEnvironment("MAX_LOAD", defaults.maxLoad, Double.init)

    func limits() throws -> ServiceLimits {
        var limits = ServiceLimits()
        limits.maxWriters = try Self.check("--max-writers", maxWriters, in: 1...1_000_000)
        limits.maxConnections = try Self.check("--max-connections", maxConnections, in: 1...1_000_000)
        limits.maxConnectionsPerAddress = try Self.check(
            "--max-connections-per-address", maxConnectionsPerAddress, in: 0...1_000_000)
        limits.idleTimeout = try Self.check("--idle-timeout", idleTimeout, in: 0...1_000_000_000)
        limits.maxJSONBytes = try Self.check(
            "--max-json-bytes", maxJsonBytes, in: 256...ServiceLimits.largestMessagePart)
        limits.maxHeadBytes = try Self.check(
            "--max-head-bytes", maxHeadBytes, in: 1_024...ServiceLimits.largestMessagePart)
        limits.handlerThreads = try Self.check("--handler-threads", handlerThreads, in: 2...10_000)
        let times = 0.001...1_000_000.0
        limits.idleConnectionTimeout = try Self.check("--idle-connection-timeout", idleConnectionTimeout, in: times)
        limits.headTimeout = try Self.check("--head-timeout", headTimeout, in: times)
        limits.bodyTimeout = try Self.check("--body-timeout", bodyTimeout, in: times)
        limits.responseTimeout = try Self.check("--response-timeout", responseTimeout, in: times)
        limits.maxEncoderMemory = try Self.checkOrNone("--max-encoder-memory", maxEncoderMemory, atLeast: 64 << 20)
        limits.maxOutputBytes = try Self.checkOrNone("--max-output-bytes", maxOutputBytes, atLeast: 1 << 20)
        limits.shutdownGrace = try Self.check("--shutdown-grace", shutdownGrace, in: 0...1_000_000)
        try addCosts(to: &limits)
        return limits
    }

    /// Below `least` an encoder can't keep its record, or start at all.
    private static func checkOrNone(_ name: String, _ value: Int, atLeast least: Int) throws -> Int {
        guard value == 0 || value >= least else {
            throw ValidationError("\(name) is \(value) and must be 0, for no bound, or at least \(least).")
        }
        return value
    }

    /// What a writer may cost.
    private func addCosts(to limits: inout ServiceLimits) throws {
        limits.maxRunTime = try Self.check("--max-run-time", maxRunTime, in: 0...1_000_000_000)
        limits.maxPixels = try Self.check("--max-pixels", maxPixels, in: 1...ServiceLimits.mostPixels)
        limits.maxChannels = try Self.check("--max-channels", maxChannels, in: 1...ServiceLimits.mostChannels)
        limits.maxStreams = try Self.check("--max-streams", maxStreams, in: 1...ServiceLimits.mostStreams)
        limits.maxThreads = try Self.check("--max-threads", maxThreads, in: 0...1_024)
        limits.callTimeout = try Self.check("--call-timeout", callTimeout, in: 0...1_000_000)
        limits.encoderTimeout = try Self.check("--encoder-timeout", encoderTimeout, in: 0...1_000_000)
        limits.maxLoad = try Self.check("--max-load", maxLoad, in: 0...100)
        if limits.maxLoad > 0 && CPUPressure.percent == nil {
            throw ValidationError("--max-load needs a kernel that has /proc/pressure/cpu; this one has not.")
        }
    }

    private static func check<T: Comparable>(_ name: String, _ value: T, in range: ClosedRange<T>) throws -> T {
        guard range.contains(value) else {
            throw ValidationError("\(name) is \(value) and must be from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }
}

struct LogOptions: ParsableArguments {
    @Option(help: "One line an event, as text or as JSON.")
    var logFormat: LineLogHandler.Format = fromEnvironment("LOG_FORMAT", .text) { LineLogHandler.Format(rawValue: $0) }

    @Flag(inversion: .prefixedNo, help: "One line for each request.")
    var accessLog = fromEnvironment("ACCESS_LOG", true) { ["1", "true", "yes"].contains($0.lowercasedASCII) }

    @Option(help: "The least of the levels that are logged.")
    var logLevel: Logger.Level = fromEnvironment("LOG_LEVEL", .info) { Logger.Level(rawValue: $0) }
}

extension LineLogHandler.Format: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
