import Glibc

/// A file that keeps what is to be sent. Closed with its last reference; one without a name is gone then.
package final class SpoolFile: Sendable {
    /// nil: it has none.
    package let path: String?
    private let descriptor: Int32

    /// Makes a new file, readable by its owner alone.
    package init(creating path: String) throws(UploadError) {
        descriptor = try Self.open(path, O_RDWR | O_CREAT | O_EXCL, as: path)
        self.path = path
    }

    /// Opens a file that is finished.
    package init(reading path: String) throws(UploadError) {
        descriptor = try Self.open(path, O_RDONLY, as: path)
        self.path = path
    }

    /// One that was opened before for reading; owns the descriptor.
    package init(owning descriptor: Int32) { (self.descriptor, path) = (descriptor, nil) }

    /// Makes a file without a name.
    package init(unnamedIn folder: String) throws(UploadError) {
        let name = folder + "/.penstock-part-" + String(UInt64.random(in: .min ... .max), radix: 16)
        descriptor = try Self.open(name, O_RDWR | O_CREAT | O_EXCL, as: "a file in \(folder)")
        unlink(name)
        path = nil
    }

    deinit { close(descriptor) }

    /// The file's own, which goes with it.
    package var number: Int32 { descriptor }

    /// Another one of the same file, which is the caller's to close.
    package func duplicate() throws(UploadError) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { throw Self.failure("open \(shownName)") }
        return copy
    }

    private static func open(_ path: String, _ flags: Int32, as name: String) throws(UploadError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw failure("open \(name)") }
        return descriptor
    }

    private static func failure(_ doing: String) -> UploadError { UploadError(.local, doing, String(cString: strerror(errno))) }

    var shownName: String { path ?? "the spool" }

    package func size() throws(UploadError) -> Int {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw Self.failure("look at \(shownName)") }
        return Int(status.st_size)
    }

    /// As many as there are, up to the buffer's size; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(UploadError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
            if count >= 0 { return count }
            if errno != EINTR { throw Self.failure("read \(shownName)") }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(UploadError) {
        var written = 0
        while written < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, offset + written)
            if count < 0 && errno != EINTR { throw Self.failure("write \(shownName)") }
            written += max(0, count)
        }
    }

    /// Takes its name away; what has it open goes on.
    package func remove() { if let path { unlink(path) } }
}
