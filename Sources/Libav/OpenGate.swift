internal import CLibav
import Glibc

/// Stands before every file and URL that a muxer opens by itself: asks whether it may, and
/// remembers what failed, as not every muxer (hls for one) says so.
final class OpenGate {
    private let mayOpen: @Sendable (String) -> Bool
    private let open: Open?
    private let close: Close?
    private var failure: (code: Int32, doing: String)?
    /// The destination, where it is a descriptor: a muxer may ask to read back what it wrote.
    var output: OutputIO?
    private var readers: [OutputReader] = []
    /// Failures of a destination are not failures of the muxer.
    var forgives = false

    fileprivate typealias Open = @convention(c) (
        UnsafeMutablePointer<AVFormatContext>?,
        UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, UnsafePointer<CChar>?, Int32,
        UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32
    fileprivate typealias Close = @convention(c) (
        UnsafeMutablePointer<AVFormatContext>?, UnsafeMutablePointer<AVIOContext>?
    ) -> Int32

    /// Must live as long as `context`.
    init(_ context: UnsafeMutablePointer<AVFormatContext>, _ mayOpen: @escaping @Sendable (String) -> Bool) {
        self.mayOpen = mayOpen
        open = context.pointee.io_open
        close = context.pointee.io_close2
        // A muxer hands all three on to those it is made of.
        context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
        context.pointee.io_open = openThroughGate
        context.pointee.io_close2 = closeThroughGate
    }

    var hasFailed: Bool { failure != nil }

    func check() throws(LibavError) {
        guard let failure else { return }
        throw LibavError(code: failure.code, doing: failure.doing)
    }

    fileprivate func open(
        _ context: UnsafeMutablePointer<AVFormatContext>?,
        _ io: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, _ url: UnsafePointer<CChar>,
        _ flags: Int32, _ options: UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32 {
        let name = String(cString: url)
        // A muxer whose destination is a descriptor knows it by no name.
        if name.isEmpty, flags & AVIO_FLAG_WRITE == 0, let output { return openReader(of: output, io) }
        guard mayOpen(name), let open else {
            let code = clibav_error_from_errno(EACCES)
            note(code, "opening what the muxer asked for, which is not allowed")
            return code
        }
        let code = open(context, io, url, flags, options)
        // Reading is for what may be there from before, or not.
        if flags & AVIO_FLAG_WRITE != 0 && !forgives { note(code, "opening a file of the muxer's") }
        return code
    }

    fileprivate func close(
        _ context: UnsafeMutablePointer<AVFormatContext>?, _ io: UnsafeMutablePointer<AVIOContext>?
    ) -> Int32 {
        if let index = readers.firstIndex(where: { $0.context == io }) {
            // libav takes what it could not read for the end.
            note(readers[index].context.pointee.error, "reading the output back")
            readers.remove(at: index)
            return 0
        }
        if let io, io.pointee.write_flag != 0, !forgives {
            avio_flush(io)
            note(io.pointee.error, "writing a file of the muxer's")
        }
        return close?(context, io) ?? 0
    }

    private func openReader(
        of output: OutputIO, _ io: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?
    ) -> Int32 {
        do {
            let reader = try output.reader()
            readers.append(reader)
            io?.pointee = reader.context
            return 0
        } catch {
            note(error.code, error.doing)
            return error.code
        }
    }

    private func note(_ code: Int32, _ doing: String) {
        if code < 0 && failure == nil { failure = (code, doing) }
    }
}

private func gate(of context: UnsafeMutablePointer<AVFormatContext>?) -> OpenGate? {
    context?.pointee.opaque.map { Unmanaged<OpenGate>.fromOpaque($0).takeUnretainedValue() }
}

private func openThroughGate(
    _ context: UnsafeMutablePointer<AVFormatContext>?,
    _ io: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, _ url: UnsafePointer<CChar>?,
    _ flags: Int32, _ options: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    guard let gate = gate(of: context), let url else { return clibav_error_invalid }
    return gate.open(context, io, url, flags, options)
}

private func closeThroughGate(
    _ context: UnsafeMutablePointer<AVFormatContext>?, _ io: UnsafeMutablePointer<AVIOContext>?
) -> Int32 {
    guard let gate = gate(of: context) else { return clibav_error_invalid }
    return gate.close(context, io)
}
