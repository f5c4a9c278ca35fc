internal import CLibav
import Glibc

/// Reads back what was written to a descriptor, for muxers that move their output in a second
/// pass (`movflags=faststart`). The descriptor's own position stays where it is.
final class OutputReader {
    let context: UnsafeMutablePointer<AVIOContext>
    private let descriptor: Int32
    private var position: Int64 = 0

    private static let bufferBytes = 64 * 1024

    /// Borrows the descriptor, which must be open for reading too.
    init(descriptor: Int32) throws(LibavError) {
        guard fcntl(descriptor, F_GETFL) & O_ACCMODE != O_WRONLY else {
            throw LibavError(
                code: clibav_error_from_errno(EBADF),
                doing: "reading the output back, which is open for writing only")
        }
        let context = AVIO.allocate(Self.bufferBytes) { avio_alloc_context($0, $1, 0, nil, readCallback, nil, readerSeekCallback) }
        guard let context else { throw .outOfMemory("reading the output back") }
        self.context = context
        self.descriptor = descriptor
        context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { AVIO.free(context) }

    fileprivate func read(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
        while true {
            let taken = pread(descriptor, bytes, Int(count), off_t(position))
            if taken > 0 {
                position += Int64(taken)
                return Int32(taken)
            }
            if taken == 0 { return clibav_error_eof }
            if errno != EINTR { return clibav_error_from_errno(errno) }
        }
    }

    fileprivate func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        switch whence & ~AVSEEK_FORCE {
        case SEEK_SET: position = offset
        case SEEK_CUR: position += offset
        default:
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return Int64(clibav_error_from_errno(errno)) }
            if whence & AVSEEK_SIZE != 0 { return Int64(status.st_size) }
            position = Int64(status.st_size) + offset
        }
        return position
    }
}

private func readCallback(
    _ opaque: UnsafeMutableRawPointer?, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32
) -> Int32 {
    guard let opaque, let bytes else { return clibav_error_invalid }
    return Unmanaged<OutputReader>.fromOpaque(opaque).takeUnretainedValue().read(bytes, count)
}

private func readerSeekCallback(_ opaque: UnsafeMutableRawPointer?, _ offset: Int64, _ whence: Int32) -> Int64 {
    guard let opaque else { return Int64(clibav_error_invalid) }
    return Unmanaged<OutputReader>.fromOpaque(opaque).takeUnretainedValue().seek(offset, whence)
}
