import Bytewise

/// How a kept spool is to be sent: as it was first, but for what may be secret, which a request gives again.
public struct RetryOrder: Sendable, Equatable {
    /// A URL of http, https or a store. As it is kept, without user and query.
    public var destination: String
    /// It had a user or a query.
    public var needsDestination = false
    /// The muxer's name.
    public var format: String
    /// Of the upload; none that is secret as it is kept.
    public var option: [String: String] = [:]
    /// The options that are not kept, as they are secret.
    public var withheld: [String] = []
    public var contentType: String?
    public var cacheControl: String?
    public var storageClass: String?
    public var objectMetadata: [String: String] = [:]

    /// To be kept: without the secrets.
    public init(destination: String, format: String, option: [String: String]) {
        self.destination = Self.withoutSecrets(destination)
        needsDestination = !self.destination.isSame(as: destination)
        self.format = format
        for (name, value) in option {
            if SecretOption.isSecret(name) { withheld.append(name) } else { self.option[name] = value }
        }
        withheld.sort()
    }

    private static func withoutSecrets(_ url: String) -> String {
        guard let parts = URLParts(url), !parts.isOfStore else { return url }
        return "\(parts.scheme)://\(parts.authorityWithoutUser)\(parts.rest.until("?", "#"))"
    }

    /// The same with what a request gives again: `{"dst": …, "option": {…}}`.
    public func completed(by body: JSONValue?) throws(Problem) -> RetryOrder {
        var order = self
        var fields = try FieldReader(body ?? .object([:]))
        let (given, option) = (try fields.string("dst"), try fields.map("option") ?? [:])
        try fields.finish()
        if let given {
            // In what is kept the scheme is in small letters.
            guard Self.withoutSecrets(given).isSame(as: destination) else {
                throw Self.problem(
                    "dst", "dst is another place than the output's, \(URLText.redacted(destination: destination)): what is kept can be sent to that alone. User and query may differ.")
            }
            order.destination = given
        } else if needsDestination {
            throw Self.problem("dst", "The output's dst had a user or a query, which may be secret and are not kept: give dst again, whole.")
        }
        for (name, value) in option { order.option[name] = value }
        if let name = withheld.first(where: { option[$0] == nil }) {
            throw Self.problem("option.\(name)", "The output was sent with the option \(name), which may be secret and is not kept: give it again, or \"\" for none.")
        }
        for name in withheld where order.option[name]?.isEmpty == true { order.option[name] = nil }
        (order.needsDestination, order.withheld) = (false, [])
        return order
    }

    private static func problem(_ parameter: String, _ detail: String) -> Problem {
        let pointer = "/" + parameter.parts(at: ".").joined(separator: "/")
        return Problem(.invalidParameter, detail, parameter: parameter, extras: [("pointer", .string(pointer))])
    }

    public var json: JSONValue {
        [
            "version": 1, "destination": .string(destination), "needs_destination": .bool(needsDestination), "format": .string(format),
            "option": .map(option), "withheld": .array(withheld.map { .string($0) }),
            "content_type": contentType.map { .string($0) } ?? .null, "cache_control": cacheControl.map { .string($0) } ?? .null,
            "storage_class": storageClass.map { .string($0) } ?? .null, "object_metadata": .map(objectMetadata),
        ]
    }

    public init?(json: JSONValue) {
        guard let object = json.objectValue, object["version"] == .integer(1), let destination = object["destination"]?.stringValue,
            let format = object["format"]?.stringValue, let option = object["option"].flatMap(Self.map),
            let withheld = object["withheld"]?.arrayValue, let metadata = object["object_metadata"].flatMap(Self.map)
        else { return nil }
        (self.destination, self.format, self.option, objectMetadata) = (destination, format, option, metadata)
        needsDestination = object["needs_destination"] == .bool(true)
        self.withheld = withheld.compactMap(\.stringValue)
        contentType = object["content_type"]?.stringValue
        cacheControl = object["cache_control"]?.stringValue
        storageClass = object["storage_class"]?.stringValue
    }

    private static func map(_ json: JSONValue) -> [String: String]? { try? FieldReader.map(json, at: "") }
}
