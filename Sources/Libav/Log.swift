import Bytewise
internal import CLibav
import Glibc
import Synchronization

/// The last warnings and errors that libav logged, for error messages. Each thread takes its own, and those of
/// threads that never take any: libav's.
package enum Log {
    /// How many lines of a thread are kept.
    package static let capacity = 20
    private static let threads = 16

    struct Line: Sendable {
        let text: String
        /// Rather than a warning.
        let isError: Bool
        let thread: pthread_t
    }

    private struct State {
        var lines: [Line] = []
        /// Threads that take lines.
        var takers: Set<pthread_t> = []
    }

    private static let state = Mutex(State())
    private static let installed: Void = clibav_install_log { level, line in
        guard let line else { return }
        Log.append(String(cString: line), isError: level <= AV_LOG_ERROR)
    }

    /// Sends libav's log here instead of to stderr. Before any other libav call.
    package static func install() { _ = installed }

    /// What libraries print on standard error by themselves goes here too. A process's last words go where they
    /// did: they are no library's.
    package static func takeStandardError() {
        clibav_take_stderr { text, length in
            guard let text else { return }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            let line = String(decoding: bytes, as: UTF8.self)
            if line.holds("atal error") || line.holds("terminate called") {
                _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
            } else if line.holds("[error]") || line.holds("[warning]") {
                Log.append(line, isError: line.holds("[error]"))
            }
        }
        takeSRT()
    }

    /// libsrt prints past stdio, and only it knows why a peer refused the connection. There is none where libav was built
    /// without it.
    private static func takeSRT() {
        typealias Handler = @convention(c) (
            _ opaque: UnsafeMutableRawPointer?, _ level: Int32, _ file: UnsafePointer<CChar>?, _ line: Int32, _ area: UnsafePointer<CChar>?,
            _ message: UnsafePointer<CChar>?
        ) -> Void
        typealias SetHandler = @convention(c) (UnsafeMutableRawPointer?, Handler?) -> Void
        typealias SetFlags = @convention(c) (Int32) -> Void
        guard let setHandler = dlsym(nil, "srt_setloghandler"), let setFlags = dlsym(nil, "srt_setlogflags") else { return }
        // SRT_LOGF_DISABLE_TIME, _THREADNAME, _SEVERITY and _EOL.
        unsafeBitCast(setFlags, to: SetFlags.self)(1 | 2 | 4 | 8)
        unsafeBitCast(setHandler, to: SetHandler.self)(nil) { _, level, _, _, _, message in
            guard let message else { return }
            Log.append("[libsrt] \(String(cString: message))", isError: level <= LOG_ERR)
        }
    }

    /// The lines since the last call, oldest first.
    package static func take() -> [String] { takeLines().map(\.text) }

    static func takeLines() -> [Line] {
        let thread = pthread_self()
        return state.withLock { state in
            state.takers.insert(thread)
            func isTaken(_ line: Line) -> Bool { line.thread == thread || !state.takers.contains(line.thread) }
            let taken = state.lines.filter(isTaken)
            state.lines.removeAll(where: isTaken)
            return taken
        }
    }

    private static func append(_ text: String, isError: Bool) {
        var text = LogLine.withoutAddresses(text)
        while let last = text.utf8.last, last <= 0x20 { text.unicodeScalars.removeLast() }
        guard !text.isEmpty else { return }
        let line = Line(text: text, isError: isError, thread: pthread_self())
        state.withLock { state in
            if state.lines.count(where: { $0.thread == line.thread }) == capacity,
                let first = state.lines.firstIndex(where: { $0.thread == line.thread })
            {
                state.lines.remove(at: first)
            }
            if state.lines.count == capacity * threads { state.lines.removeFirst() }
            state.lines.append(line)
        }
    }
}

/// Calls of libav that end with an error where one of its assertions fails. In this file, and never
/// inlined into another, because the C behind them and behind the log share a variable, which every file
/// would have of its own.
enum GuardedCall {
    @inline(never) static func sendFrame(_ frame: UnsafeMutablePointer<AVFrame>?, to encoder: UnsafeMutablePointer<AVCodecContext>) -> Int32 {
        clibav_guarded(clibav_call_send_frame, encoder, frame, 0)
    }

    @inline(never) static func receivePacket(
        _ packet: UnsafeMutablePointer<AVPacket>, from encoder: UnsafeMutablePointer<AVCodecContext>
    ) -> Int32 {
        clibav_guarded(clibav_call_receive_packet, encoder, packet, 0)
    }

    /// The filters take a reference of their own.
    @inline(never) static func push(_ frame: UnsafeMutablePointer<AVFrame>, to source: UnsafeMutablePointer<AVFilterContext>) -> Int32 {
        clibav_guarded(clibav_call_push_frame, source, frame, 0)
    }

    @inline(never) static func close(_ source: UnsafeMutablePointer<AVFilterContext>, at pts: Int64) -> Int32 {
        clibav_guarded(clibav_call_close_source, source, nil, pts)
    }

    @inline(never) static func pull(_ frame: UnsafeMutablePointer<AVFrame>, from sink: UnsafeMutablePointer<AVFilterContext>) -> Int32 {
        clibav_guarded(clibav_call_pull_frame, sink, frame, 0)
    }

    @inline(never) static func write(_ packet: UnsafeMutablePointer<AVPacket>?, to muxer: UnsafeMutablePointer<AVFormatContext>) -> Int32 {
        clibav_guarded(clibav_call_write_packet, muxer, packet, 0)
    }

    @inline(never) static func flush(_ muxer: UnsafeMutablePointer<AVFormatContext>) -> Int32 {
        clibav_guarded(clibav_call_flush_muxer, muxer, nil, 0)
    }

    @inline(never) static func writeTrailer(of muxer: UnsafeMutablePointer<AVFormatContext>) -> Int32 {
        clibav_guarded(clibav_call_write_trailer, muxer, nil, 0)
    }
}
