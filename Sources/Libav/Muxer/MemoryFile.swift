internal import CLibav
import Glibc

/// A file in memory, which is written to and then read. libav's own (`avio_open_dyn_buf`) loses what a muxer goes back for.
final class MemoryFile {
    let context: UnsafeMutablePointer<AVIOContext>
    private var bytes: [UInt8]
    private var position = 0

    private static let bufferBytes = 4096

    convenience init() throws(LibavError) { try self.init([], isWritten: true) }

    /// The same file, to be read from its start, once libav has written it.
    func reader() throws(LibavError) -> MemoryFile { try MemoryFile(bytes, isWritten: false) }

    private init(_ bytes: [UInt8], isWritten: Bool) throws(LibavError) {
        self.bytes = bytes
        let context = AVIO.allocate(Self.bufferBytes) {
            isWritten ? clibav_alloc_output($0, $1, nil, writeToMemory, seekInMemory) : avio_alloc_context($0, $1, 0, nil, readFromMemory, nil, seekInMemory)
        }
        guard let context else { throw .outOfMemory("allocating a file in memory") }
        self.context = context
        context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { AVIO.free(context) }

    fileprivate func write(_ given: UnsafeBufferPointer<UInt8>) -> Int32 {
        let end = position + given.count
        if end > bytes.count { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
        bytes.replaceSubrange(position..<end, with: given)
        position = end
        return Int32(given.count)
    }

    fileprivate func read(_ room: UnsafeMutableBufferPointer<UInt8>) -> Int32 {
        guard position < bytes.count else { return clibav_error_eof }
        let part = bytes[position..<min(bytes.count, position + room.count)]
        _ = room.update(fromContentsOf: part)
        position += part.count
        return Int32(part.count)
    }

    fileprivate func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        if whence & AVSEEK_SIZE != 0 { return Int64(bytes.count) }
        let start = [SEEK_CUR: position, SEEK_END: bytes.count][whence & ~AVSEEK_FORCE] ?? 0
        guard let target = Int(exactly: Int64(start) + offset), target >= 0 else { return Int64(clibav_error_invalid) }
        position = target
        return Int64(target)
    }
}

private func file(_ opaque: UnsafeMutableRawPointer?) -> MemoryFile { Unmanaged<MemoryFile>.fromOpaque(opaque!).takeUnretainedValue() }

private func writeToMemory(_ opaque: UnsafeMutableRawPointer?, _ bytes: clibav_write_buffer?, _ count: Int32) -> Int32 {
    file(opaque).write(UnsafeBufferPointer(start: bytes, count: Int(count)))
}

private func readFromMemory(_ opaque: UnsafeMutableRawPointer?, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> Int32 {
    file(opaque).read(UnsafeMutableBufferPointer(start: bytes, count: Int(count)))
}

private func seekInMemory(_ opaque: UnsafeMutableRawPointer?, _ offset: Int64, _ whence: Int32) -> Int64 { file(opaque).seek(offset, whence) }
