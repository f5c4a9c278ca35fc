import Crypto
import HTTPServer

/// The SHA-256 of a file (FIPS 180-4).
public enum FileDigest {
    private static let pieceBytes = 256 * 1_024

    /// In hexadecimal, with how many bytes that is of; nil once `isCancelled`, which is asked now and then.
    public static func sha256(of file: OpenFile, isCancelled: () -> Bool = { false }) -> (digest: String, bytes: UInt64)? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
        defer { buffer.deallocate() }
        var hash = SHA256()
        var position: UInt64 = 0
        while true {
            if isCancelled() { return nil }
            let count = file.read(into: buffer, at: position)
            if count <= 0 { break }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            position += UInt64(count)
        }
        return (hash.finalize().map { byte in String([digits[Int(byte >> 4)], digits[Int(byte & 15)]]) }.joined(), position)
    }

    private static let digits = Array("0123456789abcdef")
}
