internal import CLibav
import Glibc

/// A sink as libav's output: bytes in order, without going back.
final class SinkIO: @unchecked Sendable {
    // Unchecked: libav's callbacks run on the muxing thread, as all calls do.
    let context: UnsafeMutablePointer<AVIOContext>
    private let sink: any ByteSink
    private var failure: LibavError?
    private var hasEnded = false

    /// Takes the sink, also when it throws.
    init(_ sink: any ByteSink) throws(LibavError) {
        let context = AVIO.allocate(OutputIO.defaultBufferBytes) { clibav_alloc_output($0, $1, nil, writeToSink, nil) }
        guard let context else {
            sink.abort()
            throw .outOfMemory("allocating the output")
        }
        self.context = context
        self.sink = sink
        context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
        context.pointee.seekable = 0
    }

    deinit {
        abort()
        AVIO.free(context)
    }

    /// Sends what is buffered, and waits for what becomes of all of it.
    func finish() throws(LibavError) {
        avio_flush(context)
        if let failure {
            abort()
            throw failure
        }
        hasEnded = true
        do throws(SinkFailure) { try sink.finish() } catch { throw LibavError(error) }
    }

    /// Does nothing after its end.
    func abort() {
        if hasEnded { return }
        hasEnded = true
        sink.abort()
    }

    /// What was written into it and could not be sent.
    func check() throws(LibavError) { if let failure { throw failure } }

    fileprivate func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        if failure == nil && !hasEnded {
            do throws(SinkFailure) {
                try sink.write(bytes)
                return Int32(bytes.count)
            } catch { failure = LibavError(error) }
        }
        return failure?.code ?? clibav_error_exit
    }
}

private func writeToSink(_ opaque: UnsafeMutableRawPointer?, _ bytes: clibav_write_buffer?, _ count: Int32) -> Int32 {
    guard let opaque, let bytes else { return clibav_error_invalid }
    return Unmanaged<SinkIO>.fromOpaque(opaque).takeUnretainedValue().write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
}
