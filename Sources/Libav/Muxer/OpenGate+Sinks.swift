internal import CLibav
import Glibc

/// Files and URLs that go to sinks.
extension OpenGate {
    /// A sink for what the muxer opens by itself. Reading back is for what lies in files.
    func openSink(
        _ make: OpenAnswer.SinkMaker, _ io: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, _ name: String,
        by context: UnsafeMutablePointer<AVFormatContext>?, _ flags: Int32, _ options: UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32 {
        if flags & AVIO_FLAG_WRITE == 0 { return clibav_error_from_errno(ENOENT) }
        // Muxers try again what has failed: for that its sinks had their time.
        if let failure, !forgives { return failure.code }
        // What closes it would take it for libav's own.
        if Self.isClosedPastGate(name, by: context) { return clibav_error_refused }
        do throws(LibavError) {
            let given = Dictionary(entries(of: options?.pointee).map { ($0.key, $0.value) }) { $1 }
            io?.pointee = try addSink(make, given).context
            return 0
        } catch {
            if !forgives { note(error) }
            return error.code
        }
    }

    /// `options`: what it is opened with.
    func addSink(_ make: OpenAnswer.SinkMaker, _ options: [String: String]) throws(LibavError) -> SinkIO {
        let sink: any ByteSink
        do throws(SinkFailure) { sink = try make(options) } catch { throw LibavError(error) }
        let io = try SinkIO(sink)
        sinks.append(io)
        noteOpened(io.context)
        return io
    }

    /// The final status of a file that the muxer closes; nil: it is none of a sink's.
    func closeSink(_ io: UnsafeMutablePointer<AVIOContext>?) -> Int32? {
        guard let io, let index = sinks.firstIndex(where: { $0.context == io }) else { return nil }
        let sink = sinks[index]
        defer {
            forget(io)
            sinks.remove(at: index)
        }
        if isAbandoned {
            sink.abort()
            return 0
        }
        if isOpening {
            heldSinks.append(sink)
            return 0
        }
        do throws(LibavError) {
            try sink.finish()
            return 0
        } catch {
            if !forgives { note(error) }
            return error.code
        }
    }

    /// The muxer is open, and what it has closed meanwhile is whole.
    func noteOpen() throws(LibavError) {
        isOpening = false
        defer { heldSinks = [] }
        for sink in heldSinks {
            do throws(LibavError) { try sink.finish() } catch {
                if forgives { continue }
                note(error)
                throw error
            }
        }
    }

    /// The muxer ends without its end: what is open is taken back, and not taken for whole.
    func abandon() {
        isAbandoned = true
        for sink in sinks + heldSinks { sink.abort() }
    }
}
