import APICore
import HTTP1
import HTTPServer
import StreamWriter
import SystemIO
import Threading
import WriterModel

/// Answers what libav, as it is installed here, can do.
final class CatalogService: EncoderService {
    private let version: String
    private let policy: OptionPolicy
    private let asksForTokens: Bool
    private let gateway: ConnectionHandBack

    init(version: String, policy: OptionPolicy, asksForTokens: Bool, gateway: ConnectionHandBack) {
        self.version = version
        self.policy = policy
        self.asksForTokens = asksForTokens
        self.gateway = gateway
    }

    /// It has no state to bring to an end.
    var isConcluded: Bool { true }
    var snapshot: WriterRecord? { nil }
    func interruptUploads() {}
    func end(because reason: EndReason) {}
    func takeIdle(_ connection: consuming DetachedConnection) { gateway.takeIdle(connection) }

    func handle(_ exchange: Exchange) {
        do throws(Problem) {
            // It knows no token: the gateway asks for one, and that for every request.
            guard let request = try? Route.match(exchange.head), case .catalog(let operation) = request.operation,
                exchange.isFirst || !asksForTokens
            else { return try gateway.handBack(exchange) }
            exchange.route = request.operation.id
            if asksForTokens, let token = exchange.head.credentialHash { exchange.noteIdentified(as: token) }
            SystemThread.wipeStack()
            // A form that there is none of is refused before the work.
            _ = try ResponseForm(exchange.head)
            let value = try response(to: operation, named: request.name)
            exchange.respond(with: try .resource(value, as: TableKind(operation), to: exchange.head))
        } catch {
            exchange.respond(with: error)
        }
    }

    private func response(to operation: CatalogOperation, named name: String?) throws(Problem) -> JSONValue {
        switch operation {
        case .getVersion: return .object(JSONObject([("penstock", .string(version))] + LibavVersions.members.members.map { ($0.name, $0.value) }))
        case .listMuxers: return ["muxers": .array(Capabilities.muxers().map { $0.json(policy) })]
        case .listOutputDevices:
            return ["output_devices": .array(Capabilities.outputDevices().map { $0.json(policy) })]
        case .listAudioEncoders: return ["encoders": .array(Capabilities.encoders(.audio).map { $0.json(policy) })]
        case .listVideoEncoders: return ["encoders": .array(Capabilities.encoders(.video).map { $0.json(policy) })]
        case .listFilters: return ["filters": .array(Capabilities.filters().map { $0.json(policy) })]
        case .listOutputProtocols:
            return ["protocols": .array(Capabilities.outputProtocols().map { .string($0) })]
        case .getMuxer:
            guard let muxer = Capabilities.muxer(named: name ?? "") else {
                throw Self.unknown("muxer", name, Capabilities.muxers().map(\.name), meant: Capabilities.muxer(like:))
            }
            return muxer.json(policy, withOptions: true)
        case .getEncoder:
            guard let encoder = Capabilities.encoder(named: name ?? "") else {
                let names = (Capabilities.encoders(.audio) + Capabilities.encoders(.video)).map(\.name)
                throw Self.unknown("encoder", name, names, meant: Capabilities.encoder(like:))
            }
            return encoder.json(policy, withOptions: true)
        case .getFilter:
            guard let filter = Capabilities.filter(named: name ?? "") else {
                throw Self.unknown("filter", name, Capabilities.filters().map(\.name), meant: Capabilities.filter(like:))
            }
            return filter.json(policy)
        }
    }

    private static func unknown(_ noun: String, _ name: String?, _ names: [String], meant: (String) -> String?) -> Problem {
        Problem(.notFound, "libav has no \(noun) \(name ?? "") here.", parameter: "name", supported: names.sorted())
            .suggesting(value: name.flatMap(meant))
    }
}

extension FormatCapability {
    fileprivate func json(_ policy: OptionPolicy, withOptions: Bool = false) -> JSONValue {
        var object: JSONObject = ["name": .string(name), "description": .string(longName)]
        object["extensions"] = .array(extensions.map { .string($0) })
        object["media_type"] = mimeType.map { .string($0) }
        object["default_audio_encoder"] = defaultAudioEncoder.map { .string($0) }
        object["default_video_encoder"] = defaultVideoEncoder.map { .string($0) }
        object["seeks_back"] = .bool(seeksBack)
        object["opens_itself"] = .bool(opensItself)
        object.mark(policy.refusal(ofMuxer: name))
        if withOptions { object.list(options, policy.refusals(ofMuxer: name)) }
        return .object(object)
    }
}

extension EncoderCapability {
    fileprivate func json(_ policy: OptionPolicy, withOptions: Bool = false) -> JSONValue {
        var object: JSONObject = [
            "name": .string(name), "description": .string(longName), "codec": .string(codec),
            "type": .string(kind.rawValue),
        ]
        object["experimental"] = .bool(isExperimental)
        object["hardware"] = .bool(isHardware)
        object["threading"] = .array(threading.map { .string($0) })
        object.mark(policy.refusal(ofEncoder: name))
        guard withOptions else { return .object(object) }
        object["capabilities"] = .array(capabilities.map { .string($0) })
        object.list("formats", formats)
        object.list("frame_rates", frameRates)
        object["sample_rates"] = sampleRates.map { .array($0.map { .integer(Int64($0)) }) }
        object.list("channel_layouts", channelLayouts)
        object.list("hardware_devices", hardwareDevices)
        object.list(options, policy.refusals(ofEncoder: name)) { policy.keys(of: $0, ofEncoder: name) }
        return .object(object)
    }
}

extension FilterCapability {
    fileprivate func json(_ policy: OptionPolicy) -> JSONValue {
        var object: JSONObject = [
            "name": .string(name), "description": .string(description),
            "inputs": .array(inputs.map { .string($0) }), "outputs": .array(outputs.map { .string($0) }),
        ]
        object.mark(policy.refusal(ofFilter: name))
        object.list(options, policy.refusals(ofFilter: name))
        return .object(object)
    }
}

extension OptionCapability {
    fileprivate func json(_ refusal: String?, keys: [String] = []) -> JSONValue {
        var object: JSONObject = ["name": .string(name), "type": .string(type)]
        object["help"] = help.map { .string($0) }
        object["default"] = defaultValue.map { .string($0) }
        object["minimum"] = minimum.map { .number($0) }
        object["maximum"] = maximum.map { .number($0) }
        object["private"] = .bool(isPrivate)
        object.mark(refusal)
        if !keys.isEmpty { object["keys"] = .array(keys.map { .string($0) }) }
        if !choices.isEmpty {
            object["choices"] = .array(
                choices.map { choice in
                    var object: JSONObject = ["name": .string(choice.name)]
                    object["value"] = .string(choice.value)
                    object["help"] = choice.help.map { .string($0) }
                    return .object(object)
                })
        }
        return .object(object)
    }
}

extension JSONObject {
    /// What clients may not use says so, and why.
    fileprivate mutating func mark(_ refusal: String?) {
        guard let refusal else { return }
        self["allowed"] = false
        self["refusal"] = .string(refusal)
    }

    /// `keys` gives those that an option takes which is a list of `key=value`.
    fileprivate mutating func list(_ options: [OptionCapability], _ refusals: OptionNames?, keys: (String) -> [String] = { _ in [] }) {
        self["options"] = .array(options.map { $0.json(refusals?.refusal(ofAnyValueOf: $0.name), keys: keys($0.name)) })
    }

    /// nil stands for "any".
    fileprivate mutating func list(_ name: String, _ values: [String]?) {
        if let values { self[name] = .array(values.map { .string($0) }) }
    }
}
