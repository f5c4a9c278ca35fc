/// An object store as the operator has configured it: its name and its fields, keys among them. What they mean is for the
/// process that writes to it. Nothing prints it.
public struct StoreSettings: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// As `s3://NAME/KEY` has it.
    public let name: String
    public let fields: [String: String]
    /// `https://HOST:PORT`, which is connected to.
    public let endpoint: String

    public init(name: String, fields: [String: String], endpoint: String) { (self.name, self.fields, self.endpoint) = (name, fields, endpoint) }

    /// Where its keys are read from, where they are not among the fields.
    public var credentialsFile: String? { fields["credentials_file"].flatMap { $0.isEmpty ? nil : $0 } }

    /// Where the objects of its keys lie, whatever it is called by: the key follows.
    public var place: String {
        let base = fields["endpoint"].flatMap { URLParts($0)?.place?.until("?") } ?? endpoint
        return "\(base.without(suffix: "/") ?? base)/\(fields["bucket"] ?? "")/\(fields["prefix"] ?? "")"
    }

    public var description: String { name }
    public var debugDescription: String { name }
    public var customMirror: Mirror { Mirror(self, children: []) }

    var json: JSONValue { ["name": .string(name), "fields": .map(fields), "endpoint": .string(endpoint)] }

    init?(json: JSONValue) {
        guard let object = json.objectValue, let name = object["name"]?.stringValue, let endpoint = object["endpoint"]?.stringValue,
            let fields = object["fields"]?.objectValue
        else { return nil }
        var values: [String: String] = [:]
        for member in fields.members {
            guard let value = member.value.stringValue else { return nil }
            values[member.name] = value
        }
        self.init(name: name, fields: values, endpoint: endpoint)
    }
}
