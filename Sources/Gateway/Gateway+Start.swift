import Logging
import SystemIO
import Threading
import WriterModel

// What a gateway does to its own process before it serves: while that has one thread.
extension Gateway {
    static func tokens(_ configuration: GatewayConfiguration) throws(StartFailure) -> Tokens {
        do throws(TokenFile.Unusable) {
            return try Tokens(configuration.tokens)
        } catch {
            throw .tokens(error.description)
        }
    }

    /// Read once, so that a server whose webhooks nobody could trust does not start.
    static func webhookSecrets(_ configuration: GatewayConfiguration) throws(StartFailure) -> WebhookSecretFile? {
        guard let path = configuration.webhooks.secretFile else { return nil }
        let file = WebhookSecretFile(path: path)
        do throws(WebhookSecretFile.Unusable) {
            _ = try file.read()
        } catch {
            throw .webhookSecrets(error.description)
        }
        return file
    }

    /// Looked at once, so that a server whose uploads nobody would trust does not start.
    static func checkAuthorities(_ configuration: GatewayConfiguration) throws(StartFailure) {
        if let flaw = configuration.caFile.flatMap(AuthorityFile.flaw) { throw .authorities(flaw) }
    }

    static func listeners(_ configuration: GatewayConfiguration) throws(StartFailure) -> [Listener] {
        var listeners: [Listener] = []
        // Who is not root and names another user is refused later, by name.
        let owner = Privileges.isRoot ? configuration.user : nil
        for place in configuration.places {
            do throws(LocalSocketFailure) {
                listeners.append(try (owner.map(place.owned(by:)) ?? place).listen())
            } catch {
                throw .socket(error)
            }
        }
        return listeners
    }

    static func sandbox(_ configuration: GatewayConfiguration) throws(StartFailure) -> SandboxReport {
        let sandbox = SandboxReport.probe()
        if configuration.requiresSandbox && !sandbox.missingEssentials.isEmpty {
            throw .noSandbox(missing: sandbox.missingEssentials)
        }
        return sandbox
    }

    /// Also makes this process the parent of encoders whose fork server dies.
    static func signals() throws(SystemError) -> SignalSource {
        let signals = try SignalSource([Signal.interrupt, Signal.terminate, Signal.childEnded, Signal.hangUp, Signal.userDefined1])
        Signal.ignore([Signal.brokenPipe])
        ChildProcess.becomeSubreaper()
        return signals
    }

    /// nil without a listener: no agent is asked for.
    static func loadAgent(
        _ listener: Listener?, of switchboard: Switchboard, _ registry: Registry, _ configuration: CurrentConfiguration, _ loop: EventLoop, _ log: Logger
    ) throws(SystemError) -> LoadAgent? {
        guard let listener else { return nil }
        log.info("agent-check is told the server's weight", metadata: ["agent": "\(listener.address)"])
        return try LoadAgent(listener, loop: loop) {
            switchboard.wantsNewWork ? ServerWeight.now(live: registry.liveCount, configuration.limits) : 0
        }
    }

    private static let stateLockName = "lock"

    /// What a server that is to start would be told, where another runs on the state directory. nil: none does, or
    /// this user can't tell.
    public static func refusal(ofStateDirectory path: String) -> StartFailure? {
        guard File.isThere(path), let folder = try? Directory(path: path), FileLock.isHeld(stateLockName, in: folder) else { return nil }
        return .stateDirectoryInUse(path, by: FileLock.holder(of: stateLockName, in: folder).flatMap(StateHolder.init))
    }

