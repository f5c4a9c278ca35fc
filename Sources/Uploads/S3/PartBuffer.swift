import Bytewise
import Crypto

/// The bytes of one part while they come: in memory, or where it is large in a file without a name.
struct PartBuffer {
    /// Larger ones go to a file, where there is a folder for it.
    static let mostInMemory = 32 * 1_024 * 1_024

    private static let mostOfASmallOne = 1_024 * 1_024

    let capacity: Int
    private(set) var count = 0
    private var bytes: [UInt8] = []
    private let file: SpoolFile?
    private var hash = SHA256()

    init(capacity: Int, folder: String?) throws(UploadError) {
        self.capacity = capacity
        if capacity > Self.mostInMemory, let folder { file = try SpoolFile(unnamedIn: folder) } else { file = nil }
    }

    var isInMemory: Bool { file == nil }
    var room: Int { capacity - count }

    mutating func append(_ more: UnsafeRawBufferPointer) throws(UploadError) {
        if let file {
            try file.write(more, at: count)
        } else {
            // Doubling would end at twice the part; what stays small takes no more than it has.
            if count + more.count > Self.mostOfASmallOne && bytes.capacity < capacity { bytes.reserveCapacity(capacity) }
            bytes += more
        }
        hash.update(bufferPointer: more)
        count += more.count
    }

    /// What is sent of it.
    func content() -> PartContent {
        let body: any RequestBody = file.map { FileBody($0, 0..<count) } ?? BytesBody(bytes)
        return PartContent(body: body, digest: Array(hash.finalize()))
    }
}

/// One part, or a whole small object, ready to be sent.
struct PartContent: Sendable {
    let body: any RequestBody
    /// SHA-256.
    let digest: [UInt8]

    init(body: any RequestBody, digest: [UInt8]) { (self.body, self.digest) = (body, digest) }

    /// A part of a finished file, which is read once for its digest.
    init(_ file: SpoolFile, _ range: Range<Int>) throws(UploadError) {
        var hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(range.count, 1_024 * 1_024), alignment: 16)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(range.upperBound - offset)), at: offset)
            if count == 0 { throw UploadError(.local, file.shownName, "it has become shorter while it was sent") }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer.prefix(count)))
            offset += count
        }
        self.init(body: FileBody(file, range), digest: Array(hash.finalize()))
    }

    var size: Int { body.size ?? 0 }
    var payloadHash: String { Hex.text(digest) }
    var checksum: String { Base64.text(digest) }
}
