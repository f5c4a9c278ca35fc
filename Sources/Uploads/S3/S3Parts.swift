import Bytewise
import Crypto

/// The parts that an object was made of, to hold against what a store says of it.
package struct S3Parts {
    let parts: [S3Client.Part]
    let size: Int

    package init(parts: [S3Client.Part], size: Int) { (self.parts, self.size) = (parts, size) }

    /// SHA-256 of the parts' own, as S3 writes it for an object of parts.
    var checksum: String { Base64.text(SHA256.hash(data: parts.flatMap(\.digest))) + "-\(parts.count)" }

    /// MD5 of the parts' own; nil: the store's tags are something else.
    var entityTag: String? {
        let digests = parts.compactMap { part in Hex.bytes(part.entityTag.replacing(bytes: "\"", with: "")).flatMap { $0.count == 16 ? $0 : nil } }
        return digests.count == parts.count ? Hex.text(Insecure.MD5.hash(data: digests.flatMap { $0 })) + "-\(parts.count)" : nil
    }

    /// Throws unless the object is of that size. `isIdentified`: and unless it surely is this one, and not one that was there before.
    package func check(_ found: HTTPResponse, isIdentified: Bool, _ doing: String) throws(UploadError) {
        guard found.isSuccess else {
            if !isIdentified { return }
            let status = HTTPResponse.named(found.status)
            throw UploadError(.cut, doing, "the answer to its end was lost, and the store does not let it be looked at: \(status)", status: found.status)
        }
        let length = found.header("Content-Length").flatMap(\.asciiNumber)
        if let length, length != size { throw UploadError(.damaged, doing, "the store has \(length) bytes of it, and \(size) were sent") }
        if isIdentified && !isThis(found) {
            throw UploadError(.cut, doing, "the answer to its end was lost, and the store does not show that the object there is this one")
        }
    }

    private func isThis(_ found: HTTPResponse) -> Bool {
        if let theirs = found.header("x-amz-checksum-sha256") { return theirs.isSame(as: checksum) }
        guard let theirs = found.header("ETag"), let entityTag else { return false }
        return theirs.replacing(bytes: "\"", with: "").isSame(as: entityTag)
    }
}
