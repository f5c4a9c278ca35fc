import Bytewise
import SystemIO
import WriterModel

/// What this process may reach besides its client: what libav reads of the system, its own folder (which a carrier has
/// not) and, until a writer's destination is known, what the operator lets writers write to. From then on, that
/// destination. Whatever the policy before it lets through ends here.
package struct Confinement: Sendable {
    /// What is left to a writer.
    package enum Reach: Sendable {
        /// Nothing but its own folder.
        case ownFolder
        /// One file that is there. `isRenamed`: it takes another name in its folder.
        case file(Directory, String, isRenamed: Bool)
        /// To remove files beneath a folder that a carrier makes them in.
        case carriedFolder(Directory)
        /// All beneath a folder of the output directory, and the folder of the ledger of what is made there.
        case folder(Directory, ledger: Directory)
        case url
        /// The folder of a file that is written before it is sent.
        case spool(Directory)
        case device
    }

    private let settings: EncoderStart
    /// The writer's own; nil for a process that has none.
    let folder: Directory?

    /// Opens the writer's own folder, which must be there unless the process has none.
    package init(_ settings: EncoderStart) throws(SystemError) {
        self.settings = settings
        switch settings.role {
        case .writer, .encode: folder = try Directory(path: settings.folder)
        case .catalog, .carrier, .retry: folder = nil
        }
    }

    /// In a process with one thread, before it takes anything from a client.
    func enter(keeping descriptors: [Int32]) throws(SystemError) {
        let own = folder.map { [$0.descriptor] } ?? []
        try Sandbox.enter(
            firstRules, settings.limits.processBounds, keeping: descriptors + own,
            isRequired: settings.requiresSandbox, narrowsLater: settings.role == .writer || settings.role == .carrier)
    }

    /// In all threads, before libav opens anything for a client. When it throws there is no writer. A writer has a
    /// reach for each of its outputs.
    func narrow(to reaches: [Reach]) throws(SystemError) { try Sandbox.narrow(to: rules(for: reaches)) }

    /// Until the destination is known.
    package var firstRules: SandboxRules {
        var rules = base
        switch settings.role {
        // One encoding ends in its own folder, and questions end nowhere.
        case .encode, .catalog: return rules
        // Its carriers have the network and the devices.
        case .writer:
            rules.places.append(.path(settings.outputDirectory, .change))
            return rules
        // What it sends is open, and where to is known.
        case .retry: return self.rules(for: [.url])
        // It may be told to write a folder, and what it makes there into a ledger.
        case .carrier: rules.places += [.path(settings.outputDirectory, .change), .path(settings.folder, .change)]
        }
        addNetwork(to: &rules)
        if settings.policy.allowsDevices {
            rules.places += SystemPlaces.outputDevices
            rules.sockets.insert(.local)
        }
        return rules
    }

    package func rules(for reaches: [Reach]) -> SandboxRules {
        var rules = base
        for reach in reaches { add(reach, to: &rules) }
        return rules
    }

    private func add(_ reach: Reach, to rules: inout SandboxRules) {
        switch reach {
        case .ownFolder: break
        case .file(let folder, let name, let isRenamed):
            rules.places.append(.beneath(folder, name, [.readFiles, .writeFiles]))
            rules.places.append(
                .beneath(folder, Self.parent(of: name), isRenamed ? [.makeFiles, .removeFiles] : .removeFiles))
        case .carriedFolder(let folder): rules.places.append(.beneath(folder, ".", .removeFiles))
        case .folder(let folder, let ledger): rules.places += [.beneath(folder, ".", .change), .beneath(ledger, ".", .change)]
        case .url:
            addNetwork(to: &rules)
        case .spool(let folder): rules.places.append(.beneath(folder, ".", .change))
        case .device:
            rules.places += SystemPlaces.outputDevices
            rules.sockets = .local
        }
    }

    /// What the operator's patterns take, and the stores that the process was given.
    private func addNetwork(to rules: inout SandboxRules) {
        let network = NetworkReach(settings.policy, endpoints: settings.stores.map(\.endpoint))
        (rules.tcpPorts, rules.sockets) = (network.tcpPorts, network.sockets)
        if !network.sockets.isDisjoint(with: [.tcp, .datagrams]) { rules.places += SystemPlaces.network }
        // The folder: the file is replaced by another one when its keys are.
        rules.places += settings.stores.compactMap(\.credentialsFile).map { .path(Self.folder(of: $0), .readFiles) }
    }

    private static func folder(of path: String) -> String { path.cutAtLast("/").map { $0.before.isEmpty ? "/" : $0.before } ?? "." }

    private var base: SandboxRules {
        var rules = SandboxRules(places: SystemPlaces.read)
        if let folder {
            rules.places.append(.beneath(folder, ".", .change))
            rules.places += SystemPlaces.hardwareEncoders
        }
        return rules
    }

    /// "." for what lies in the folder itself.
    static func parent(of path: String) -> String {
        (try? RelativePath(path))?.parent.text ?? "."
    }
}

extension ServiceLimits {
    /// Of an encoder: its connections, and with room to spare its own files, its muxer's and its codecs'.
    fileprivate var processBounds: ProcessBounds {
        ProcessBounds(
            memoryBytes: maxEncoderMemory == 0 ? nil : UInt64(maxEncoderMemory),
            fileBytes: maxOutputBytes == 0 ? nil : UInt64(maxOutputBytes), descriptors: maxConnections + 256)
    }
}
