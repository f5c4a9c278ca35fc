internal import CLibav
import Glibc
import Synchronization

/// A file descriptor as libav's output. Owns the descriptor.
package final class OutputIO: @unchecked Sendable {
    // Unchecked: libav's callbacks run on the muxing thread; only `bytesWritten` is read from others.
    let context: UnsafeMutablePointer<AVIOContext>
    private let descriptor: Int32
    private let kind: Kind
    private let interruption: Interruption
    private let onWrite: (@Sendable () -> Void)?
    private var isOpen = true
    private var position: Int64 = 0
    private let end = Atomic<Int64>(0)

    package static let defaultBufferBytes = 64 * 1024
    private static let interruptionCheckMilliseconds: Int32 = 100

    /// What decides how a write is kept from waiting for ever.
    private enum Kind {
        case file, pipe, socket

        init(_ descriptor: Int32) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { self = .file; return }
            switch status.st_mode & S_IFMT {
            case S_IFIFO: self = .pipe
            case S_IFSOCK: self = .socket
            default: self = .file
            }
        }
    }

    /// Takes the descriptor, also when it throws. `packetBytes`: what it tells a muxer that asks how large its packets
    /// may be; nil: it is no protocol of packets.
    package init(
        descriptor: Int32, bufferBytes: Int, packetBytes: Int? = nil, interruption: Interruption,
        onWrite: (@Sendable () -> Void)? = nil
    ) throws(LibavError) {
        let context = AVIO.allocate(bufferBytes) { clibav_alloc_output($0, $1, nil, writeCallback, seekCallback) }
        guard let context else {
            Glibc.close(descriptor)
            throw .outOfMemory("allocating the output")
        }
        self.context = context
        self.descriptor = descriptor
        self.interruption = interruption
        self.onWrite = onWrite
        kind = Kind(descriptor)
        if let packetBytes { context.pointee.max_packet_size = Int32(clamping: packetBytes) }
        context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
        // A pipe or a socket takes bytes in order only.
        let isSeekable = lseek(descriptor, 0, SEEK_CUR) >= 0
        context.pointee.seekable = isSeekable ? AVIO_SEEKABLE_NORMAL : 0
        if !isSeekable { context.pointee.seek = nil }
    }

    deinit {
        if isOpen { Glibc.close(descriptor) }
        AVIO.free(context)
    }

    /// The size of the output so far. Any thread.
    package var bytesWritten: Int64 { end.load(ordering: .relaxed) }

    /// Of what was written so far. Must not outlive this.
    func reader() throws(LibavError) -> OutputReader { try OutputReader(descriptor: descriptor) }

    package func close() throws(LibavError) {
        guard isOpen else { return }
        isOpen = false
        if Glibc.close(descriptor) != 0 && errno != EINTR {
            throw LibavError(code: clibav_error_from_errno(errno), doing: "closing the output")
        }
    }

    fileprivate func write(_ bytes: UnsafePointer<UInt8>, _ count: Int32) -> Int32 {
        var done = 0
        while done < Int(count) {
            let written = writeOnce(bytes + done, Int(count) - done)
            if written > 0 {
                done += written
                advance(written)
            } else if written < 0 && errno == EAGAIN {
                guard waitUntilWritable() else { return clibav_error_exit }
            } else if written == 0 || errno != EINTR {
                return clibav_error_from_errno(written == 0 ? EIO : errno)
            }
        }
        return count
    }

    /// What can be written without waiting for a reader.
    private func writeOnce(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        switch kind {
        case .file:
            return Glibc.write(descriptor, bytes, count)
        case .socket:
            return send(descriptor, bytes, count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        case .pipe:
            // A pipe that is writable has room for a page.
            guard waitUntilWritable() else {
                errno = ECANCELED
                return -1
            }
            return Glibc.write(descriptor, bytes, min(count, Int(PIPE_BUF)))
        }
    }

    private func advance(_ count: Int) {
        position += Int64(count)
        if position > end.load(ordering: .relaxed) { end.store(position, ordering: .relaxed) }
        onWrite?()
    }

    /// False when it was told to give up.
    private func waitUntilWritable() -> Bool {
        while !interruption.isRequested {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&entry, 1, Self.interruptionCheckMilliseconds) > 0 { return true }
        }
        return false
    }

    fileprivate func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        if whence & ~AVSEEK_FORCE == AVSEEK_SIZE { return end.load(ordering: .relaxed) }
        let result = lseek(descriptor, off_t(offset), whence & ~AVSEEK_FORCE)
        guard result >= 0 else { return Int64(clibav_error_from_errno(errno)) }
        // /dev/null takes every seek and stays at 0.
        position = whence & ~AVSEEK_FORCE == SEEK_SET ? offset : Int64(result)
        return position
    }
}

private func writeCallback(
    _ opaque: UnsafeMutableRawPointer?, _ bytes: clibav_write_buffer?, _ count: Int32
) -> Int32 {
    guard let opaque, let bytes else { return clibav_error_invalid }
    return Unmanaged<OutputIO>.fromOpaque(opaque).takeUnretainedValue().write(UnsafePointer(bytes), count)
}

private func seekCallback(_ opaque: UnsafeMutableRawPointer?, _ offset: Int64, _ whence: Int32) -> Int64 {
    guard let opaque else { return Int64(clibav_error_invalid) }
    return Unmanaged<OutputIO>.fromOpaque(opaque).takeUnretainedValue().seek(offset, whence)
}
