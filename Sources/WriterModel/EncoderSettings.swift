/// What a new encoder is told before anything else.
public struct EncoderSettings: Sendable, Equatable {
    public var writer: WriterID
    public var createdAt: Timestamp
    /// The writer's own folder under the state directory: managed output and record.
    public var folder: String
    /// Where relative destinations lie.
    public var outputDirectory: String
    public var limits: ServiceLimits
    /// nil: requests need no token.
    public var tokens: [String]?

    public init(
        writer: WriterID, createdAt: Timestamp, folder: String, outputDirectory: String, limits: ServiceLimits, tokens: [String]?
    ) {
        self.writer = writer
        self.createdAt = createdAt
        self.folder = folder
        self.outputDirectory = outputDirectory
        self.limits = limits
        self.tokens = tokens
    }

    var json: JSONValue {
        [
            "writer": .string(writer.text),
            "created_at": .string(createdAt.description),
            "folder": .string(folder),
            "output_directory": .string(outputDirectory),
            "limits": limits.json,
            "tokens": Self.json(ofTokens: tokens),
        ]
    }

    init?(json: JSONValue) {
        guard let object = json.objectValue,
            let writer = object["writer"]?.stringValue.flatMap(WriterID.init),
            let createdAt = object["created_at"]?.stringValue.flatMap(Timestamp.init),
            let folder = object["folder"]?.stringValue,
            let outputDirectory = object["output_directory"]?.stringValue,
            let limits = object["limits"].flatMap(ServiceLimits.init(json:)),
            let tokens = object["tokens"].flatMap(Self.tokens(fromJSON:))
        else { return nil }
        self.init(
            writer: writer, createdAt: createdAt, folder: folder, outputDirectory: outputDirectory, limits: limits,
            tokens: tokens)
    }

    static func json(ofTokens tokens: [String]?) -> JSONValue {
        tokens.map { .array($0.map { .string($0) }) } ?? .null
    }

    /// nil when it is neither: what can't be read must not open a door.
    static func tokens(fromJSON json: JSONValue) -> [String]?? {
        switch json {
        case .null: return .some(nil)
        case .array(let elements):
            let tokens = elements.compactMap(\.stringValue)
            return tokens.count == elements.count ? .some(tokens) : nil
        default: return nil
        }
    }
}
