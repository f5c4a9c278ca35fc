import APICore
import HTTP1
import HTTPServer
import StreamWriter
import WriterModel

/// Answers what libav, as it is installed here, can do.
final class CatalogService: EncoderService {
    private let version: String
    private let authenticator: TokenAuthenticator
    private let gateway: GatewayReturn

    init(version: String, authenticator: TokenAuthenticator, gateway: GatewayReturn) {
        self.version = version
        self.authenticator = authenticator
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
            guard let request = try? Route.match(exchange.head), request.operation.isAboutLibav else {
                return try gateway.handBack(exchange)
            }
            exchange.route = request.operation.rawValue
            try authenticator.check(exchange.head, for: .read)
            exchange.reply(.json(try answer(request)))
        } catch {
            exchange.reply(error)
        }
    }

    private func answer(_ request: RoutedRequest) throws(Problem) -> JSONValue {
        switch request.operation {
        case .getVersion: return versions
        case .listMuxers: return ["muxers": .array(Capabilities.muxers().map { $0.json(withOptions: false) })]
        case .listOutputDevices:
            return ["output_devices": .array(Capabilities.outputDevices().map { $0.json(withOptions: false) })]
        case .listAudioEncoders: return ["encoders": .array(Capabilities.encoders(.audio).map { $0.json(withOptions: false) })]
        case .listVideoEncoders: return ["encoders": .array(Capabilities.encoders(.video).map { $0.json(withOptions: false) })]
        case .listFilters: return ["filters": .array(Capabilities.filters().map(\.json))]
        case .listOutputProtocols:
            return ["protocols": .array(Capabilities.outputProtocols().map { .string($0) })]
        case .getMuxer:
            guard let muxer = Capabilities.muxer(named: request.name ?? "") else {
                throw Self.unknown("muxer", request.name, Capabilities.muxers().map(\.name), .notFound)
            }
            return muxer.json(withOptions: true)
        case .getEncoder:
            guard let encoder = Capabilities.encoder(named: request.name ?? "") else {
                let names = (Capabilities.encoders(.audio) + Capabilities.encoders(.video)).map(\.name)
                throw Self.unknown("encoder", request.name, names, .notFound)
            }
            return encoder.json(withOptions: true)
        default: throw Problem(.notFound, "This is no question about libav.")
        }
    }

    private var versions: JSONValue {
        [
            "penstock": .string(version),
            "ffmpeg": .string(Capabilities.ffmpegVersion),
            "libraries": .map(Capabilities.libraryVersions),
        ]
    }

    private static func unknown(_ noun: String, _ name: String?, _ names: [String], _ code: ProblemCode) -> Problem {
        Problem(code, "libav has no \(noun) \(name ?? "") here.", parameter: "name", supported: names.sorted())
    }
}

extension FormatCapability {
    fileprivate func json(withOptions: Bool) -> JSONValue {
        var object: JSONObject = ["name": .string(name), "description": .string(longName)]
        object["extensions"] = .array(extensions.map { .string($0) })
        object["media_type"] = mimeType.map { .string($0) }
        object["default_audio_encoder"] = defaultAudioEncoder.map { .string($0) }
        object["default_video_encoder"] = defaultVideoEncoder.map { .string($0) }
        object["seeks_back"] = .bool(seeksBack)
        object["opens_itself"] = .bool(opensItself)
        if withOptions { object["options"] = .array(options.map(\.json)) }
        return .object(object)
    }
}

extension EncoderCapability {
    fileprivate func json(withOptions: Bool) -> JSONValue {
        var object: JSONObject = [
            "name": .string(name), "description": .string(longName), "codec": .string(codec),
            "type": .string(kind.rawValue),
        ]
        object["experimental"] = .bool(isExperimental)
        object["hardware"] = .bool(isHardware)
        object["threading"] = .array(threading.map { .string($0) })
        guard withOptions else { return .object(object) }
        object["capabilities"] = .array(capabilities.map { .string($0) })
        object.list("formats", formats)
        object.list("frame_rates", frameRates)
        object["sample_rates"] = sampleRates.map { .array($0.map { .integer(Int64($0)) }) }
        object.list("channel_layouts", channelLayouts)
        object.list("hardware_devices", hardwareDevices)
        object["options"] = .array(options.map(\.json))
        return .object(object)
    }
}

extension FilterCapability {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "description": .string(description),
            "inputs": .array(inputs.map { .string($0) }), "outputs": .array(outputs.map { .string($0) }),
            "options": .array(options.map(\.json)),
        ]
    }
}

extension OptionCapability {
    fileprivate var json: JSONValue {
        var object: JSONObject = ["name": .string(name), "type": .string(type)]
        object["help"] = help.map { .string($0) }
        object["default"] = defaultValue.map { .string($0) }
        object["minimum"] = minimum.map { .number($0) }
        object["maximum"] = maximum.map { .number($0) }
        object["private"] = .bool(isPrivate)
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
    /// nil stands for "any".
    fileprivate mutating func list(_ name: String, _ values: [String]?) {
        if let values { self[name] = .array(values.map { .string($0) }) }
    }
}
