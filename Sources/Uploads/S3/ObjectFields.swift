import Bytewise

/// What a store keeps beside an object's bytes.
package struct ObjectFields: Sendable, Equatable {
    /// Of all metadata, names and values (S3's own limit).
    package static let mostMetadataBytes = 2_048

    let headers: [HTTPHeader]

    package static let none = ObjectFields(headers: [])

    private init(headers: [HTTPHeader]) { self.headers = headers }

    /// Refuses, by its name, each that a header can't carry.
    package init(
        contentType: String? = nil, cacheControl: String? = nil, metadata: [(name: String, value: String)] = [], storageClass: String? = nil
    ) throws(UploadError) {
        var headers: [HTTPHeader] = []
        if let contentType { headers.append(try Self.header("Content-Type", contentType, of: "content_type")) }
        if let cacheControl { headers.append(try Self.header("Cache-Control", cacheControl, of: "cache_control")) }
        if let storageClass {
            guard !storageClass.isEmpty, storageClass.utf8.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x5F || $0 == 0x2D }) else {
                throw UploadError(.invalid, "storage_class", "\"\(storageClass.shortened(to: 60).sanitised)\" is none: write one as STANDARD_IA")
            }
            headers.append(try Self.header("x-amz-storage-class", storageClass, of: "storage_class"))
        }
        for (name, value) in metadata {
            guard !name.isEmpty, name.utf8.allSatisfy(HTTPHeader.isTokenByte) else {
                throw UploadError(.invalid, "metadata \"\(name.shortened(to: 60).sanitised)\"", "a name is letters, digits and -._")
            }
            headers.append(try Self.header("x-amz-meta-" + name.lowercasedASCII, value, of: "metadata \(name)"))
        }
        let bytes = metadata.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        if bytes > Self.mostMetadataBytes { throw UploadError(.invalid, "metadata", "it has \(bytes) bytes, and \(Self.mostMetadataBytes) is the most") }
        self.headers = headers
    }

    private static func header(_ name: String, _ value: String, of parameter: String) throws(UploadError) -> HTTPHeader {
        guard value.isPrintableASCII, !value.trimmedASCII.isEmpty else {
            throw UploadError(.invalid, parameter, "it is printable ASCII, with at least one character that is no space")
        }
        return try HTTPHeader(checking: name, value)
    }
}
