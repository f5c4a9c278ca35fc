import Bytewise

/// Stores in variables: `PENSTOCK_STORE_NAME_ENDPOINT` and so on. NAME in capitals, with `_` for the hyphens of the store's name.
package enum StoreEnvironment {
    package static let prefix = "PENSTOCK_STORE_"
    private static let fields = StoreFlaw.Field.allCases.filter { $0 != .name }

    /// A variable that is wrong: it names that, and never its value.
    package struct Flaw: Error, Sendable, Equatable, CustomStringConvertible {
        package let variable: String
        package let reason: String
        package var description: String { "\(variable): \(reason)" }
    }

    /// By their names, in order.
    package static func stores(in environment: [String: String]) throws(Flaw) -> [Store] {
        var byName: [ByteKey: [StoreFlaw.Field: String]] = [:]
        for (variable, value) in environment {
            guard let rest = variable.without(prefix: prefix) else { continue }
            let (name, field) = try cut(rest, variable)
            if value.utf8.contains(0) { throw Flaw(variable: variable, reason: "it has a NUL character in it") }
            byName[ByteKey(name), default: [:]][field] = value
        }
        var stores: [Store] = []
        for (name, values) in byName.sorted(by: { $0.key < $1.key }) { stores.append(try store(name.text, values)) }
        return stores
    }

    /// The name and the field of what stands behind the prefix.
    private static func cut(_ rest: String, _ variable: String) throws(Flaw) -> (name: String, field: StoreFlaw.Field) {
        // "_KEY" ends one, "_ACCESS_KEY" another: the longest counts.
        let found = fields.filter { rest.ends(with: "_" + $0.rawValue.uppercasedASCII) }.max { $0.rawValue.utf8.count < $1.rawValue.utf8.count }
        guard let field = found, let name = rest.without(suffix: "_" + field.rawValue.uppercasedASCII) else {
            let known = fields.map { $0.rawValue.uppercasedASCII }
            let near = rest.parts(at: "_").last?.nearest(among: known).map { "; \($0) is" } ?? ""
            throw Flaw(variable: variable, reason: "it ends in no field of a store\(near): \(known.joined(separator: ", "))")
        }
        let isName = !name.isEmpty && name.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0.isASCIIDigit || $0 == 0x5F }
        guard isName else { throw Flaw(variable: variable, reason: "between \(prefix) and the field stands the store's name: capital letters, digits and _") }
        return (name, field)
    }

    private static func store(_ name: String, _ values: [StoreFlaw.Field: String]) throws(Flaw) -> Store {
        let variable = { (field: StoreFlaw.Field) in prefix + name + "_" + field.rawValue.uppercasedASCII }
        func flaw(_ field: StoreFlaw.Field, _ reason: String) -> Flaw { Flaw(variable: variable(field), reason: reason) }
        // Empty: as if it were not set.
        let values = values.filter { !$0.value.isEmpty }
        guard let bucket = values[.bucket] else { throw flaw(.bucket, "it is not set, and store \(name.lowercasedASCII) needs it") }
        let pathStyle = try values[.pathStyle].map { (text) throws(Flaw) -> Bool in
            switch ByteKey(text.lowercasedASCII) {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: throw flaw(.pathStyle, "it is true or false")
            }
        }
        let source: Store.CredentialsSource
        do { source = try credentials(values) } catch { throw flaw(error.field, error.reason) }
        do {
            let text = String(decoding: name.lowercasedASCII.utf8.map { $0 == 0x5F ? 0x2D : $0 }, as: UTF8.self)
            return try Store(
                name: text, endpoint: values[.endpoint], bucket: bucket, region: values[.region], credentials: source,
                prefix: values[.prefix] ?? "", pathStyle: pathStyle)
        } catch { throw flaw(error.field, error.reason) }
    }

    private static func credentials(_ values: [StoreFlaw.Field: String]) throws(StoreFlaw) -> Store.CredentialsSource {
        if let path = values[.credentialsFile] {
            for field in [StoreFlaw.Field.accessKey, .secretKey, .sessionToken] where values[field] != nil {
                throw StoreFlaw(field, "a credentials file is set as well, and has the keys: one of the two")
            }
            guard path.begins(with: "/") else { throw StoreFlaw(.credentialsFile, "write the whole path, from / on") }
            return .file(CredentialsFile(path))
        }
        guard let access = values[.accessKey] else { throw StoreFlaw(.accessKey, "it is not set, nor is there a credentials file") }
        guard let secret = values[.secretKey] else { throw StoreFlaw(.secretKey, "it is not set, and the access key is") }
        return .fixed(Credentials(accessKey: access, secretKey: Secret(secret), sessionToken: values[.sessionToken].map(Secret.init)))
    }
}

extension StringProtocol {
    fileprivate var uppercasedASCII: String { String(decoding: utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self) }
}
