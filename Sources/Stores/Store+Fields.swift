import Bytewise

extension Store {
    /// The names of a store's fields, as variables and files have them.
    package static let fieldNames = StoreFlaw.Field.allCases.filter { $0 != .name }.map(\.rawValue)
    /// Those whose values nothing shows.
    package static let secretFields = [StoreFlaw.Field.secretKey, .sessionToken].map(\.rawValue)

    /// Of texts by the names of fields; an empty one is as if it were not there.
    package init(name: String, fields: [String: String]) throws(StoreFlaw) {
        var values: [StoreFlaw.Field: String] = [:]
        for (field, value) in fields where !value.isEmpty {
            guard let field = StoreFlaw.Field(rawValue: field), field != .name else { continue }
            values[field] = value
        }
        guard let bucket = values[.bucket] else { throw StoreFlaw(.bucket, "it is not set, and store \(name) needs it") }
        let pathStyle = try values[.pathStyle].map { (text) throws(StoreFlaw) -> Bool in
            switch ByteKey(text.lowercasedASCII) {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: throw StoreFlaw(.pathStyle, "it is true or false")
            }
        }
        try self.init(
            name: name, endpoint: values[.endpoint], bucket: bucket, region: values[.region], credentials: Self.credentials(values),
            prefix: values[.prefix] ?? "", pathStyle: pathStyle)
    }

    private static func credentials(_ values: [StoreFlaw.Field: String]) throws(StoreFlaw) -> CredentialsSource {
        if let path = values[.credentialsFile] {
            for field in [StoreFlaw.Field.accessKey, .secretKey, .sessionToken] where values[field] != nil {
                throw StoreFlaw(field, "a credentials file is set as well, and has the keys: one of the two")
            }
            guard path.begins(with: "/") else { throw StoreFlaw(.credentialsFile, "write the whole path, from / on") }
            return .file(path)
        }
        guard let access = values[.accessKey] else { throw StoreFlaw(.accessKey, "it is not set, nor is there a credentials file") }
        guard let secret = values[.secretKey] else { throw StoreFlaw(.secretKey, "it is not set, and the access key is") }
        return .fixed(Credentials(accessKey: access, secretKey: Secret(secret), sessionToken: values[.sessionToken].map(Secret.init)))
    }
}
