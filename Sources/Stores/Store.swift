import Bytewise

/// A bucket of an object store, as the operator has configured it, with its keys.
package struct Store: Sendable, Equatable {
    package enum CredentialsSource: Sendable, Equatable {
        case fixed(Credentials)
        /// Of AWS's form, by its path.
        case file(String)
    }

    /// As `s3://NAME/KEY` has it: small letters, digits, hyphens.
    package let name: String
    package let endpoint: StoreEndpoint
    package let bucket: String
    package let region: String
    package let credentials: CredentialsSource
    /// Before each key, as it is: "shows/" for a folder. Empty: none.
    package let prefix: String
    /// Whether the bucket stands in the path, and not before the host's name.
    package let pathStyle: Bool

    /// `endpoint`, nil: AWS's of the region. `region`, nil: "us-east-1", which servers that have none take. `pathStyle`, nil: only for
    /// AWS, and for buckets with a dot, no certificate of which a name before the host would have. Errors name the field.
    package init(
        name: String, endpoint: String?, bucket: String, region: String?, credentials: CredentialsSource, prefix: String = "", pathStyle: Bool? = nil
    ) throws(StoreFlaw) {
        guard Self.isName(name) else { throw StoreFlaw(.name, "small letters, digits and hyphens make a store's name") }
        guard Self.isBucket(bucket) else { throw StoreFlaw(.bucket, "3 to 63 small letters, digits, dots and hyphens make a bucket's name") }
        if endpoint == nil && region == nil { throw StoreFlaw(.endpoint, "give an endpoint, or for AWS a region") }
        let region = region ?? "us-east-1"
        guard Self.isRegion(region) else { throw StoreFlaw(.region, "letters, digits, hyphens and underscores make a region, such as eu-central-1") }
        if case .fixed(let keys) = credentials, !Self.isAccessKey(keys.accessKey) { throw StoreFlaw(.accessKey, "it has characters in it that no key has") }
        if case .fixed(let keys) = credentials, keys.secretKey.revealed.isEmpty { throw StoreFlaw(.secretKey, "it is empty") }
        self.endpoint = try StoreEndpoint(endpoint ?? "https://s3.\(region).amazonaws.com")
        try Self.check(prefix: prefix)
        (self.name, self.bucket, self.region, self.credentials, self.prefix) = (name, bucket, region, credentials, prefix)
        let isAWS = self.endpoint.host.ends(with: ".amazonaws.com")
        self.pathStyle = pathStyle ?? (!isAWS || bucket.holds("."))
    }

    private static func check(prefix: String) throws(StoreFlaw) {
        if prefix.begins(with: "/") { throw StoreFlaw(.prefix, "it begins with a slash: leave that out") }
        if prefix.utf8.count > 512 { throw StoreFlaw(.prefix, "it has more than 512 bytes") }
        if prefix.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw StoreFlaw(.prefix, "it has a control character in it") }
        if prefix.parts(at: "/").contains(where: { $0.isSame(as: "..") || $0.isSame(as: ".") }) {
            throw StoreFlaw(.prefix, "\".\" and \"..\" are no names of an object's path")
        }
    }

    static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0.isASCIIDigit || $0 == 0x2D }
    }

    private static func isBucket(_ text: String) -> Bool {
        let isEdge: (UInt8?) -> Bool = { $0.map { (0x61...0x7A).contains($0) || $0.isASCIIDigit } ?? false }
        return (3...63).contains(text.utf8.count) && isEdge(text.utf8.first) && isEdge(text.utf8.last) && !text.holds("..")
            && text.utf8.allSatisfy { isEdge($0) || $0 == 0x2D || $0 == 0x2E }
    }

    private static func isRegion(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x2D || $0 == 0x5F }
    }

    /// It stands in a header, between slashes.
    package static func isAccessKey(_ text: String) -> Bool {
        !text.isEmpty && text.isPrintableASCII && !text.utf8.contains { " ,/=".utf8.contains($0) }
    }

    // MARK: - Where it is

    /// As `Host` has it.
    package var authority: String { pathStyle ? endpoint.authority : "\(bucket).\(endpoint.authority)" }
}
