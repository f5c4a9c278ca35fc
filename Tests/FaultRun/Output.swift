import Glibc
import StreamWriter
import SystemIO

/// A file in memory that a writer writes to.
struct Output {
    let descriptor: Int32

    init() {
        var template = Array("/dev/shm/fault-run-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        precondition(descriptor >= 0, "no file to write to")
        unlink(template)
    }

    /// For the writer, which closes its own.
    func destination(_ name: String = "output") -> Destination { .file(descriptor: dup(descriptor), name: name) }

    /// FNV-1a of what was written, and how long it is.
    func digest() -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var size = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(size))
            if count <= 0 { break }
            for byte in buffer.prefix(count) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            size += count
        }
        Glibc.close(descriptor)
        return "= \(String(hash, radix: 16)) of \(size)"
    }
}

extension StreamWriter {
    /// What every writer of a case goes through, with the stack below each call in its pattern.
    static func encode(
        _ streams: [StreamConfig], format: String, option: [String: String] = [:], name: String = "output",
        _ feed: (StreamWriter) throws -> Void
    ) throws -> String {
        let output = Output()
        let writer = try StreamWriter(destination: output.destination(name), format: format)
        do {
            for stream in streams {
                Unwritten.fillStack()
                _ = try writer.addStream(stream)
            }
            Unwritten.fillStack()
            try writer.open(option: option)
            try feed(writer)
            Unwritten.fillStack()
            _ = try writer.close()
        } catch {
            writer.abort()
            Glibc.close(output.descriptor)
            throw error
        }
        return output.digest()
    }

    func send(_ bytes: [UInt8], to stream: Int = 0, pts: Double? = nil) throws {
        Unwritten.fillStack()
        let chunk = try beginChunk(stream: stream, pts: pts)
        try bytes.withUnsafeBytes { try chunk.write($0) }
        _ = try chunk.finish()
    }
}
