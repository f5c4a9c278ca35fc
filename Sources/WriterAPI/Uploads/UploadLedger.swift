import StreamWriter
import Threading
import Uploads

/// The uploads of one carrier that are under way: so that they can be ended, and that be waited for. Any thread.
final class UploadLedger: Sendable {
    private let state = Monitor(State())

    private struct State {
        var sinks: [ObjectIdentifier: any UploadSink] = [:]
        var file: FileUpload?
        /// Calls that wait for a server.
        var waiting = 0
        var isEnded = false
    }

    /// Runs a call that may wait for a server, or take back what it has.
    func waiting<R>(_ body: () throws(UploadError) -> R) throws(UploadError) -> R {
        state.withLock { $0.waiting += 1 }
        defer { state.change { $0.waiting -= 1 } }
        return try body()
    }

    /// False: everything is over, and nothing begins.
    func begin(_ sink: any UploadSink) -> Bool {
        state.withLock { state in
            if !state.isEnded { state.sinks[ObjectIdentifier(sink)] = sink }
            return !state.isEnded
        }
    }

    func begin(_ file: FileUpload) -> Bool {
        state.withLock { state in
            if !state.isEnded { state.file = file }
            return !state.isEnded
        }
    }

    func end(_ sink: any UploadSink) { state.withLock { $0.sinks[ObjectIdentifier(sink)] = nil } }

    /// Ends them all, and waits for what they take back, no longer than until then.
    func endAll(until deadline: Deadline) {
        let (sinks, file) = state.withLock { state in
            state.isEnded = true
            return (Array(state.sinks.values), state.file)
        }
        file?.abort()
        for sink in sinks { sink.abort() }
        _ = state.wait(until: deadline) { $0.waiting == 0 ? true : nil }
    }
}

/// A sink of libav's that is one of Uploads'.
final class LedgerSink: ByteSink {
    private let sink: any UploadSink
    private let ledger: UploadLedger

    init(_ sink: any UploadSink, _ ledger: UploadLedger) { (self.sink, self.ledger) = (sink, ledger) }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SinkFailure) { try call { () throws(UploadError) in try sink.write(bytes) } }

    func finish() throws(SinkFailure) {
        try call { () throws(UploadError) in try sink.finish() }
        ledger.end(sink)
    }

    func abort() {
        _ = try? ledger.waiting { sink.abort() }
        ledger.end(sink)
    }

    private func call(_ body: () throws(UploadError) -> Void) throws(SinkFailure) {
        do throws(UploadError) { try ledger.waiting(body) } catch { throw SinkFailure(error) }
    }
}

/// A file that is deleted, which muxers do by opening it in a way of its own.
final class DeletingSink: ByteSink {
    private let delete: @Sendable () throws(SinkFailure) -> Void

    init(_ delete: @escaping @Sendable () throws(SinkFailure) -> Void) { self.delete = delete }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SinkFailure) {}
    func finish() throws(SinkFailure) { try delete() }
    func abort() {}
}

extension SinkFailure {
    init(_ error: UploadError) {
        let advice = error.kind == .untrusted ? " (an authority of one's own is named by the server's --ca-file)" : ""
        self.init(error.description + advice, isForbidden: error.kind == .addressForbidden)
    }
}