    /// The lock ends with this process, however it ends.
    static func lockState(_ configuration: GatewayConfiguration, _ addresses: [SocketAddress]) throws(StartFailure) -> FileLock {
        let lock: FileLock?
        let holder: StateHolder?
        do throws(SystemError) {
            let folder = try Directory(path: configuration.stateDirectory)
            lock = try Self.lock(stateLockName, in: folder)
            holder = lock == nil ? FileLock.holder(of: stateLockName, in: folder).flatMap(StateHolder.init) : nil
        } catch {
            throw .system(error)
        }
        guard let lock else { throw .stateDirectoryInUse(configuration.stateDirectory, by: holder) }
        lock.write(StateHolder.own(node: configuration.node, addresses: addresses).text)
        return lock
    }

    /// A child of a server that was just killed has the lock, too, until it runs its own program: that is waited for.
    private static func lock(_ name: String, in folder: Directory) throws(SystemError) -> FileLock? {
        let deadline = Deadline.after(.seconds(2))
        while true {
            if let lock = try FileLock(name, in: folder) { return lock }
            if deadline.hasPassed { return nil }
            SystemThread.sleep(.milliseconds(20))
        }
    }

    /// Before a folder is made or opened, and before the fork server starts.
    static func becomeUser(_ configuration: GatewayConfiguration, _ log: Logger) throws(StartFailure) {
        if let user = configuration.user {
            if !user.isCurrent && !Privileges.isRoot { throw .notRoot(user) }
            do throws(SystemError) {
                try Privileges.become(user)
            } catch {
                throw .system(error)
            }
        } else if Privileges.isRoot {
            log.warning("running as root: --user names a user to go on as once the port is bound")
        }
        let user = configuration.user?.description ?? "uid \(Privileges.userNumber)"
        for path in [configuration.stateDirectory, configuration.stateDirectory + "/writers", configuration.outputDirectory]
        where File.isThere(path) && !Directory.isWritable(path) {
            throw .folderOfOthers(path, user: user)
        }
    }

    /// What the gateway deletes and writes lies in its two folders, whatever a record names; so does what its
    /// encoders do, within what their own sandboxes leave them. With one thread, before the fork server starts.
    static func confine(_ configuration: GatewayConfiguration, _ log: Logger) throws(SystemError) {
        var places: [SandboxRules.Place] = [
            .path(configuration.stateDirectory, .change), .path(configuration.outputDirectory, .change),
            .path("/dev", .writeFiles),
        ]
        for case .local(let place) in configuration.places { places.append(.path(place.folder, .removeFiles)) }
        // Sound servers share memory there.
        if configuration.policy.allowsDevices { places.append(.path("/dev/shm", .change)) }
        do throws(SystemError) {
            try Sandbox.confineChanges(to: places)
        } catch {
            if configuration.requiresSandbox { throw error }
            log.error("the gateway itself goes on unconfined", metadata: ["error": "\(error)"])
        }
    }

    static func tell(of sandbox: SandboxReport, _ log: Logger) {
        let parts: Logger.Metadata = [
            "landlock_abi": "\(sandbox.landlockABI)", "seccomp": "\(sandbox.filtersSystemCalls)",
        ]
        if sandbox.missing.isEmpty {
            log.info("every encoder runs in a sandbox", metadata: parts)
        } else {
            log.warning(
                "the encoders' sandbox lacks: \(sandbox.missing.joined(separator: "; "))", metadata: parts)
        }
    }

    /// As many as are wanted, with descriptors left for writers and files.
    static func connections(_ limits: ServiceLimits, _ log: Logger) -> Int {
        let possible = max(16, ProcessLimits.descriptors * 5 / 8)
        if limits.maxConnections > possible {
            log.warning(
                "fewer connections than --max-connections: the limit of open files (ulimit -n) is low",
                metadata: ["connections": "\(possible)", "files": "\(ProcessLimits.descriptors)"])
        }
        return min(limits.maxConnections, possible)
    }

    /// Each takes two descriptors: an eighth of those that connections leave to encoders and files.
    static func recordReaders(_ limits: ServiceLimits) -> Int {
        min(64, max(1, (ProcessLimits.descriptors - limits.maxConnections) / 16))
    }
}
