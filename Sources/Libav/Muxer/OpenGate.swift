import Bytewise
internal import CLibav
import Glibc

/// What becomes of a file or URL that a muxer asks for.
package enum OpenAnswer: Sendable {
    /// libav opens it, by these of its protocols and no others; nil: by any.
    case granted(protocols: [String]?)
    case refused(reason: String)
    /// It is written to what this makes, by the options that the muxer opens it with.
    case sink(SinkMaker)

    package typealias SinkMaker = @Sendable ([String: String]) throws(SinkFailure) -> any ByteSink
}

/// Stands before the destination and every file and URL that a muxer opens by itself: asks whether
/// it may, and remembers what failed, as not every muxer (hls for one) says so.
final class OpenGate {
    private let ask: @Sendable (String) -> OpenAnswer
    private let openAnyway: Open?
    private let closeAnyway: Close?
    private(set) var failure: LibavError?
    /// What is open to a sink.
    var sinks: [SinkIO] = []
    /// Until the muxer is open: what it has closed may have been for nothing.
    var isOpening = false
    /// What it has closed while it was being opened.
    var heldSinks: [SinkIO] = []
    /// The muxer ends without its end.
    var isAbandoned = false
    /// The destination, where it is a descriptor: a muxer may ask to read back what it wrote.
    var output: OutputIO?
    private var readers: [OutputReader] = []
    /// What is open for writing.
    private var opened: [UnsafeMutablePointer<AVIOContext>] = []
    private var closedBytes: Int64 = 0
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
    init(_ context: UnsafeMutablePointer<AVFormatContext>, _ ask: @escaping @Sendable (String) -> OpenAnswer) {
        self.ask = ask
        openAnyway = context.pointee.io_open
        closeAnyway = context.pointee.io_close2
        // A muxer hands all three on to those it is made of.
        context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
        context.pointee.io_open = openThroughGate
        context.pointee.io_close2 = closeThroughGate
    }

    var hasFailed: Bool { failure != nil }

    /// Given to all that the muxer has opened, be they closed by now or not; what it writes anew counts again.
    var bytesWritten: Int64 { opened.reduce(closedBytes) { $0 + $1.pointee.bytes_written } }

    func check() throws(LibavError) {
        if let failure { throw failure }
    }

    func answer(for url: String) -> OpenAnswer { ask(url) }

    /// libav's name for a list of protocols that a URL may be opened by; nil: any.
    static func protocols(in answer: OpenAnswer) throws(LibavError) -> String? {
        switch answer {
        case .granted(let protocols): return protocols?.joined(separator: ",")
        case .refused(let reason): throw LibavError(refusal: reason)
        // The name of no protocol.
        case .sink: return "none"
        }
    }

    fileprivate func open(
        _ context: UnsafeMutablePointer<AVFormatContext>?,
        _ io: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, _ url: UnsafePointer<CChar>,
        _ flags: Int32, _ options: UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32 {
        let name = String(cString: url)
        // A muxer whose destination is a descriptor knows it by no name.
        if name.isEmpty, flags & AVIO_FLAG_WRITE == 0, let output { return openReader(of: output, io) }
        let answer = ask(name)
        if case .sink(let make) = answer { return openSink(make, io, name, by: context, flags, options) }
        let code: Int32
        do throws(LibavError) {
            if let protocols = try Self.protocols(in: answer) {
                code = Self.open(context, io, url, flags, options, by: protocols)
            } else {
                code = openAnyway?(context, io, url, flags, options) ?? clibav_error_invalid
            }
        } catch {
            note(error)
            return error.code
        }
        // Reading is for what may be there from before, or not.
        if flags & AVIO_FLAG_WRITE == 0 { return code }
        if code < 0 {
            if !forgives { note(code, "opening \(name)") }
        } else if let io = io?.pointee, !Self.isClosedPastGate(name, by: context) {
            noteOpened(io)
        }
        return code
    }

    /// hls closes the file with its key by itself, so that nothing tells when its memory is another's.
    static func isClosedPastGate(_ name: String, by context: UnsafeMutablePointer<AVFormatContext>?) -> Bool {
        guard let format = context?.pointee.oformat else { return false }
        return name.ends(with: ".key") && OutputFormat(format).name.isSame(as: "hls")
    }

    /// Opens by those protocols only, and those they are made of.
    private static func open(
        _ context: UnsafeMutablePointer<AVFormatContext>?,
        _ io: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, _ url: UnsafePointer<CChar>,
        _ flags: Int32, _ options: UnsafeMutablePointer<OpaquePointer?>?, by protocols: String
    ) -> Int32 {
        guard let context else { return clibav_error_invalid }
        var own: OpaquePointer?
        defer { av_dict_free(&own) }
        return withUnsafeMutablePointer(to: &own) { own in
            let options = options ?? own
            av_dict_set(options, Options.protocols, protocols, 0)
            return avio_open2(io, url, flags, &context.pointee.interrupt_callback, options)
        }
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
        if let code = closeSink(io) { return code }
        if let io, io.pointee.write_flag != 0 {
            if !forgives {
                avio_flush(io)
                note(io.pointee.error, "writing a file of the muxer's")
            }
            forget(io)
        }
        return closeAnyway?(context, io) ?? 0
    }

    func noteOpened(_ io: UnsafeMutablePointer<AVIOContext>) { opened.append(io) }

    func forget(_ io: UnsafeMutablePointer<AVIOContext>) {
        guard let index = opened.firstIndex(of: io) else { return }
        opened.remove(at: index)
        closedBytes += io.pointee.bytes_written
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
            note(error)
            return error.code
        }
    }

    private func note(_ code: Int32, _ doing: String) {
        if code < 0 { note(LibavError(code: code, doing: doing)) }
    }

    func note(_ error: LibavError) {
        if failure == nil { failure = error }
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
